"""Postfix from the unpacked packages: senders that ask mxtrust, and the receivers that present what the lab's hosts are to present."""
import re
import socket
import subprocess

from mta import place

# name, type, wake-up time, process limit, program: what mail to and from remote hosts needs
SERVICES = """
pickup    unix  n - n 1 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - {senders} smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
scache    unix  - - n - 1 scache
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""
START_TIMEOUT = 60.0
SENDERS = 50
# What one kind of receiver presents: the stem of its certificate, and whether it sends the authority's, too.
WITH_AUTHORITY = ("leaf-expired", "leaf-wrong-name", "leaf-nexthop")
# Kinds that present the right certificate to who names the right host (SNI), and a stale one else.
SNI_HOSTS = {"sni": "host.alias-sni.nlx"}


class Postfix:
    """One instance below FOLDER. PROGRAMS: where the package is unpacked."""

    def __init__(self, folder, settings, services="", programs=place.TOOLS, senders=SENDERS):
        self.folder = place.directory(folder, "root", "root", 0o755)
        self.programs = programs
        self.queue = place.directory(folder / "queue", "root", "root", 0o755)
        self.data = place.directory(folder / "data")
        self.etc = place.directory(folder / "etc", "root", "root", 0o755)
        self.log = folder / "mail.log"
        for name in "active bounce corrupt defer deferred flush hold incoming private saved trace".split():
            place.directory(self.queue / name)
        place.directory(self.queue / "pid", "root", "root", 0o755)
        place.directory(self.queue / "public", "postfix", "postdrop", 0o710)
        place.directory(self.queue / "maildrop", "postfix", "postdrop", 0o1730)
        usual = {
            "compatibility_level": "3.6", "queue_directory": self.queue, "data_directory": self.data,
            "daemon_directory": programs / "usr/lib/postfix/sbin", "command_directory": programs / "usr/sbin",
            "shlib_directory": programs / "usr/lib/postfix", "meta_directory": self.etc, "maillog_file": self.log,
            "maillog_file_prefixes": folder, "import_environment": "MAIL_CONFIG LANG=C TZ LD_LIBRARY_PATH",
            "export_environment": "TZ MAIL_CONFIG LANG LD_LIBRARY_PATH",
            "mydestination": "", "alias_maps": "", "alias_database": "", "local_recipient_maps": "", "smtputf8_enable": "yes",
            "inet_protocols": "all", "notify_classes": "", "minimal_backoff_time": "1h", "maximal_backoff_time": "1h",
        }
        lines = [f"{key} = {value}" for key, value in {**usual, **settings}.items()]
        (self.etc / "main.cf").write_text("\n".join(lines) + "\n")
        (self.etc / "master.cf").write_text(SERVICES.format(senders=senders) + services)
        (self.etc / "dynamicmaps.cf").write_text("")
        # The libraries of each version lie beside its programs, under the same names.
        self.environment = {"MAIL_CONFIG": str(self.etc), "LD_LIBRARY_PATH": str(programs / "usr/lib/postfix")}
        self.running = None

    def start(self):
        self.running = place.Running([str(self.programs / "usr/lib/postfix/sbin/master"), "-c", str(self.etc), "-d"],
                                     self.folder / "master.log", **self.environment)
        place.wait_for("Postfix starts", lambda: "daemon started" in self.text(), START_TIMEOUT, [self.running])
        return self

    def stop(self):
        if self.running is not None:
            self.running.stop()

    def text(self):
        try:
            return self.log.read_text(errors="replace")
        except OSError:
            return ""

    def send(self, recipient):
        """With the null sender, so that nothing comes back."""
        subprocess.run([str(self.programs / "usr/sbin/sendmail"), "-C", str(self.etc), "-f", "", "-i", recipient],
                       input=f"Subject: for the test\n\nhello\n", text=True, check=True, timeout=30,
                       env=place.environment(**self.environment))

    def outcome(self, recipient):
        return outcome(self.text(), recipient)


def outcome(log, recipient):
    """(status, trust, what the log says) of a message, or None while it is under way. Trust is the word before "TLS connection
    established", "clear" where there was no TLS; Postfix's dsn where nothing was sent."""
    final = None
    trust_of = {}  # by process: the last connection it made
    for line in log.splitlines():
        if match := re.search(r"postfix/smtp\[(\d+)\]: (\w+) TLS connection established to", line):
            trust_of[match[1]] = match[2].lower()
        elif match := re.search(r"postfix/\w+\[(\d+)\]: \w+: to=<([^>]*)>, .*dsn=([\d.]+), status=(\w+) (\(.*\))$", line):
            if match[2] == recipient:
                trust = trust_of.get(match[1], "clear")
                final = match[4], trust if match[4] == "sent" else match[3], match[5]
            # A process takes one message after the other: what it found out for one says nothing of the next.
            trust_of.pop(match[1], None)
    return final


