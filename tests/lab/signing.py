"""Turns the world's zones into signed zone files. ldns-signzone makes every signature.

What no signer would make (an expired signature in a fresh zone, an algorithm nobody knows) is made by taking single
lines from a second signing of the same zone, or by rewriting lines of the result. Times are real: signatures begin an
hour before now.
"""

import concurrent.futures
import hashlib
import pathlib
import re
import subprocess
import time

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from lab import infrastructure

ALGORITHMS = {7: "RSASHA1-NSEC3-SHA1", 8: "RSASHA256", 10: "RSASHA512", 13: "ECDSAP256SHA256", 14: "ECDSAP384SHA384",
              15: "ED25519", 16: "ED448"}
HOUR = 3600
DAY = 24 * HOUR
# Validity by name, relative to now: (inception, expiration). Validators forgive a skew: Unbound a tenth of the
# validity, up to a day. These dates are wrong by more.
DATES = {"valid": (-HOUR, 14 * DAY), "expired": (-10 * DAY, -3 * DAY), "future": (3 * DAY, 14 * DAY),
         "soon": (-HOUR, 20 * HOUR)}


def fqdn(name):
    return name + "." if name else "."


def absolute(name, zone):
    """NAME as the zone file means it, with the final dot."""
    if name == "@":
        return fqdn(zone.name)
    return name if name.endswith(".") else name + "." + fqdn(zone.name)


def file_name(zone):
    return zone.name or "root"


