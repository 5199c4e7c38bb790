"""The configuration in README.md and in the guide, fed to the programs that it is for: what is printed there can be copied.

The language of a block says what it is; one that is not known here is a failure, so that no block goes untried.
"""
import configparser
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import built                    # noqa: E402  (after the path is set)
from mta import place           # noqa: E402
from service import units       # noqa: E402
from tally import Tally         # noqa: E402

ROOT = built.ROOT
GUIDE, README = ROOT / "resolver/serve/GUIDE.md", ROOT / "README.md"
# What a block of Exim's stands in.
EXIM = r"""
primary_hostname = guide.example
exim_path = {tools}/usr/sbin/exim4
keep_environment =
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
never_users =
domainlist local_domains = @
acl_smtp_rcpt = acl_check_rcpt

begin acl
acl_check_rcpt:
{acl}
  accept

begin routers
{routers}

begin transports
{transports}
"""
REMOTE = "remote_smtp:\n  driver = smtp\n"


def blocks_of(path):
    """(language, text, line)."""
    text = path.read_text()
    for match in re.finditer(r"^```([^\n]*)\n(.*?)^```$", text, re.M | re.S):
        yield match[1].strip(), match[2], text.count("\n", 0, match.start()) + 1


def run_program(command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False, **more)
    return done.returncode, done.stdout + done.stderr


def logical(text):
    """name → value of a main.cf."""
    return {match[1]: match[2] for match in re.finditer(r"^([a-z_]+) = (.*)$", text, re.M)}


def tried_with_mail():
    """Every NAME = VALUE of main.cf with which tests/mta delivers."""
    return {pair for file in place.LINES.glob("*.cf") for pair in logical(file.read_text()).items()}


