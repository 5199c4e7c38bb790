"""Exim from the unpacked package: senders that ask mxtrust over DNS or by readsocket, and a receiver whose STARTTLS fails."""
import re
import subprocess

from mta import place

USUAL = """
primary_hostname = {name}.lab
exim_path = {tools}/usr/sbin/exim4
keep_environment =
add_environment =
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/exim.pid
exim_user = Debian-exim
exim_group = Debian-exim
trusted_users = root
never_users =
deliver_drop_privilege = true
"""
SENDER = """
local_interfaces = 127.0.0.1
dns_dnssec_ok = 1
log_selector = +tls_certificate_verified +tls_cipher +dnssec
acl_not_smtp = accept
qualify_domain = sender.lab

begin routers
{routers}
begin transports
try:
  driver = smtp
  dnssec_request_domains = *
  hosts_try_dane = *
  connect_timeout = 3s

begin retry
* * F,1d,1h
"""
OVER_DNS = """
remote:
  driver = dnslookup
  dnssec_request_domains = *
  transport = try
"""
# What mxtrust decides, before Exim looks anything up: put off and refuse with its words; deliver as over DNS. No
# hosts_require_dane, although mxtrust says "dane": Exim looks for TLSA in fewer places, and then bounces.
BY_READSOCKET = r"""
asked:
  driver = redirect
  address_data = ${readsocket{@SOCKET@}{decide $domain}{8s}{}{defer - 4.3.5 mxtrust cannot be asked}}
  data = ${if match{$address_data}{\N^defer \S+ (\S+) (.*)$\N}{:defer: $1 $2}\
          {${if match{$address_data}{\N^bounce \S+ (\S+) (.*)$\N}{:fail: $1 $2}}}}
  allow_defer
  allow_fail
remote:
  driver = dnslookup
  dnssec_request_domains = *
  transport = try
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


def configuration(folder, name, text):
    place.directory(folder, "Debian-exim", "Debian-exim", 0o755)
    place.directory(folder / "spool", "Debian-exim", "Debian-exim", 0o750)
    file = folder / "exim.conf"
    file.write_text(USUAL.format(name=name, tools=place.TOOLS, folder=folder) + text)
    file.chmod(0o644)
    return file


class Sender:
    def __init__(self, folder, routers):
        self.folder = folder
        self.file = configuration(folder, "sender", SENDER.format(routers=routers))

    def send(self, recipient):
        """Delivers at once, in the foreground: when this returns, there is an outcome."""
        done = subprocess.run([str(place.TOOLS / "usr/sbin/exim4"), "-C", str(self.file), "-odf", "-f", "<>", "-i", recipient],
                              input=f"Subject: for {recipient}\nTo: {recipient}\n\nhello\n", text=True, capture_output=True,
                              timeout=90, env=place.environment(), check=False)
        if done.returncode != 0:
            raise place.MtaError(f"Exim ended with status {done.returncode}: {done.stderr[-500:]}")

    def text(self):
        texts = [file.read_text(errors="replace") for name in ("main", "panic") if (file := self.folder / f"{name}log").exists()]
        return "".join(texts)


def over_dns(folder):
    return Sender(folder, OVER_DNS)


def by_readsocket(folder, socket_path):
    return Sender(folder, BY_READSOCKET.replace("@SOCKET@", str(socket_path)))


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
