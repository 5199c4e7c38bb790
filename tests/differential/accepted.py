"""The disagreements that are meant to be: accepted.list, read and matched.

Each line: NAME-PATTERN TYPES WHAT MXTRUST | reason. NAME-PATTERN is a shell pattern for the name in small letters, without
the final dot; TYPES a list with commas, or *; WHAT is rcode, answer or ad. MXTRUST is what mxtrust says there: for rcode the
rcodes that it may give, for ad `AD` or `no-AD`, for answer `shared`: another resolver says the same, or `own`. A line
accepts nothing else: where mxtrust says another word than it is known for, that is new, and a failure.
"""

import fnmatch

WORDS = {"rcode": {"NOERROR", "NXDOMAIN", "SERVFAIL"}, "ad": {"AD", "no-AD"}, "answer": {"shared", "own"}}


class Accepted:
    def __init__(self, rules):
        self.rules = rules
        self.used = set()

    def reason(self, name, kind, part, word):
        """Why mxtrust may say WORD here, where somebody says another; None: it may not."""
        plain = name.lower().rstrip(".") or "."
        for number, (pattern, kinds, what, said, reason) in enumerate(self.rules):
            if what == part and word in said and ("*" in kinds or kind in kinds) and fnmatch.fnmatchcase(plain, pattern):
                self.used.add(number)
                return reason
        return None

    def endings(self):
        """Of the names that some line is about, but for those about any name."""
        return {pattern.lstrip("*") + "." for pattern, *_ in self.rules if pattern.strip("*")}

    def unused(self):
        return [" ".join((pattern, ",".join(kinds), what, ",".join(said)))
                for number, (pattern, kinds, what, said, _) in enumerate(self.rules) if number not in self.used]


def read(path):
    rules = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        fields, bar, reason = line.partition("|")
        words = fields.split()
        said = tuple(words[3].split(",")) if len(words) == 4 else ()
        if not bar or not said or words[2] not in WORDS or not set(said) <= WORDS[words[2]] or not reason.strip():
            raise SystemExit(f"{path}:{number}: NAME-PATTERN TYPES WHAT MXTRUST | reason, where WHAT is rcode, answer or ad, and "
                             f"MXTRUST one of {WORDS}")
        rules.append((words[0], tuple(words[1].split(",")), words[2], said, reason.strip()))
    return Accepted(rules)