class Mill:
    """Feeds each block to its program, in a folder of its own."""

    def __init__(self, tally, folder):
        self.tally, self.folder, self.count = tally, folder, 0

    def fresh(self):
        self.count += 1
        folder = self.folder / str(self.count)
        folder.mkdir()
        return folder

    def check(self, title, good, detail=""):
        self.tally.check(f"blocks: {title}", good, detail)

    def postfix(self, main, master, where):
        folder = self.fresh()
        (folder / "main.cf").write_text(f"compatibility_level = 3.6\nqueue_directory = {folder}\ndaemon_directory = {place.POSTFIX}/sbin\n"
                                        f"meta_directory = {folder}\nshlib_directory = {place.POSTFIX}\n" + main)
        (folder / "master.cf").write_text((place.TOOLS / "usr/share/postfix/master.cf.dist").read_text() + master)
        (folder / "dynamicmaps.cf").write_text("")
        (folder / "postfix-files").write_text("")
        postconf = [place.TOOLS / "usr/sbin/postconf", "-c", folder]
        status, said = run_program([*postconf, "-n"])
        for name, value in logical(main).items():
            self.check(f"{where}: Postfix reads {name}", status == 0 and f"{name} = {value}\n" in said, said)
        self.check(f"{where}: Postfix knows every parameter", "unused parameter" not in said and "warning" not in said, said)
        if master:
            status, said = run_program([*postconf, "-M", "smtp/unix", "relay/unix"])
            self.check(f"{where}: Postfix reads the services, without chroot", status == 0 and
                       [line.split()[4] for line in said.splitlines() if line.startswith(("smtp ", "relay "))][-2:] == ["n", "n"], said)
        return folder

    def main_cf(self, text, where):
        folder = self.postfix(text, "", where)
        values = logical(text)
        maps = values.get("smtp_tls_policy_maps", "")
        for name, value in values.items():
            # What differs is tried below or by another MTA's version.
            plain = value.replace("policy-tlsrpt", "policy").removeprefix("proxy:").removeprefix("inline:{ broken.example=may }, ")
            self.check(f"{where}: tests/mta delivers mail with {name} = {plain}", (name, plain) in tried_with_mail(), sorted(tried_with_mail()))
        for table in re.findall(r"inline:\{[^}]*\}", maps):
            key, value = table[8:-1].strip().split("=")
            status, said = run_program([place.TOOLS / "usr/sbin/postmap", "-c", folder, "-q", key, table])
            self.check(f"{where}: Postfix finds {key} in its table", status == 0 and said.strip() == value, said)
        if maps:
            status, said = run_program([place.TOOLS / "usr/sbin/postconf", "-c", folder, "-m"])
            self.check(f"{where}: Postfix has socketmap", "socketmap" in said.split(), said)
        if maps.startswith("proxy:"):
            status, said = run_program([place.TOOLS / "usr/sbin/postconf", "-c", folder, "-d", "proxy_read_maps"])
            self.check(f"{where}: proxymap may read it", "$smtp_tls_policy_maps" in said, said)
        # The doctor, who knows Postfix, too, has nothing to say of what the guide says.
        self.doctor({"etc/postfix/main.cf": "compatibility_level = 3.6\n" + text,
                     "etc/postfix/master.cf": "smtp unix - - n - - smtp\n", "etc/resolv.conf": "nameserver 127.0.0.1\noptions edns0 trust-ad\n"}, where)

    def master_cf(self, text, where):
        self.postfix("", "\n" + text, where)

    def doctor(self, files, where):
        root = self.fresh()
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        _, said = run_program([built.CLIENT, "--json", "--socket", root / "none", "--root", root, "status"])
        found = [finding["check"] for finding in json.loads(said.splitlines()[0])["doctor"]["findings"]]
        # Nobody listens on this machine: that is found, too.
        wrong = [check for check in found if check.startswith(("postfix-", "exim-", "resolv-", "no-trust", "short-", "trust-ad"))]
        self.check(f"{where}: mxtrust status has nothing against it", not wrong and "daemon-absent" in found, found)

    def resolv_conf(self, text, where):
        self.doctor({"etc/resolv.conf": text}, where)
        library = subprocess.run([sys.executable, "-c", RESOLVER_OPTIONS, str(self.written(text, "resolv.conf"))], capture_output=True, text=True,
                                 check=False)
        self.check(f"{where}: the C library reads it so", library.returncode == 0 and library.stdout.split() == [text.split()[1], "trust-ad", "1"],
                   library.stdout + library.stderr)

    def written(self, text, name):
        file = self.fresh() / name
        file.write_text(text)
        return file

    def mxtrust_toml(self, text, where):
        status, said = run_program([built.DAEMON, "--check-config", "--config", self.written(text, "mxtrust.toml")])
        self.check(f"{where}: mxtrustd takes it", status == 0, said)

    def exim(self, kind, text, where):
        folder = self.fresh()
        parts = {"acl": "", "routers": "", "transports": REMOTE}
        parts["transports" if kind == "transport" else "routers" if kind == "router" else "acl"] = text
        if kind == "acl":
            parts["acl"] = "".join(f"  {line}\n" for line in text.splitlines())
        file = folder / "exim.conf"
        file.write_text(EXIM.format(tools=place.TOOLS, folder=folder, **parts))
        exim = [place.TOOLS / "usr/sbin/exim4", "-C", file]
        status, said = run_program([*exim, "-bV"])
        self.check(f"{where}: Exim takes it", status == 0 and "Configuration file" in said and "error" not in said.lower(), said)
        for name, value in re.findall(r"^  ([a-z_]+) = (\S+)$", text, re.M) if kind in ("router", "transport") else []:
            instance = text.split(":")[0]
            status, said = run_program([*exim, "-bP", kind, instance])
            self.check(f"{where}: Exim reads {name}", status == 0 and (f"{name} = {value}" in said or name == "driver"), said)
        self.doctor({"etc/exim4/exim4.conf": file.read_text(), "etc/resolv.conf": "nameserver 127.0.0.1\noptions edns0 trust-ad\n"}, where)

    def sendmail_mc(self, text, where):
        cf = place.TOOLS / "usr/share/sendmail/cf"
        file = self.written(f"divert(-1)\ndivert(0)dnl\ninclude(`{cf}/m4/cf.m4')dnl\ndefine(`_USE_ETC_MAIL_')dnl\nVERSIONID(`guide')dnl\n"
                            f"OSTYPE(`linux')dnl\n{text}MAILER(`smtp')dnl\n", "sendmail.mc")
        status, said = run_program(["m4", f"-D_CF_DIR_={cf}/", file])
        self.check(f"{where}: Sendmail's m4 makes \"O DANE=true\" of it", status == 0 and re.search(r"^O DANE=true$", said, re.M), said[-600:])

    def shell(self, text, where):
        status, said = run_program(["sh", "-n", self.written(text, "block.sh")])
        self.check(f"{where}: a shell can parse it", status == 0, said)
        for command in re.findall(r"^mxtrust .*$", text, re.M):
            command = command.replace("PID", "self")
            status, said = run_program([built.CLIENT, *shlex.split(command, comments=True)[1:], "--socket", "/nonexistent"])
            self.check(f"{where}: mxtrust knows \"{command}\"", status == 69, said)

    def ini(self, text, where):
        parser = configparser.ConfigParser()
        parser.read_string(text)
        self.check(f"{where}: sections and keys", parser.sections() and all(parser[section] for section in parser.sections()))

    def unit(self, name, text, where):
        good, said = units.verified({name: text})
        self.check(f"{where}: systemd takes it for {name}", good, said)
        values = re.findall(r"^(Listen\w+)=(.+)$", text, re.M)
        pairs = {kind: sorted(value for key, value in values if key == kind) for kind in ("ListenDatagram", "ListenStream")}
        self.check(f"{where}: UDP and TCP at the same addresses", pairs["ListenDatagram"] == pairs["ListenStream"], pairs)

    def yaml(self, text, where):
        spec = yaml.safe_load(text)["spec"]
        options = [option["name"] for option in spec["dnsConfig"]["options"]]
        self.check(f"{where}: a pod that asks mxtrust", spec["dnsPolicy"] == "None" and spec["dnsConfig"]["nameservers"] == ["127.0.0.1"] and
                   "trust-ad" in options, spec)


