"""Port 53 of the authorities, closed to one account: as in networks that let only their own resolvers ask. The account's routes to them
lead nowhere; everybody else's, the forwarders' too, are as before."""
import subprocess

ACCOUNT = "nobody"
NUMBER = 65534
FAMILIES = (("-4", ("198.51.100.0/24", "203.0.113.0/24")), ("-6", ("2001:db8::/32",)))
FIRST, LOCAL = 100, 200     # priorities: ours goes before the local table, which is at 0 by default and cannot be preceded there


def ip(family, *words):
    subprocess.run(["ip", family, "rule", *words], check=True)


class Blockade:
    """`with Blockade():` from inside the namespace."""

    def __enter__(self):
        for family, networks in FAMILIES:
            ip(family, "add", "pref", str(LOCAL), "lookup", "local")
            ip(family, "del", "pref", "0", "lookup", "local")
            for network in networks:
                ip(family, "add", "pref", str(FIRST), "uidrange", f"{NUMBER}-{NUMBER}", "to", network, "blackhole")
        return self

    def __exit__(self, *_):
        for family, networks in FAMILIES:
            for _network in networks:
                ip(family, "del", "pref", str(FIRST))
            ip(family, "add", "pref", "0", "lookup", "local")
            ip(family, "del", "pref", str(LOCAL))
