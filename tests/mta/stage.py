"""Everything that runs: a daemon, the receivers, a sender for each door; and in which order it ends."""
import re

from lab import daemon as lab_daemon
from lab import loopback
from mta import exim, place, postfix, table

# An MTA's resolv.conf has no room for a port.
(RESOLVER,) = loopback.addresses(1)
START_TIMEOUT = 60.0
# What is no domain of the lab and takes mail at another port.
OTHER_PORTS = {"smart.relay.nlx": 587}


class Daemon(lab_daemon.Daemon):
    """On an address of its own and port 53."""

    def configuration(self):
        return super().configuration().replace('"127.0.0.1:53"', f'"{RESOLVER}:53"')


def read_addresses(state):
    """host → its addresses"""
    addresses = {}
    for line in (state / "hosts.tsv").read_text().splitlines():
        host, *listed = line.split("\t")
        addresses[host] = [address for address in listed if address != "-"]
    return addresses


def receiver_hosts(state, addresses):
    """(address, port, kind) of all mail hosts of the lab."""
    kinds = {}
    for line in (state / "domains.tsv").read_text().splitlines():
        domain, _, kind, _ = line.split("\t")
        if kind not in ("", "server"):
            kinds[domain] = kind
    hosts = []
    for host, listed in addresses.items():
        kind = next((kind for domain, kind in kinds.items() if host == domain or host.endswith("." + domain)), "server")
        ports = [25] + ([OTHER_PORTS[host]] if host in OTHER_PORTS else [])
        hosts += [(address, port, kind) for address in listed for port in ports]
    return hosts


def route_of(next_hop):
    """(host or address, port) of a next-hop in brackets"""
    host, port = re.fullmatch(r"\[(.*?)\](?::(\d+))?", next_hop).groups()
    return host, int(port or 25)


class Stage:
    def __init__(self, state, folder):
        self.state, self.folder = state, folder
        self.started = []
        self.addresses = read_addresses(state)
        place.furnish(folder, RESOLVER)
        self.daemon = Daemon(state, folder=folder / "mxtrust", dns_port=53)
        self.begin(self.daemon)
        hosts = receiver_hosts(state, self.addresses)
        broken = [address for address, _, kind in hosts if kind == "starttls-454"]
        rest = [one for one in hosts if one[2] != "starttls-454"]
        self.receivers = self.begin(postfix.receivers(folder / "receivers", state / "pki", rest))
        self.started.append(exim.receiver(folder / "receiver-454", broken))
        self.doors = self.senders()
        place.wait_for("the receivers listen", lambda: all(postfix.greets(address) for address in (broken[0], rest[-1][0])), START_TIMEOUT)

    def senders(self):
        exim_routes = {domain: route_of(hop) for hop, domain in table.ROUTED.items()}
        doors = {
            "postfix-dns": self.postfix("postfix-dns", "postfix-dns.cf"),
            "postfix-socketmap": self.postfix("postfix-socketmap", "postfix-socketmap.cf"),
            "exim-dns": exim.Sender(self.folder / "exim-dns", self.lines("exim-dns.conf"), exim_routes),
            "exim-readsocket": exim.Sender(self.folder / "exim-readsocket", self.lines("exim-readsocket.conf"), exim_routes),
        }
        if place.NEWER.exists():
            doors["postfix-tlsrpt"] = self.postfix("postfix-tlsrpt", "postfix-socketmap-tlsrpt.cf", programs=place.NEWER)
            doors["postfix-3.10-dns"] = self.postfix("postfix-3.10-dns", "postfix-dns.cf", programs=place.NEWER)
        return doors

    def lines(self, name):
        return place.lines(name, self.daemon.folder)

    def postfix(self, name, lines, **more):
        """A sender with the lines of a file, running."""
        routes = {domain: hop for hop, domain in table.ROUTED.items()}
        return self.begin(postfix.sender(self.folder / name, self.lines(lines), routes=routes, **more))

    def begin(self, instance):
        self.started.append(instance)
        instance.start()
        return instance

    def arrived(self, recipient):
        return postfix.arrivals(self.receivers.text()).get(recipient, [])

    def end(self):
        while self.started:
            self.started.pop().stop()