class Signer:
    def __init__(self, world, directory, associations, now=None):
        self.world = world
        self.directory = pathlib.Path(directory)
        self.associations = associations
        self.now = int(now or time.time())
        self.next_address = 1
        self.addresses = {}  # host without final dot -> [addresses], for hosts given addresses of their own
        self.servers = {}  # scripted zone -> [(IPv4, IPv6), ...]
        self.keys = {}  # zone -> [base names of its key files]
        self.unloadable = {}  # zone -> RRSIG line of the TLSA RRset that a name server cannot load
        for folder in ("keys", "unsigned", "signed"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)

    def run(self):
        zones = list(self.world.zones.values())
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for zone, keys in zip(zones, pool.map(self.make_keys, zones)):
                self.keys[zone.name] = keys
            number = 10
            for zone in zones:
                if zone.servers == "scripted":
                    four, six = infrastructure.SCRIPTED_NETWORKS
                    self.servers[zone.name] = [(f"{four}{n}", f"{six}{n}") for n in (number, number + 1)]
                    number += 2
            assert number < 255, "too many scripted zones for their network"
            texts = [self.text(zone) for zone in zones]
            list(pool.map(self.sign, zones, texts))

    # Keys

    def make_keys(self, zone):
        if not zone.signed:
            return []
        keys = [self.make_key(zone, ["-k"])]
        if zone.keys == "split":
            keys.append(self.make_key(zone, []))
        return keys

    def make_key(self, zone, options):
        size = ["-b", "2048"] if zone.algorithm in (5, 7, 8, 10) else []
        command = ["ldns-keygen", "-a", ALGORITHMS[zone.algorithm], *size, *options, fqdn(zone.name)]
        made = subprocess.run(command, cwd=self.directory / "keys", check=True, capture_output=True, text=True)
        return made.stdout.strip()

    def key_signing_key(self, zone):
        """The DNSKEY that the parent's DS points to, as it is published."""
        text = (self.directory / "keys" / (self.keys[zone.name][0] + ".key")).read_text()
        fields = text.split(";")[0].split()
        algorithm = zone.algorithm_shown or zone.algorithm
        return dns.rdata.from_text("IN", "DNSKEY", f"{zone.flags_shown or fields[3]} 3 {algorithm} {' '.join(fields[6:])}")

    def delegation_signers(self, zone):
        """DS rdata for the parent, one for each word of zone.ds."""
        if not zone.signed and zone.ds == "good":
            return []
        name = dns.name.from_text(fqdn(zone.name))
        made = []
        for kind in zone.ds.split():
            if kind == "none":
                continue
            if kind == "stale":
                made.append(f"4711 13 2 {'5a' * 32}")
                continue
            number, function = {"sha1": (1, hashlib.sha1), "sha384": (4, hashlib.sha384), "good": (2, hashlib.sha256),
                                "wrong-sha256": (2, hashlib.sha256), "digest-200": (200, hashlib.sha256)}[kind]
            key = self.key_signing_key(zone)
            digest = function(name.to_digestable() + key.to_digestable()).hexdigest()
            if kind == "wrong-sha256":
                digest = digest[:-4] + ("0000" if not digest.endswith("0000") else "1111")
            made.append(f"{dns.dnssec.key_id(key)} {key.algorithm:d} {number} {digest}")
        return made

    def anchors(self):
        return [f". IN DS {text}" for text in self.delegation_signers(self.world.zones[""])]

    # Zone text

    def address(self, host, family):
        """A fresh address for HOST; its A and its AAAA end in the same number."""
        four, six = infrastructure.MAIL_NETWORKS
        known = self.addresses.setdefault(host, {})
        if "number" not in known:
            known["number"] = self.next_address
            self.next_address += 1
            assert self.next_address < 255, "too many mail hosts for their network"
        known[family] = f"{four}{known['number']}" if family == "A" else f"{six}{known['number']}"
        return known[family]

    def name_servers(self, zone):
        """(name, IPv4, IPv6, whether it lies in the zone) for each server of the zone."""
        own = f".{zone.name}" if zone.name else ""
        if zone.servers == "scripted":
            return [(f"ns{n}{own}", four, six, True) for n, (four, six) in enumerate(self.servers[zone.name], 1)]
        group = infrastructure.SERVER_GROUPS[zone.servers]
        return [(name.replace(".*", own), four, six, name.endswith(".*")) for name, four, six in group]

    def delegation(self, zone):
        """The lines by which the parent delegates ZONE, without DS."""
        lines = []
        for name, four, six, inside in self.name_servers(zone):
            lines.append(f"{fqdn(zone.name)} NS {name}.")
            # lab's name servers serve the lab itself: those of the root and of lab need glue in the root.
            if inside or zone.servers in ("root", "tld"):
                lines += [f"{name}. A {four}"] if four else []
                lines += [f"{name}. AAAA {six}"] if six else []
        return lines

    def text(self, zone):
        """(zone file text, lines that are added only after signing)."""
        lines = [f"$ORIGIN {fqdn(zone.name)}", "$TTL 3600",
                 f"@ SOA ns1.host.lab. hostmaster.lab. {self.now} 7200 900 1209600 {zone.soa_minimum}"]
        for name, four, six, inside in self.name_servers(zone):
            lines.append(f"@ NS {name}.")
            if inside:
                lines += [f"{name}. A {four}"] if four else []
                lines += [f"{name}. AAAA {six}"] if six else []
        if zone.servers == "root":
            lines += [line for line in self.delegation(zone) if " NS " not in line]
        for line in zone.records.splitlines():
            lines += self.record(line.strip(), zone)
        late = []
        for child in self.world.children_of(zone.name):
            signers = self.delegation_signers(child)
            # RFC 5155 6: with opt-out an insecure delegation has no NSEC3. ldns-signzone would give it one.
            target = late if zone.denial == "optout" and not signers else lines
            target += self.delegation(child)
            target += [f"{fqdn(child.name)} DS {text}" for text in signers]
        return "\n".join(dict.fromkeys(lines)) + "\n", late

    def record(self, line, zone):
        """One line of a zone's records in the shorthand of model.py -> lines of a zone file."""
        fields = line.split()
        if not fields:
            return []
        if fields[0] == "HOST":
            return self.record(f"{fields[1]} A", zone) + self.record(f"{fields[1]} AAAA", zone)
        if fields[0] == "TLSA":
            owner = "_25._tcp" if fields[1] == "@" else f"_25._tcp.{fields[1]}"
            return self.record(f"{owner} TLSA {' '.join(fields[2:])}", zone)
        if len(fields) == 2 and fields[1] in ("A", "AAAA"):
            host = absolute(fields[0], zone).rstrip(".")
            return [f"{fields[0]} {fields[1]} {self.address(host, fields[1])}"]
        if "TLSA" in fields:
            data = self.associations.data(int(fields[-3]), int(fields[-2]), fields[-1].strip("{}"))
            # The matching type stands before the data; data stands for itself.
            return [" ".join(fields[:-1] + [data])]
        return [line]

    # Signing

    def sign(self, zone, text_and_late):
        text, late = text_and_late
        source = self.directory / "unsigned" / file_name(zone)
        source.write_text(text)
        target = self.directory / "signed" / file_name(zone)
        if not zone.signed:
            target.write_text(text)
            return
        lines = self.signed_lines(zone, source, zone.dates)
        for what, kind in zone.sigs.items():
            lines = self.spoil(zone, source, lines, what, kind)
        lines = [self.loadable(zone, line) for line in lines]
        if zone.algorithm_shown or zone.flags_shown:
            lines = [self.show_key(zone, line) for line in lines]
        target.write_text(f"$ORIGIN {fqdn(zone.name)}\n$TTL 3600\n" + "\n".join(lines + late) + "\n")

    def signed_lines(self, zone, source, dates):
        begin, end = DATES[dates]
        target = self.directory / "unsigned" / f"{file_name(zone)}.{dates}"
        denial = {"nsec": [], "nsec3": ["-n"], "optout": ["-n", "-p"]}[zone.denial]
        if denial:
            denial += ["-t", str(zone.iterations)]
        command = ["ldns-signzone", *denial, "-i", stamp(self.now + begin), "-e", stamp(self.now + end),
                   "-o", fqdn(zone.name), "-f", str(target.resolve()), str(source.resolve()), *self.keys[zone.name]]
        done = subprocess.run(command, cwd=self.directory / "keys", capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"ldns-signzone failed for {fqdn(zone.name)}: {done.stderr.strip()}")
        return target.read_text().splitlines()

    def spoil(self, zone, source, lines, what, kind):
        """Replaces the signature of one RRset."""
        owner, rrtype = what.split()
        pattern = re.compile(rf"{re.escape(absolute(owner, zone))}\t\d+\tIN\tRRSIG\t{rrtype} ")
        index = [n for n, line in enumerate(lines) if pattern.match(line)]
        assert len(index) == 1, f"{zone.name}: {what} has {len(index)} signatures"
        if kind == "missing":
            return lines[:index[0]] + lines[index[0] + 1:]
        if kind == "corrupt":
            changed = corrupt(lines[index[0]])
        elif kind in FALSE_FIELDS:
            changed = with_field(lines[index[0]], FALSE_FIELDS[kind](self.world, zone))
        else:
            changed = next(line for line in self.signed_lines(zone, source, kind) if pattern.match(line))
        return lines[:index[0]] + [changed] + lines[index[0] + 1:]

    def loadable(self, zone, line):
        """NSD reads a TLSA record without association data only in the notation for unknown types, and one without
        any rdata not at all: that one is left to the scripted server."""
        if re.search(r"\tTLSA\t\d+ \d+ \d+ *$", line):
            usage, selector, matching = (int(field) for field in line.split()[-3:])
            return re.sub(r"\tTLSA\t.*", rf"\tTYPE52\t\\# 3 {usage:02x}{selector:02x}{matching:02x}", line)
        if line.endswith("\tTLSA\t\\# 0"):
            self.unloadable[zone.name] = ""
            return ";" + line
        if zone.name in self.unloadable and "\tRRSIG\tTLSA " in line:
            self.unloadable[zone.name] = line
            return ";" + line
        return line

    def show_key(self, zone, line):
        """The keys with the algorithm or the flags that are shown, and the signatures with that algorithm and the key tag that follows."""
        fields = line.split("\t")
        if len(fields) < 5 or fields[3] not in ("DNSKEY", "RRSIG"):
            return line
        words = fields[4].split(";")[0].split()
        if zone.algorithm_shown:
            words[{"DNSKEY": 2, "RRSIG": 1}[fields[3]]] = str(zone.algorithm_shown)
        if zone.flags_shown and fields[3] == "DNSKEY":
            words[0] = str(zone.flags_shown)
        if fields[3] == "RRSIG":
            words[6] = str(dns.dnssec.key_id(self.key_signing_key(zone)))
        return "\t".join(fields[:4] + [" ".join(words)])


def stamp(seconds):
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds))


def with_field(line, number_and_value):
    """The line of a signature with another value in one field of its rdata."""
    number, value = number_and_value
    head, _, rdata = line.rpartition("\t")
    words = rdata.split(" ")
    words[number] = value
    return head + "\t" + " ".join(words)


# What a signer would never write into an RRSIG: the parent as its signer's name, more labels than the owner has.
FALSE_FIELDS = {"signer": lambda world, zone: (7, fqdn(world.parent_of(zone.name).name)), "labels": lambda world, zone: (2, "9")}


def corrupt(line):
    """Changes one character in the middle of a signature's base64."""
    position = line.rindex(" ") + 20
    return line[:position] + ("A" if line[position] != "A" else "B") + line[position + 1:]
