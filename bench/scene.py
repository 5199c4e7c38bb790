"""Where bench/run measures: a signed mail Internet (world.cc) behind a link with latency (link.cc), in two network namespaces.

The servers' namespace has a name server (NSD) for each of the four groups, all on addresses of their own; the resolver's has
nothing but the resolver, the link, and who asks.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from lab import processes, servers  # noqa: E402

BUILD = ROOT / "build/release"
GROUPS = ("root", "tld", "hoster", "provider")
RESOLVER = "10.78.0.1"
FRESH = 15 * 86400  # seconds; the signatures of a world last longer
NSD = """
server:
    {addresses}
    port: 53
    server-count: 1
    username: ""
    chroot: ""
    database: ""
    zonesdir: "{folder}"
    pidfile: "{run}/{group}.pid"
    xfrdfile: "{run}/{group}.xfrd"
    zonelistfile: "{run}/{group}.zonelist"
    logfile: "{run}/{group}.log"
    tcp-count: 500
    minimal-responses: no
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
remote-control:
    control-enable: no
"""


def build():
    """The release of the programs, and what measures them."""
    for command in (["cmake", "--preset", "release"],
                    ["ninja", "-C", str(BUILD), "mxtrustd", "mxtrust", "bench_world", "bench_link", "bench_route", "bench_load", "bench_fill"]):
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "CC": "clang-19"}, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"bench: {' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")


def said_something(dig):
    """Did dig get records? Its own complaints begin with a semicolon."""
    lines = subprocess.run(dig, capture_output=True, text=True, check=False).stdout.splitlines()
    return any(line and not line.startswith(";") for line in lines)


def tool(name):
    return str(BUILD / "bench" / f"bench_{name}")


class Scene:
    """Up from __enter__ to __exit__. DELAY: one way, in seconds."""

    def __init__(self, domains, delay=0.010):
        self.count = domains
        self.delay = delay
        self.folder = ROOT / "build/bench" / f"world-{domains}"
        tag = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:6] + f"-{os.getpid()}"
        self.inner, self.outer = f"mxb-{tag}-r", f"mxb-{tag}-s"
        self.run = self.folder / "run"
        self.started = []
        self.link = None

    def __enter__(self):
        try:
            self.make_world()
            self.make_namespaces()
            self.serve()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.link is not None:
            self.link.stdin.close()
            self.link.wait(5)
        for process in self.started:
            processes.stop(process)
        for namespace in (self.inner, self.outer):
            if os.path.exists(f"/run/netns/{namespace}"):
                subprocess.run(["ip", "netns", "delete", namespace], check=False)

    def make_world(self):
        stamp = self.folder / "made"
        program = Path(tool("world"))
        if stamp.exists() and time.time() - stamp.stat().st_mtime < FRESH and stamp.stat().st_mtime > program.stat().st_mtime:
            self.summary = stamp.read_text().strip()
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        for group in GROUPS:
            (self.folder / group).mkdir(parents=True)
        done = subprocess.run([str(program), str(self.folder), str(self.count)], check=True, capture_output=True, text=True)
        stamp.write_text(done.stdout)
        self.summary = done.stdout.strip()

    def ip(self, namespace, *lines):
        subprocess.run(["ip", "-netns", namespace, "-batch", "-"], input="\n".join(lines), text=True, check=True)

    def make_namespaces(self):
        for namespace in (self.inner, self.outer):
            subprocess.run(["ip", "netns", "add", namespace], check=True)
            self.ip(namespace, "link set lo up")
        inner, outer = f"{self.inner[-11:]}a"[:15], f"{self.outer[-11:]}b"[:15]
        self.link = subprocess.Popen([tool("link"), inner, outer, str(int(self.delay * 1e6))], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        if self.link.stdout.readline().strip() != "ready":
            raise RuntimeError("bench: there is no link: it needs /dev/net/tun")
        for device, namespace in ((inner, self.inner), (outer, self.outer)):
            subprocess.run(["ip", "link", "set", device, "netns", namespace], check=True)
        self.ip(self.inner, f"address add {RESOLVER}/32 dev lo", f"link set {inner} up txqueuelen 5000",
                f"route add 10.77.0.0/16 dev {inner} src {RESOLVER}")
        self.ip(self.outer, *(f"address add {address}/32 dev lo" for group in GROUPS for address in self.addresses(group)),
                f"link set {outer} up txqueuelen 5000", f"route add {RESOLVER}/32 dev {outer}")

    @staticmethod
    def addresses(group):
        """Of its name servers: see world.cc."""
        number = GROUPS.index(group)
        how_many = {"root": 2, "tld": 16, "hoster": 40, "provider": 100}[group]
        return [f"10.77.{number}.{1 + host}" for host in range(how_many)]

    def serve(self):
        self.run.mkdir(exist_ok=True)
        for group in GROUPS:
            zones = (line.split() for line in (self.folder / f"{group}.zones").read_text().splitlines())
            configuration = self.run / f"{group}.conf"
            configuration.write_text(
                NSD.format(folder=self.folder, run=self.run, group=group,
                           addresses="\n    ".join(f"ip-address: {address}" for address in self.addresses(group))) +
                "".join(f'zone:\n    name: "{name}"\n    zonefile: "{file}"\n' for name, file in zones))
            command = ["ip", "netns", "exec", self.outer, servers.tool("nsd"), "-d", "-c", str(configuration)]
            with open(self.run / f"{group}.out", "wb") as out:
                child = subprocess.Popen(command, env=servers.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            self.started.append(processes.identity(child.pid))
        self.wait_for_servers()

    def wait_for_servers(self):
        """Every group answers for the last of its zones."""
        deadline = time.monotonic() + 30 + self.count / 500
        for group in GROUPS:
            zone = (self.folder / f"{group}.zones").read_text().splitlines()[-1].split()[0]
            command = ["ip", "netns", "exec", self.outer, "dig", "+short", "+tries=1", "+time=1", f"@{self.addresses(group)[0]}", zone, "SOA"]
            while not said_something(command):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"bench: the name server of group {group} does not answer; see {self.run}/{group}.log")
                time.sleep(0.1)

    def tell_link(self, command):
        """A command of link.cc; what it has counted."""
        self.link.stdin.write(command + "\n")
        self.link.stdin.flush()
        return json.loads(self.link.stdout.readline())

    def inside(self, *command):
        """Where the resolver is."""
        return ["ip", "netns", "exec", self.inner, *map(str, command)]

    def domains(self, kind="domains"):
        return (self.folder / kind).read_text().split()

    def hints(self):
        """[(name, address)]"""
        lines = [line.split() for line in (self.folder / "hints").read_text().splitlines()]
        return [(fields[0], fields[3]) for fields in lines if fields[2] == "A"]

    def anchor(self):
        """`. IN DS TAG ALGORITHM DIGEST-TYPE DIGEST`"""
        return (self.folder / "anchors").read_text().strip()
