"""What bench/run measures: mxtrustd and Debian's resolvers, one at a time, each with one thread, a large cache, and the scene's root.

Each runs inside the scene's inner namespace on 127.0.0.1, port 53, with nothing of a configuration but what makes it fit the
scene: validation, the anchor, the hints, room in the cache and for questions on their way.
"""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from scene import BUILD, said_something, tool
from lab import processes, servers

MXTRUST = """
[server]
state-directory = "{folder}/state"
query-socket = "{folder}/query.sock"
postfix-socket = ""
dns-listen = ["127.0.0.1:53"]
workers = 1
log-level = "error"
cache-size-mb = {cache}

[resolver]
ipv6 = false

[test]
root-hints = [{hints}]
trust-anchors = ["{anchor}"]
allow-local-authorities = true
"""
UNBOUND = """
server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    interface: 127.0.0.1
    do-ip6: no
    access-control: 127.0.0.0/8 allow
    root-hints: "{folder}/hints"
    trust-anchor: "{anchor}"
    module-config: "validator iterator"
    num-threads: 1
    outgoing-range: 4096
    num-queries-per-thread: 2048
    msg-cache-size: {cache}m
    rrset-cache-size: {cache}m
    key-cache-size: {cache}m
remote-control:
    control-enable: no
"""
BIND = """
options {{
    directory "{folder}";
    pid-file none;
    session-keyfile "{folder}/session.key";
    managed-keys-directory "{folder}";
    listen-on {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    allow-query {{ any; }};
    allow-recursion {{ any; }};
    recursive-clients 4000;
    dnssec-validation yes;
    max-cache-size {cache}m;
}};
controls {{ }};
server ::/0 {{ bogus yes; }};
zone "." {{ type hint; file "{folder}/hints"; }};
trust-anchors {{ . static-ds {ds} }};
"""
PDNS = """
config-dir={folder}
socket-dir={folder}
hint-file={folder}/hints
lua-config-file={folder}/anchor.lua
local-address=127.0.0.1
local-port=53
dnssec=validate
threads=1
pdns-distributes-queries=no
max-cache-entries=4000000
max-packetcache-entries=2000000
dont-query=
log-common-errors=no
loglevel=2
security-poll-suffix=
daemon=no
"""
KNOT = """
net.listen('127.0.0.1', 53, {{ kind = 'dns' }})
net.ipv6 = false
cache.open({cache} * MB, 'lmdb://{folder}/cache')
trust_anchors.remove('.')
trust_anchors.add([[{anchor}]])
modules.load('hints')
hints.root({{ {roots} }})
"""


