"""What runs: a daemon, Postfix and Exim as receivers, the played servers. And how `mxtrust check` is called."""
import json
import subprocess

import built
from check import played
from lab import lifecycle
from mta import exim, place, postfix
from mta.stage import RESOLVER, START_TIMEOUT, Daemon, read_addresses, receiver_hosts

# Whose servers are real. (All others of the lab have none here.)
REAL = ("dane-ee.nlx", "dane-ee-stale.nlx", "dane-no-starttls.nlx", "dane-starttls-454.nlx", "dane-ee-expired-cert.nlx",
        "dane-ta-expired-leaf.nlx", "dane-ta-wrong-name.nlx", "dane-ta-nexthop-name.nlx", "dane-ta-root-unsent.nlx", "dane-ta-bare-key.nlx",
        "alias-sni.nlx", "tlsa-stale-sha256.nlx", "tlsa-stale-sha512.nlx", "tlsa-pkix-beside-ee.nlx", "one-tlsa-bogus.nlx")


class Stage:
    def __init__(self, state, folder):
        self.state, self.folder, self.started = state, folder, []
        lifecycle.build_world()
        addresses = read_addresses(state)
        place.furnish(folder, RESOLVER)
        self.daemon = Daemon(state, folder=folder / "mxtrust", dns_port=53)
        self.begin(self.daemon)
        mine = {host: listed for host, listed in addresses.items() if host.endswith(tuple("." + domain for domain in REAL))}
        hosts = receiver_hosts(state, mine)
        broken = [address for address, _, kind in hosts if kind == "starttls-454"]
        rest = [one for one in hosts if one[2] != "starttls-454"]
        self.begin(postfix.receivers(folder / "receivers", state / "pki", rest))
        self.started.append(exim.receiver(folder / "receiver-454", broken))
        self.played = played.start(state / "pki", folder)
        self.started += self.played.values()
        place.wait_for("the receivers listen", lambda: all(postfix.greets(address) for address in (broken[0], rest[-1][0])), START_TIMEOUT)

    def begin(self, one):
        self.started.append(one)
        return one.start()

    def end(self):
        for one in reversed(self.started):
            one.stop()

    def check(self, *words, timeout=60):
        """(status, standard output, standard error)"""
        command = [str(built.CLIENT), "check", "--socket", str(self.daemon.socket_path), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def report(self, *words):
        status, out, error = self.check("--json", *words)
        try:
            return status, json.loads(out)
        except ValueError:
            return status, {"tests": [], "error": f"no JSON: {out[:200]} {error[:300]}"}
