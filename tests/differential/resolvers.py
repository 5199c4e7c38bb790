"""The resolvers that are compared: each started inside the lab's world with the lab's root hints and anchor, in a
folder of its own, and stopped at the end. Requires: the caller is inside the world's namespace.
"""

import os
import pathlib
import shlex
import socket
import subprocess
import time

import dns.exception
import dns.message
import dns.query

from lab import infrastructure, processes, servers
from lab.daemon import OneWorker

START_TIMEOUT = 60.0

UNBOUND = """
server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: "{folder}/unbound.pid"
    logfile: "{folder}/unbound.log"
    use-syslog: no
    interface: 127.0.0.1@{port}
    access-control: 127.0.0.0/8 allow
    root-hints: "{hints}"
    trust-anchor-file: "{anchors}"
    module-config: "validator iterator"
    do-not-query-localhost: no
    qname-minimisation: yes
    ede: yes
    # Otherwise any DS digest would do, SHA-1 beside SHA-256 as well.
    harden-algo-downgrade: yes
    # Answers of a server that says NXDOMAIN to an empty non-terminal are for the resolver to deal with.
    harden-below-nxdomain: yes
    num-threads: 1
    outgoing-range: 2000
    num-queries-per-thread: 1000
    jostle-timeout: 10000
remote-control:
    control-enable: no
"""

BIND = """
options {{
    directory "{folder}";
    pid-file "{folder}/named.pid";
    session-keyfile "{folder}/session.key";
    managed-keys-directory "{folder}";
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    allow-query {{ any; }};
    allow-recursion {{ any; }};
    recursion yes;
    minimal-responses no;
    dnssec-validation yes;
    recursive-clients 2000;
}};
controls {{ }};
zone "." {{ type hint; file "{hints}"; }};
trust-anchors {{ {anchors} }};
"""

KNOT = """
net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
cache.size = 64 * MB
trust_anchors.remove('.')
trust_anchors.add([[{anchor}]])
modules.load('hints')
hints.root({{ {roots} }})
"""


class Resolver:
    """One process and where it listens. `command` is what starts it."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None

    def start(self, command):
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen(command, cwd=self.folder, env=servers.environment(), stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out)

    def stop(self):
        if self.process is not None:
            processes.stop(processes.identity(self.process.pid))

    def wait_until_ready(self):
        query = dns.message.make_query("nlx.", "SOA")
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                break
            try:
                if dns.query.udp(query, "127.0.0.1", port=self.port, timeout=2).answer:
                    return
            except (dns.exception.DNSException, OSError):
                pass
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not answer; see {self.folder}")


class Mxtrust(Resolver):
    def __init__(self, name, folder, state):
        super().__init__(name, folder)
        self.daemon = OneWorker(state, dns_port=self.port, log_level="error")

    def start(self):
        self.daemon.start()

    def stop(self):
        self.daemon.__exit__()


class Unbound(Resolver):
    def __init__(self, name, folder, state):
        super().__init__(name, folder)
        path = self.folder / "unbound.conf"
        path.write_text(UNBOUND.format(folder=self.folder, port=self.port, hints=state / "hints", anchors=state / "anchors"))
        self.command = [servers.tool("unbound"), "-d", "-c", str(path)]

    def start(self):
        super().start(self.command)


class Bind(Resolver):
    def __init__(self, name, folder, state):
        super().__init__(name, folder)
        anchors = [line.split() for line in (state / "anchors").read_text().splitlines()]
        written = " ".join(f'{owner} static-ds {tag} {algorithm} {digest} "{data}";'
                           for owner, _, _, tag, algorithm, digest, data in anchors)
        path = self.folder / "named.conf"
        path.write_text(BIND.format(folder=self.folder, port=self.port, hints=state / "hints", anchors=written))
        self.command = [servers.tool("named"), "-g", "-n", "1", "-c", str(path)]

    def start(self):
        super().start(self.command)


class Knot(Resolver):
    """Looks for its Lua files in /usr/lib and for a root key in /usr/share only: what was unpacked is laid over both, in
    a mount namespace of its own."""

    def __init__(self, name, folder, state):
        super().__init__(name, folder)
        roots = ", ".join(f"['{name}.'] = {{ '{four}', '{six}' }}" for name, four, six in infrastructure.SERVER_GROUPS["root"])
        path = self.folder / "kresd.conf"
        path.write_text(KNOT.format(port=self.port, anchor=(state / "anchors").read_text().strip(), roots=roots))
        kresd = shlex.join([servers.tool("kresd"), "-n", "-c", str(path), str(self.folder)])
        laid = " && ".join(f"mount -t overlay overlay -o lowerdir={shlex.quote(str(servers.TOOLS))}{part}:{part} {part}"
                           for part in ("/usr/lib", "/usr/share"))
        self.command = ["unshare", "--mount", "sh", "-c", f"{laid} && exec {kresd}"]

    def start(self):
        super().start(self.command)


def free_port():
    """A port that nobody in the namespace uses now, for UDP and TCP."""
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
        stream.bind(("127.0.0.1", 0))
        datagram.bind(stream.getsockname())
        return stream.getsockname()[1]


def all_of(folder, state):
    made = {"mxtrust": Mxtrust, "unbound": Unbound, "knot": Knot, "bind": Bind}
    return [kind(name, os.path.join(folder, name), state) for name, kind in made.items()]
