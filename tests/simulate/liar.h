// What a server without keys can do to an answer: alter, strip, replay, forge, poison. Every lie takes an honest answer
// and gives another; all that a liar knows are signed records of the whole Internet and keys of its own.
#pragma once

#include "simulate/universe.h"

namespace simulate {

/// Bends `honest`, which is what `place` says to `query`.
dns::Message lie(mxtrust::Random& random, const Universe& universe, const Place& place, const dns::Message& query,
                 dns::Message honest);

/// A reply from off the path, with a guess where the asker's secrets should be: it must never be believed.
dns::Message forge_blindly(mxtrust::Random& random, const dns::Message& query);

}  // namespace simulate