# What glibc itself makes of the file: res_ninit in a mount namespace where it is /etc/resolv.conf. Prints the server, and whether it
# trusts AD (RES_TRUSTAD, resolv.h).
RESOLVER_OPTIONS = r"""
import ctypes, os, socket, subprocess, sys
os.unshare(os.CLONE_NEWNS) if hasattr(os, "unshare") else ctypes.CDLL(None).unshare(0x20000)
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
subprocess.run(["mount", "--bind", sys.argv[1], os.path.realpath("/etc/resolv.conf")], check=True)
resolv = ctypes.CDLL("libresolv.so.2")
state = ctypes.create_string_buffer(1024)
if resolv.__res_ninit(state) != 0: sys.exit("res_ninit failed")
options = int.from_bytes(state.raw[8:16], "little")
count = int.from_bytes(state.raw[16:20], "little")
address = socket.inet_ntoa(state.raw[24:28])
print(address, "trust-ad" if options & 0x04000000 else "no-trust-ad", count)
"""


def feed(mill, language, text, where):
    kind = language.split()
    if language == "main.cf":
        mill.main_cf(text, where)
    elif language == "master.cf":
        mill.master_cf(text, where)
    elif language == "resolv.conf":
        mill.resolv_conf(text, where)
    elif language == "mxtrust.toml":
        mill.mxtrust_toml(text, where)
    elif kind[:1] == ["exim.conf"] and kind[1:] and kind[1] in ("router", "transport", "acl"):
        mill.exim(kind[1], text, where)
    elif language == "sendmail.mc":
        mill.sendmail_mc(text, where)
    elif language == "sh":
        mill.shell(text, where)
    elif language == "ini":
        mill.ini(text, where)
    elif language in units.UNITS:
        mill.unit(language, text, where)
    elif language == "yaml":
        mill.yaml(text, where)
    elif language == "text":
        pass            # what a program prints
    else:
        mill.check(f"{where}: a language that is tried", False, language or "(none)")


def same_lines(mill):
    """README says in short what the guide says at length: its blocks are the guide's."""
    long = [text for _, text, _ in blocks_of(GUIDE)]
    for language, text, line in blocks_of(README):
        if language in ("main.cf", "resolv.conf") or language.startswith("exim.conf"):
            mill.check(f"README.md:{line}: the same as in the guide", text in long, text)


def run(tally):
    """As root: Exim and the C library are asked in a mount namespace of our own, with accounts that the machine does not have."""
    child = subprocess.run(["unshare", "--mount", "--propagation", "private", "/usr/bin/python3", "-B", __file__], check=False,
                           capture_output=True, text=True, env={**os.environ, place.MARKER: "yes"})
    print("\n".join(child.stdout.splitlines()[:-1]), end="\n" if child.stdout.count("\n") > 1 else "")
    count = re.search(r"(\d+) passed, (\d+) failed\n\Z", child.stdout)
    tally.check("blocks: all were tried", count is not None and int(count[1]) > 50, child.stdout[-500:] + child.stderr[-500:])
    if count:
        tally.passed += int(count[1])
        tally.failed += int(count[2])


def main():
    tally = Tally()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mxtrust-guide-"))
    folder.chmod(0o755)
    try:
        # The accounts that Debian's programs were compiled with, and their libraries.
        place.furnish(folder, "127.0.0.1")
        mill = Mill(tally, folder)
        for path in (GUIDE, README):
            for language, text, line in blocks_of(path):
                feed(mill, language, text, f"{path.name}:{line}")
        same_lines(mill)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
