"""Serves the signed zones: NSD for everything a correct server can do, scripted.py for the rest."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import dns.exception
import dns.message
import dns.query
import dns.rcode

from lab import infrastructure, netns, processes

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
TOOLS = pathlib.Path(os.environ.get("MXTRUST_TOOLS", REPOSITORY / "build/tools"))
READY_TIMEOUT = 60.0

NSD_CONFIGURATION = """
server:
    {addresses}
    port: {port}
    server-count: 1
    username: ""
    chroot: ""
    database: ""
    zonesdir: "{zones}"
    pidfile: "{run}/{name}.pid"
    xfrdfile: "{run}/{name}.xfrd"
    zonelistfile: "{run}/{name}.zonelist"
    logfile: "{run}/{name}.log"
    tcp-count: 500
    ipv4-edns-size: 1232
    ipv6-edns-size: 1232
    minimal-responses: no
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
    hide-version: yes
    answer-cookie: yes
remote-control:
    control-enable: no
"""


class MissingTool(Exception):
    pass


def tool(name):
    """The path of an unpacked or installed program."""
    for folder in ("usr/sbin", "usr/bin"):
        if (TOOLS / folder / name).exists():
            return str(TOOLS / folder / name)
    found = shutil.which(name)
    if not found:
        raise MissingTool(f"{name} is missing: run tests/lab/install as root. It installs the packages ldnsutils, "
                          "python3-dnspython, python3-cryptography, iproute2 and bind9-dnsutils, and unpacks nsd and "
                          "unbound into build/tools without installing them")
    return found


def environment():
    """The environment in which the unpacked programs find their libraries."""
    libraries = [str(path) for path in (TOOLS / "usr/lib").glob("*-linux-gnu")]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries), "PYTHONDONTWRITEBYTECODE": "1"}


def addresses_of(groups):
    found = []
    for group in groups:
        for _, four, six in infrastructure.SERVER_GROUPS[group]:
            found += [address for address in (four, six) if address]
    return found


def all_addresses(signer):
    """Every address of the world, servers and mail hosts, and one for whoever asks."""
    found = addresses_of(infrastructure.SERVER_GROUPS)
    for pairs in signer.servers.values():
        found += [address for pair in pairs for address in pair]
    for host in signer.addresses.values():
        found += [address for family, address in host.items() if family != "number"]
    return found + [infrastructure.BACK_ADDRESS]


class Servers:
    def __init__(self, world, signer, state, namespace):
        self.world = world
        self.signer = signer
        self.state = pathlib.Path(state)
        self.run = self.state / "run"
        self.namespace = namespace
        self.started = {}

    def start(self):
        """Starts all processes; self.started holds their identities also where a later one fails."""
        self.run.mkdir(parents=True, exist_ok=True)
        for name, groups in infrastructure.PROCESSES.items():
            self.start_nsd(name, addresses_of(groups), 53, [z for z in self.world.zones.values() if z.servers in groups])
        scripted = [zone for zone in self.world.zones.values() if zone.servers == "scripted"]
        self.start_nsd("back", [infrastructure.BACK_ADDRESS], infrastructure.BACK_PORT, scripted)
        self.start_scripted(scripted)

    def spawn(self, name, command):
        """Starts COMMAND in the world and hands back its identity under NAME. `ip netns exec` becomes the command
        itself, so the number is the command's own."""
        with open(self.run / f"{name}.out", "w") as out:
            process = subprocess.Popen(netns.inside(self.namespace) + command, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, env=environment(), start_new_session=True)
        self.started[name] = processes.identity(process.pid)

    def start_nsd(self, name, addresses, port, zones):
        text = NSD_CONFIGURATION.format(
            addresses="\n    ".join(f"ip-address: {address}" for address in addresses), port=port,
            zones=(self.state / "zones/signed").resolve(), run=self.run.resolve(), name=name)
        for zone in zones:
            text += f'zone:\n    name: "{zone.name or "."}"\n    zonefile: "{zone.name or "root"}"\n'
        configuration = self.run / f"{name}.conf"
        configuration.write_text(text)
        self.spawn(name, [tool("nsd"), "-d", "-c", str(configuration.resolve())])

    def start_scripted(self, zones):
        script = {"back": [infrastructure.BACK_ADDRESS, infrastructure.BACK_PORT], "domains": [
            {"name": zone.name, "addresses": self.signer.servers[zone.name], "rules": zone.rules,
             "injected": self.signer.unloadable.get(zone.name)} for zone in zones]}
        path = self.run / "scripted.json"
        path.write_text(json.dumps(script, indent=1))
        self.spawn("scripted", [sys.executable, str(HERE / "scripted.py"), str(path)])

    def probes(self):
        """One question for each process, by which it shows that it serves: (name of the process, zone, address, port)."""
        for name, groups in infrastructure.PROCESSES.items():
            zone = next(z for z in self.world.zones.values() if z.servers in groups)
            for address in addresses_of(groups):
                yield name, zone.name, address, 53
        scripted = next(z for z in self.world.zones.values() if z.servers == "scripted" and not z.rules[0]["types"] is None)
        yield "back", scripted.name, infrastructure.BACK_ADDRESS, infrastructure.BACK_PORT
        for address in self.signer.servers[scripted.name][1]:
            yield "scripted", scripted.name, address, 53


def wait_until_ready(probes):
    """Run inside the namespace. Returns None, or what is still silent after READY_TIMEOUT."""
    deadline = time.monotonic() + READY_TIMEOUT
    for name, zone, address, port in probes:
        query = dns.message.make_query(zone or ".", "SOA")
        while True:
            try:
                answer = dns.query.udp(query, address, port=port, timeout=0.2)
                if answer.rcode() == dns.rcode.NOERROR and answer.answer:
                    break
            except (dns.exception.DNSException, OSError):
                pass
            if time.monotonic() > deadline:
                return f"the name server {name} does not answer for {zone or '.'} at {address}"
            time.sleep(0.02)
    return None