class Resolver:
    """Started with an empty state, unless FOLDER is that of one before."""

    name = ""
    keeps = False  # does the cache survive a restart?

    def __init__(self, scene, folder=None, cache=1024):
        self.scene = scene
        self.own = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="mxb-"))
        self.values = {"folder": self.folder, "cache": cache, "anchor": scene.anchor(), "ds": self.bind_ds()}
        self.process = None

    def bind_ds(self):
        _, _, _, tag, algorithm, kind, digest = self.scene.anchor().split()
        return f'{tag} {algorithm} {kind} "{digest}";'

    def hints_file(self):
        shutil.copy(self.scene.folder / "hints", self.folder / "hints")

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        self.begun = time.monotonic()
        command = self.command()
        with open(self.folder / "out", "ab") as out:
            self.child = subprocess.Popen(self.scene.inside(*command), cwd=self.folder, env=servers.environment(),
                                          stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.process = processes.identity(self.child.pid)
        self.wait_until_ready()
        return self

    def __exit__(self, *_):
        if self.process is not None:
            processes.stop(self.process)
        if self.own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def wait_until_ready(self):
        """It says NOERROR with AD for the root's SOA."""
        deadline = time.monotonic() + 20
        probe = self.scene.inside("dig", "+short", "+tries=1", "+time=2", "@127.0.0.1", ".", "SOA")
        while not said_something(probe):
            if time.monotonic() > deadline or self.child.poll() is not None:
                raise RuntimeError(f"bench: {self.name} does not answer:\n" + (self.folder / "out").read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def cpu(self):
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Octets in memory now, its mapped cache included."""
        for line in Path(f"/proc/{self.child.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no smaps_rollup")

    def ask(self, domains, mode, at_once, seconds=0):
        """Routes over DNS."""
        return self.load([tool("route"), "127.0.0.1", "53", self.listed(domains), mode, at_once, seconds])

    def mail(self, domains, at_once=1, seconds=0, pipelined=False):
        """What a mail server has to ask: here over DNS."""
        return self.ask(domains, "pipelining" if pipelined else "sequential", at_once, seconds)

    def listed(self, domains):
        path = self.folder / "asked"
        path.write_text("".join(f"{name}\n" for name in domains))
        return path

    def load(self, command):
        done = subprocess.run(self.scene.inside(*command), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"bench: {' '.join(map(str, command))}: {done.stderr}")
        return json.loads(done.stdout)


class Mxtrust(Resolver):
    name = "mxtrust"
    keeps = True

    def command(self):
        (self.folder / "state").mkdir(exist_ok=True)
        hints = ", ".join(f'{{ name = "{name}", address = "{address}" }}' for name, address in self.scene.hints())
        (self.folder / "mxtrust.toml").write_text(MXTRUST.format(hints=hints, **self.values))
        return [BUILD / "resolver/daemon/mxtrustd", "--config", self.folder / "mxtrust.toml", "--test-mode"]

    def mail(self, domains, at_once=1, seconds=0, pipelined=False):
        """One question on the query socket."""
        connections = min(at_once, 16)
        return self.load([tool("load"), self.folder / "query.sock", self.listed(domains), connections, max(1, at_once // connections), seconds])


class Unbound(Resolver):
    name = "unbound"

    def command(self):
        self.hints_file()
        (self.folder / "unbound.conf").write_text(UNBOUND.format(**self.values))
        return [servers.tool("unbound"), "-d", "-c", self.folder / "unbound.conf"]


class Bind(Resolver):
    name = "bind"

    def command(self):
        self.hints_file()
        (self.folder / "named.conf").write_text(BIND.format(**self.values))
        return [servers.tool("named"), "-g", "-n", "1", "-c", self.folder / "named.conf"]


class PowerDns(Resolver):
    name = "powerdns"

    def command(self):
        self.hints_file()
        anchor = self.scene.anchor().split(None, 3)[3]
        (self.folder / "anchor.lua").write_text(f'clearTA()\naddTA(".", "{anchor}")\n')
        (self.folder / "recursor.conf").write_text(PDNS.format(**self.values))
        return [servers.tool("pdns_recursor"), f"--config-dir={self.folder}"]


class Knot(Resolver):
    """Looks for its Lua files in /usr/lib and for a root key in /usr/share only: what was unpacked is laid over both, in a mount
    namespace of its own."""

    name = "knot"
    keeps = True

    def command(self):
        roots = ", ".join(f"['{name}'] = {{ '{address}' }}" for name, address in self.scene.hints())
        (self.folder / "kresd.conf").write_text(KNOT.format(roots=roots, **self.values))
        kresd = shlex.join([servers.tool("kresd"), "-n", "-c", str(self.folder / "kresd.conf"), str(self.folder)])
        laid = " && ".join(f"mount -t overlay overlay -o lowerdir={shlex.quote(str(servers.TOOLS))}{part}:{part} {part}"
                           for part in ("/usr/lib", "/usr/share"))
        return ["unshare", "--mount", "sh", "-c", f"{laid} && exec {kresd}"]


ALL = {kind.name: kind for kind in (Mxtrust, Unbound, Bind, PowerDns, Knot)}
