"""Postfix from the unpacked package: a sender that asks mxtrust, and the receivers that present what the lab's hosts are to present."""
import os
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
smtp      unix  - - n - 50 smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
scache    unix  - - n - 1 scache
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""
START_TIMEOUT = 15.0
# What one kind of receiver presents: the stem of its certificate, and whether it sends the authority's, too.
WITH_AUTHORITY = ("leaf-expired", "leaf-wrong-name", "leaf-nexthop")


class Postfix:
    """One instance below FOLDER."""

    def __init__(self, folder, settings, services=""):
        self.folder = folder
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
            "daemon_directory": place.POSTFIX / "sbin", "command_directory": place.TOOLS / "usr/sbin",
            "shlib_directory": place.POSTFIX, "meta_directory": self.etc, "maillog_file": self.log,
            "maillog_file_prefixes": folder, "import_environment": "MAIL_CONFIG LANG=C TZ",
            "mydestination": "", "alias_maps": "", "alias_database": "", "local_recipient_maps": "", "smtputf8_enable": "yes",
            "inet_protocols": "all", "notify_classes": "", "minimal_backoff_time": "1h", "maximal_backoff_time": "1h",
        }
        lines = [f"{key} = {value}" for key, value in {**usual, **settings}.items()]
        (self.etc / "main.cf").write_text("\n".join(lines) + "\n")
        (self.etc / "master.cf").write_text(SERVICES + services)
        (self.etc / "dynamicmaps.cf").write_text("")
        self.running = None

    def start(self):
        self.running = place.Running([str(place.POSTFIX / "sbin/master"), "-c", str(self.etc), "-d"], self.folder / "master.log",
                                     MAIL_CONFIG=str(self.etc))
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
        subprocess.run([str(place.TOOLS / "usr/sbin/sendmail"), "-C", str(self.etc), "-f", "", "-i", recipient],
                       input=f"Subject: for {recipient}\nTo: {recipient}\n\nhello\n", text=True, check=True, timeout=30,
                       env=place.environment(MAIL_CONFIG=str(self.etc)))


def outcome(log, recipient):
    """(status, trust, what the log says) of a message, or None while it is under way. Trust is the word before "TLS connection
    established", "clear" where there was no TLS."""
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


def sender(folder, **settings):
    return Postfix(folder, {
        "myhostname": "sender.lab", "mynetworks": "127.0.0.0/8", "inet_interfaces": "127.0.0.1", "smtp_host_lookup": "dns",
        "smtp_dns_support_level": "dnssec", "smtp_tls_loglevel": "1", "smtp_connect_timeout": "3s", "smtp_helo_timeout": "20s", **settings})


def greets(address):
    """Does somebody who speaks SMTP listen there?"""
    try:
        with socket.create_connection((address, 25), 2.0) as probe:
            return probe.recv(100).startswith(b"220 ")
    except OSError:
        return False


def receivers(folder, pki, hosts):
    """HOSTS: (address, kind). One service for each, with the certificate that its kind says; everything is accepted and dropped."""
    services = ""
    certificates = folder / "certificates"
    certificates.mkdir(parents=True)
    for address, kind in hosts:
        services += f"{'[' + address + ']' if ':' in address else address}:25 inet n - n - - smtpd\n"
        if kind == "no-starttls":
            services += "  -o smtpd_tls_security_level=none\n"
            continue
        chain = certificates / f"{kind}.pem"
        if not chain.exists():
            parts = [pki / f"{kind}.key", pki / f"{kind}.crt"] + ([pki / "ca.crt"] if kind in WITH_AUTHORITY else [])
            chain.write_text("".join(part.read_text() for part in parts))
        services += f"  -o smtpd_tls_security_level=may -o smtpd_tls_chain_files={chain}\n"
    return Postfix(folder, {
        "myhostname": "receiver.lab", "mynetworks": "0.0.0.0/0 [::]/0", "inet_interfaces": "all", "default_transport": "discard",
        "smtpd_recipient_restrictions": "permit", "smtpd_relay_restrictions": "permit_mynetworks reject", "smtpd_peername_lookup": "no",
        "smtpd_tls_loglevel": "1", "default_process_limit": "100", "smtpd_client_connection_count_limit": "0"}, services)


def arrived(log, recipient):
    return re.search(rf"postfix/discard\[\d+\]: \w+: to=<{re.escape(recipient)}>", log) is not None
