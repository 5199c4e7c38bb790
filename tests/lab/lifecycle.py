"""Bringing a world up and down, and what it leaves in its state directory:

    lab.toml      a complete configuration for mxtrustd --test-mode
    hints         root hints        anchors      DS records of the lab's root
    domains.tsv   domain, case, what its receiver presents, description
    hosts.tsv     mail host, its addresses
    pki/          certificates, for the tests that deliver mail
    zones/        keys, unsigned and signed zone files
    run/          configuration and logs of the name servers
    world.json    what runs, and since when
"""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from lab import checked, domains, infrastructure, model, netns, pki, processes, servers, signing, variants

HERE = pathlib.Path(__file__).resolve().parent
# Signatures, certificates and the "soon" expirations are made for a day's use; younger worlds are used as they are.
OLDEST = 12 * 3600


class WorldError(Exception):
    pass


def state_directory(argument=None):
    chosen = argument or os.environ.get("MXTRUST_LAB") or HERE.parent.parent / "build/lab"
    return pathlib.Path(chosen).resolve()


def build_world():
    world = model.World()
    infrastructure.build(world)
    domains.build(world)
    variants.build(world)
    checked.build(world)
    return world


def recorded(state):
    try:
        return json.loads((state / "world.json").read_text())
    except (OSError, ValueError):
        return None


def status(state):
    """("up" | "down" | "broken" | "old", sentence)"""
    record = recorded(state)
    namespace = netns.name_for(state)
    if record is None:
        return ("broken", "a namespace is left over") if netns.exists(namespace) else ("down", "the world is down")
    dead = [name for name, process in record["processes"].items() if not processes.alive(process)]
    if dead or not netns.exists(namespace):
        return "broken", "not running: " + ", ".join(dead or ["the namespace"])
    age = time.time() - record["signed"]
    if not 0 <= age < OLDEST:
        return "old", f"the world is up, but was signed {age / 3600:.0f} hours ago"
    if record["sources"] != sources():
        return "old", "the world is up, but its description has changed since"
    return "up", (f"the world is up: {record['zones']} zones, {record['domains']} domains, "
                  f"namespace {namespace}, signed {age / 60:.0f} minutes ago")


def sources():
    """Changes when a file that describes the world does."""
    return max(int(path.stat().st_mtime) for path in HERE.glob("*.py"))


@contextlib.contextmanager
def locked(state):
    """One at a time brings a world up or down: tests may be started side by side."""
    state.mkdir(parents=True, exist_ok=True)
    with open(state / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def up(state):
    """Requires the lock."""
    down(state)
    for name in ("ldns-keygen", "ldns-signzone", "nsd", "ip"):
        servers.tool(name)
    world = build_world()
    pki.make(state / "pki")
    signer = signing.Signer(world, state / "zones", pki.Associations(state / "pki"))
    signer.run()
    namespace = netns.name_for(state)
    netns.create(namespace, servers.all_addresses(signer))
    serving = servers.Servers(world, signer, state, namespace)
    try:
        serving.start()
    finally:
        # Written also when something failed, so that `down` finds what did start.
        record = {"processes": serving.started, "signed": signer.now, "sources": sources(), "namespace": namespace,
                  "zones": len(world.zones), "domains": len(world.domains), "probes": list(serving.probes())}
        (state / "world.json").write_text(json.dumps(record, indent=1))
    describe(state, world, signer)
    waiting = subprocess.run(netns.inside(namespace) + [str(HERE / "world"), "--state", str(state), "wait"], text=True,
                             capture_output=True)
    if waiting.returncode != 0:
        reason = waiting.stderr.strip()
        raise WorldError(f"{reason}\n(logs: {state}/run; `tests/lab/world down` cleans up)")


def describe(state, world, signer):
    roots = infrastructure.SERVER_GROUPS["root"]
    hints = [(name, address) for name, four, six in roots for address in (four, six)]
    lines = [". 3600000 NS " + name + "." for name, _, _ in roots]
    lines += [f"{name}. 3600000 {'AAAA' if ':' in address else 'A'} {address}" for name, address in hints]
    (state / "hints").write_text("\n".join(lines) + "\n")
    anchors = signer.anchors()
    (state / "anchors").write_text("\n".join(anchors) + "\n")
    (state / "lab.toml").write_text(configuration(state, hints, anchors))
    table = ["\t".join((d.name, d.case, d.receiver, d.about)) for d in world.domains.values()]
    (state / "domains.tsv").write_text("\n".join(table) + "\n")
    hosts = ["\t".join((host, known.get("A", "-"), known.get("AAAA", "-"))) for host, known in signer.addresses.items()]
    (state / "hosts.tsv").write_text("\n".join(hosts) + "\n")


def configuration(state, hints, anchors, *, dns_listen="127.0.0.1:5353", log_level="info"):
    """mxtrustd's configuration for this world. STATE is where the daemon keeps its own."""
    def quoted(text):
        return json.dumps(str(text))

    servers_text = ",\n".join(f"  {{ name = {quoted(name + '.')}, address = {quoted(address)} }}" for name, address in hints)
    return f"""[server]
state-directory = {quoted(state / "daemon")}
query-socket = {quoted(state / "query.sock")}
postfix-socket = {quoted(state / "postfix.sock")}
dns-listen = [{quoted(dns_listen)}]
workers = 2
log-level = {quoted(log_level)}
log-target = "stderr"

[resolver]
ipv4 = true
ipv6 = true

[test]
root-hints = [
{servers_text}
]
trust-anchors = [{", ".join(quoted(anchor) for anchor in anchors)}]
allow-local-authorities = true
"""


def down(state):
    """Stops what was started, removes the namespace and the records of both; the rest of the state stays. Requires the
    lock."""
    record = recorded(state)
    if record:
        for process in record["processes"].values():
            processes.stop(process)
    namespace = netns.name_for(state)
    if netns.exists(namespace):
        # What still runs in there was started in this world: a daemon under test whose test died, for example.
        left = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=True)
        for pid in left.stdout.split():
            processes.stop(processes.identity(int(pid)))
        netns.remove(namespace)
    (state / "world.json").unlink(missing_ok=True)
    shutil.rmtree(state / "zones", ignore_errors=True)


def wait(state):
    """Inside the namespace: until every name server answers."""
    complaint = servers.wait_until_ready(recorded(state)["probes"])
    if complaint:
        print(complaint, file=sys.stderr)
        return 1
    return 0