def settings_of(text):
    """A main.cf without continued lines, as a dictionary."""
    pairs = [line.split("=", 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {key.strip(): value.strip() for key, value in pairs}


def sender(folder, text, programs=place.TOOLS, routes=None, senders=SENDERS, **settings):
    """TEXT: the lines of main.cf that are tested. ROUTES: domain → next-hop, as in a transport map."""
    transport = " ".join(f"{{{domain}=smtp:{hop}}}" for domain, hop in (routes or {}).items())
    return Postfix(folder, {
        "myhostname": "sender.lab", "mynetworks": "127.0.0.0/8", "inet_interfaces": "127.0.0.1", "smtp_connect_timeout": "3s",
        "smtp_helo_timeout": "20s", "smtp_tls_loglevel": "1", "transport_maps": f"inline:{{ {transport} }}" if transport else "", **settings_of(text), **settings},
        programs=programs, senders=senders)


def greets(address):
    """Does somebody who speaks SMTP listen there?"""
    try:
        with socket.create_connection((address, 25), 2.0) as probe:
            return probe.recv(100).startswith(b"220 ")
    except OSError:
        return False


def chain_file(certificates, pki, stem):
    chain = certificates / f"{stem}.pem"
    if not chain.exists():
        parts = [pki / f"{stem}.key", pki / f"{stem}.crt"] + ([pki / "ca.crt"] if stem in WITH_AUTHORITY else [])
        chain.write_text("".join(part.read_text() for part in parts))
    return chain


def receivers(folder, pki, hosts):
    """HOSTS: (address, port, kind). One service for each, with the certificate that its kind says; everything is accepted and
    dropped, and the log names the address that took it."""
    services = ""
    certificates = folder / "certificates"
    certificates.mkdir(parents=True)
    for address, port, kind in hosts:
        services += f"{'[' + address + ']' if ':' in address else address}:{port} inet n - n - - smtpd\n"
        services += f"  -o syslog_name=at={address.replace(':', '_')}={port}\n"
        if kind == "no-starttls":
            services += "  -o smtpd_tls_security_level=none\n"
            continue
        stem = "stale" if kind in SNI_HOSTS else kind
        services += f"  -o smtpd_tls_security_level=may -o smtpd_tls_chain_files={chain_file(certificates, pki, stem)}\n"
        if kind in SNI_HOSTS:
            services += f"  -o tls_server_sni_maps=inline:{{{SNI_HOSTS[kind]}={chain_file(certificates, pki, 'server')}}}\n"
    return Postfix(folder, {
        "myhostname": "receiver.lab", "mynetworks": "0.0.0.0/0 [::]/0", "inet_interfaces": "all", "default_transport": "discard",
        "smtpd_recipient_restrictions": "permit", "smtpd_relay_restrictions": "permit_mynetworks reject", "smtpd_peername_lookup": "no",
        "smtpd_tls_loglevel": "1", "default_process_limit": "100", "smtpd_client_connection_count_limit": "0"}, services)


def arrivals(log):
    """recipient → [(address, port, "tls" or "clear")]: where each message arrived, as the receivers tell it."""
    is_tls, place_of, arrived = {}, {}, {}
    for line in log.splitlines():
        if match := re.search(r" at=([\w.]+)=(\d+)/smtpd\[(\d+)\]: (.*)$", line):
            address, port, process, text = match[1].replace("_", ":"), int(match[2]), match[3], match[4]
            if text.startswith(("connect from", "disconnect from")):
                is_tls[process] = False
            elif "TLS connection established from" in text:
                is_tls[process] = True
            elif taken := re.match(r"(\w+): client=", text):
                place_of[taken[1]] = address, port, "tls" if is_tls.get(process) else "clear"
        elif match := re.search(r"postfix/discard\[\d+\]: (\w+): to=<([^>]*)>", line):
            arrived.setdefault(match[2], []).append(place_of.get(match[1], ("nowhere", 0, "clear")))
    return arrived
