"""What runs: a daemon, Postfix and Exim as receivers, the played servers. And how `mxtrust check` is called."""
import json
import os
import pathlib
import subprocess
import time

import built
from check import played
from lab import lifecycle
from mta import exim, place, postfix
from mta.stage import RESOLVER, START_TIMEOUT, Daemon, read_addresses, receiver_hosts
from sts import web

HERE = pathlib.Path(__file__).resolve().parent

# Whose servers are real. (All others of the lab have none here.)
REAL = ("dane-ee.nlx", "dane-ee-stale.nlx", "dane-no-starttls.nlx", "dane-starttls-454.nlx", "dane-ee-expired-cert.nlx",
        "dane-ta-expired-leaf.nlx", "dane-ta-wrong-name.nlx", "dane-ta-nexthop-name.nlx", "dane-ta-root-unsent.nlx", "dane-ta-bare-key.nlx",
        "alias-sni.nlx", "tlsa-stale-sha256.nlx", "tlsa-stale-sha512.nlx", "tlsa-pkix-beside-ee.nlx", "one-tlsa-bogus.nlx")
# What the daemon's operator says: name of a negative trust anchor; of an exception, and what it is for.
ANCHORS = ("mx-corrupt.nlx", "_25._tcp.mx.tlsa-expired.nlx")
EXCEPTIONS = {"mx.exempt.check.nlx": ("host", "no-dane"), "held.check.nlx": ("domain", "hold")}
# Domain → its policy's mode, and the hosts that it names.
POLICIES = {
    "sts-good.check.nlx": ("enforce", "mx.sts-good.check.nlx"),
    "sts-testing.check.nlx": ("testing", "mx.other.example"),
    "sts-lacks.check.nlx": ("enforce", "mx.other.example"),
    "sts-wrong-name.check.nlx": ("enforce", "mx.sts-wrong-name.check.nlx"),
    "sts-expired.check.nlx": ("enforce", "*.sts-expired.check.nlx"),
    "sts-no-mx.check.nlx": ("enforce", "sts-no-mx.check.nlx"),
}


def configuration(authority):
    """What is added to the daemon's: whom policies' web servers are believed by, and the operator's words."""
    end = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))
    rest = f'reason = "ticket 4711", expires = {end}'
    anchors = ", ".join(f'{{ name = "{name}", {rest} }}' for name in ANCHORS)
    exceptions = ", ".join(f'{{ {kind} = "{name}", action = "{action}", {rest} }}' for name, (kind, action) in EXCEPTIONS.items())
    return (f'allow-loopback-authorities = true\n\n[mail]\nmta-sts-ca-file = "{authority.file}"\n'
            f"[dnssec]\nnegative-trust-anchors = [{anchors}]\n[operator]\nexceptions = [{exceptions}]\n")


class Stage:
    def __init__(self, state, folder):
        self.state, self.folder, self.started = state, folder, []
        lifecycle.build_world()
        addresses = read_addresses(state)
        place.furnish(folder, RESOLVER)
        certificates = folder / "certificates"
        certificates.mkdir()
        self.authority = web.Authority(certificates)
        self.policies()
        self.daemon = Daemon(state, folder=folder / "mxtrust", dns_port=53, extra=configuration(self.authority))
        self.begin(self.daemon)
        mine = {host: listed for host, listed in addresses.items() if host.endswith(tuple("." + domain for domain in REAL))}
        hosts = receiver_hosts(state, mine)
        broken = [address for address, _, kind in hosts if kind == "starttls-454"]
        rest = [one for one in hosts if one[2] != "starttls-454"]
        self.begin(postfix.receivers(folder / "receivers", state / "pki", rest))
        self.started.append(exim.receiver(folder / "receiver-454", broken))
        self.played = played.start(state / "pki", folder, self.authority)
        self.started += self.played.values()
        place.wait_for("the receivers listen", lambda: all(postfix.greets(address) for address in (broken[0], rest[-1][0])), START_TIMEOUT)

    def policies(self):
        """The web server of all policies."""
        # For who asks for a name that it does not have.
        self.authority.context("nobody.example", "self-signed")
        server = web.Web(self.authority)
        self.started.append(server)
        for domain, (mode, hosts) in POLICIES.items():
            server.put(domain, web.Page(f"version: STSv1\nmode: {mode}\nmx: {hosts}\nmax_age: 86400\n"), zone="")

    def begin(self, one):
        self.started.append(one)
        return one.start()

    def end(self):
        for one in reversed(self.started):
            one.stop()

    def check(self, *words, timeout=60):
        """(status, standard output, standard error). Words such as OPENSSL_CONF=file name a file of this directory for the environment."""
        # The Web's authority, for check as for the daemon.
        environment = dict(os.environ, SSL_CERT_FILE=str(self.authority.file))
        environment |= {name: str(HERE / file) for name, file in (word.split("=", 1) for word in words if "=" in word)}
        words = [word for word in words if "=" not in word]
        command = [str(built.CLIENT), "check", "--socket", str(self.daemon.socket_path), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL, env=environment)
        return done.returncode, done.stdout, done.stderr

    def report(self, *words):
        status, out, error = self.check("--json", *words)
        try:
            return status, json.loads(out)
        except ValueError:
            return status, {"tests": [], "error": f"no JSON: {out[:200]} {error[:300]}"}
