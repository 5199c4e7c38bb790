"""Exim from the unpacked package: senders that ask mxtrust over DNS or by readsocket, and a receiver whose STARTTLS fails."""
import re
import subprocess

from mta import place

USUAL = """
primary_hostname = {name}.lab
exim_path = {tools}/usr/sbin/exim4
keep_environment =
add_environment =
spool_directory = {spool}
log_file_path = {folder}/%slog
pid_file_path = {folder}/exim.pid
exim_user = Debian-exim
exim_group = Debian-exim
trusted_users = root
never_users =
deliver_drop_privilege = true
"""
# What goes into each part of the lines that are tested: names, logs, a route to the test's relays, shorter timeouts.
MAIN = """
domainlist local_domains =
local_interfaces = 127.0.0.1
log_selector = +tls_certificate_verified +tls_cipher +dnssec
acl_not_smtp = accept
qualify_domain = sender.lab
"""
ROUTERS = """
relays:
  driver = manualroute
  domains = {domains}
  dnssec_request_domains = *
  transport = remote_smtp
  route_list = {routes}
"""
TRANSPORT = """
  connect_timeout = 3s

begin retry
* * F,1d,1h
"""
# A certificate that cannot be read: STARTTLS is offered, and then answered with 454.
RECEIVER = """
local_interfaces = {addresses}
daemon_smtp_ports = 25
tls_advertise_hosts = *
tls_certificate = {folder}/nothing.pem
acl_smtp_rcpt = accept
acl_smtp_data = accept
host_lookup =
rfc1413_hosts =

begin routers
all:
  driver = redirect
  data = :blackhole:
"""
SUBMISSION = """
domainlist local_domains =
log_selector = +tls_cipher
acl_smtp_rcpt = submission
smtputf8_advertise_hosts =

begin acl
submission:
{acl}
  accept

begin routers
all:
  driver = redirect
  data = :blackhole:
"""


def configuration(folder, name, text, part="exim"):
    place.directory(folder, "Debian-exim", "Debian-exim", 0o755)
    spool = place.directory(folder / f"{part}.spool", "Debian-exim", "Debian-exim", 0o750)
    file = folder / f"{part}.conf"
    file.write_text(USUAL.format(name=name, tools=place.TOOLS, folder=folder, spool=spool) + text)
    file.chmod(0o644)
    return file


def exim(file, *arguments, text):
    return subprocess.run([str(place.TOOLS / "usr/sbin/exim4"), "-C", str(file), *arguments], input=text, text=True,
                          capture_output=True, timeout=90, env=place.environment(), check=False)


class Sender:
    """Every message has a spool of its own: what Exim remembers of a host from one says nothing of the next. TEXT: the lines that are tested. ROUTES: domain → (host or address, port)."""

    def __init__(self, folder, text, routes):
        main, rest = text.split("begin routers", 1)
        routers, transports = rest.split("begin transports", 1)
        listed = " ; ".join(f"{domain} {host}::{port}" for domain, (host, port) in routes.items())
        relays = ROUTERS.format(domains=" : ".join(routes), routes=listed) if routes else ""
        self.folder = folder
        self.configuration = f"{MAIN}{main}begin routers\n{relays}{routers}begin transports{transports}{TRANSPORT}"

    def send(self, recipient):
        """Delivers at once, in the foreground: when this returns, there is an outcome."""
        file = configuration(self.folder, "sender", self.configuration, recipient.partition("@")[2])
        done = exim(file, "-odf", "-f", "<>", "-i", recipient, text=f"Subject: for the test\n\nhello\n")
        if done.returncode != 0:
            raise place.MtaError(f"Exim ended with status {done.returncode}: {done.stderr[-500:]}")

    def text(self):
        texts = [file.read_text(errors="replace") for name in ("main", "panic") if (file := self.folder / f"{name}log").exists()]
        return "".join(texts)

    def outcome(self, recipient):
        return outcome(self.text(), recipient)


def outcome(log, recipient):
    """(status, trust or "-", what the log says). The words are Postfix's, so that one table has both."""
    marks = {"=>": "sent", "->": "sent", "==": "deferred", "**": "bounced"}
    final, told = None, []
    for line in log.splitlines():
        match = re.search(r"^\S+ \S+ (\S+) (=>|->|==|\*\*) (\S+?):? (.*)$", line)
        if match and match[3] == recipient:
            status = marks[match[2]]
            verified = re.search(r"\bCV=(\S+)", match[4])
            trust = "-" if status != "sent" else verified[1] if verified else "clear"
            final = status, trust, match[1], match[4]
    if final is None:
        return None
    for line in log.splitlines():
        if f" {final[2]} " in line and not re.search(r" (<=|Completed)", line):
            told.append(line.split(f" {final[2]} ", 1)[1])
    return final[0], final[1], " | ".join(told)


def receiver(folder, addresses):
    listed = " ; ".join(addresses)
    file = configuration(folder, "receiver", RECEIVER.format(addresses="<; " + listed, folder=folder))
    return place.Running([str(place.TOOLS / "usr/sbin/exim4"), "-C", str(file), "-bdf"], folder / "exim.log")


def submit(folder, acl, recipients):
    """recipient → the first line of the reply to its RCPT, of an Exim with this ACL."""
    file = configuration(folder, "submission", SUBMISSION.format(acl=acl))
    # One command after the other: nothing was said about pipelining, and Exim would mind.
    dialogue = "EHLO client.lab\r\nMAIL FROM:<>\r\n" + "".join(f"RCPT TO:<{recipient}>\r\n" for recipient in recipients) + "QUIT\r\n"
    done = exim(file, "-bs", text=dialogue)
    replies, beginning = [], ""
    for line in done.stdout.splitlines():
        beginning = beginning or f"{line[:3]} {line[4:]}"
        if line[3:4] != "-":
            replies.append(beginning)
            beginning = ""
    # The greeting, EHLO, MAIL, each RCPT, QUIT.
    if len(replies) != len(recipients) + 4:
        raise place.MtaError(f"an unexpected dialogue with Exim: {done.stdout} {done.stderr}")
    return dict(zip(recipients, replies[3:-1]))
