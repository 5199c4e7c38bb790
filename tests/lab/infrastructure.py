"""The lab's own internet: root, TLDs, name server hosts and the providers whose hosts many mail domains point to."""

# Name server groups: the names of their servers and those servers' addresses (IPv4, IPv6; None where it has none).
# The name "*" means: below the zone itself, with glue in the parent.
SERVER_GROUPS = {
    "root": [("a.root.lab", "198.51.100.1", "2001:db8:53::1"), ("b.root.lab", "198.51.100.2", "2001:db8:53::2")],
    "tld": [("ns1.tld.lab", "198.51.100.11", "2001:db8:53::11"), ("ns2.tld.lab", "198.51.100.12", "2001:db8:53::12")],
    "host": [("ns1.host.lab", "198.51.100.21", "2001:db8:53::21"), ("ns2.host.lab", "198.51.100.22", "2001:db8:53::22")],
    "own": [("ns1.*", "198.51.100.31", "2001:db8:53::31"), ("ns2.*", "198.51.100.32", "2001:db8:53::32")],
    "four": [("ns1.four.lab", "198.51.100.41", None), ("ns2.four.lab", "198.51.100.42", None)],
    "six": [("ns1.six.lab", None, "2001:db8:53::51"), ("ns2.six.lab", None, "2001:db8:53::52")],
}

# Which process serves which groups. Parents and children are kept apart, so that each must be asked its own part.
PROCESSES = {"root": ["root"], "tld": ["tld"], "host": ["host", "own", "four", "six"]}

# The name server that scripted servers ask for correct answers; only they reach it.
BACK_ADDRESS = "127.0.0.53"
BACK_PORT = 5300

# Scripted domains have two servers each, with addresses from here; mail hosts have theirs from there.
SCRIPTED_NETWORKS = ("203.0.113.", "2001:db8:66::")
MAIL_NETWORKS = ("192.0.2.", "2001:db8:25::")

TLDS = {
    "lab": dict(algorithm=13, denial="nsec"),
    "nlx": dict(algorithm=13, denial="nsec"),
    "dex": dict(algorithm=8, denial="nsec3", keys="split"),
    "comx": dict(algorithm=13, denial="optout", keys="split"),
    "orgx": dict(algorithm=10, denial="nsec"),
    "eux": dict(algorithm=14, denial="nsec3", iterations=5),
    "infox": dict(algorithm=15, denial="nsec"),
    "netx": dict(algorithm=16, denial="nsec3"),
    "oldx": dict(algorithm=0),
}


def name_server_records():
    lines = []
    for servers in SERVER_GROUPS.values():
        for name, four, six in servers:
            if not name.endswith(".lab"):
                continue
            host = name.removesuffix(".lab")
            if four:
                lines.append(f"{host} A {four}")
            if six:
                lines.append(f"{host} AAAA {six}")
    return "\n".join(lines)


def build(world):
    world.zone("", servers="root", algorithm=8, keys="split", soa_minimum=900)
    for name, options in TLDS.items():
        records = name_server_records() if name == "lab" else ""
        world.zone(name, records, servers="tld", soa_minimum=900, **options)
    # A provider with DANE: two hosts, and a name for shared TLSA records.
    world.zone("mailhost.nlx", """
        @ MX 10 mx1
        HOST mx1
        HOST mx2
        TLSA mx1 3 1 1 server
        TLSA mx2 3 1 1 server
        _dane TLSA 3 1 1 server
        """, servers="own")
    # A signed provider without TLSA.
    world.zone("plainhost.nlx", "HOST mx1\nHOST mx2\n", servers="own", denial="nsec3")
    # An unsigned provider; its TLSA records prove nothing.
    world.zone("legacy.oldx", """
        HOST mx1
        TLSA mx1 3 1 1 server
        _dane TLSA 3 1 1 server
        """, algorithm=0)
    # A signed provider with one insecurely delegated zone inside.
    world.zone("bighost.nlx", "HOST mx1\nTLSA mx1 3 1 1 server\n", servers="own")
    world.zone("island.bighost.nlx", "HOST mx\nTLSA mx 3 1 1 server\n", algorithm=0)
    # Aliases of whole domains, signed and unsigned.
    world.zone("aliases.nlx", """
        to-dane CNAME dane-ee.nlx.
        to-plain CNAME plain.oldx.
        mx CNAME mx1.mailhost.nlx.
        """)
    world.zone("aliases.oldx", """
        to-dane CNAME dane-ee.nlx.
        mx CNAME mx1.mailhost.nlx.
        """, algorithm=0)
    # A provider that has moved: everything below old.moved.nlx is now below mailhost.nlx.
    world.zone("moved.nlx", "old DNAME mailhost.nlx.\n")
    # Next-hops given in brackets.
    world.zone("relay.nlx", """
        HOST smart
        _587._tcp.smart TLSA 3 1 1 server
        HOST bare
        """)
