"""Configurations that are wrong: each must be refused with file, line and key."""
import os
import subprocess
import tempfile
from pathlib import Path

import built

# text, line of the fault (0: none can be told), a word that the error must have
BAD = [
    ("[server]\nworker = 4\n", 2, "workers"),                       # an unknown key, and the one that was meant
    ("[sever]\nworkers = 4\n", 1, "server"),
    ("[server]\nworkers = 1000\n", 2, "64"),                        # out of bounds, and the bounds
    ("[server]\nworkers = -1\n", 2, "workers"),
    ("[server]\nworkers = \"four\"\n", 2, "workers"),
    ("[server]\nworkers = 2.5\n", 2, "workers"),
    ("[server]\nlog-level = \"loud\"\n", 2, "warning"),             # and what is allowed
    ("[server]\ndns-listen = [\"127.0.0.1\"]\n", 2, "port"),
    ("[server]\ndns-listen = [\"localhost:53\"]\n", 2, "dns-listen"),
    ("[server]\ndns-listen = \"127.0.0.1:53\"\n", 2, "dns-listen"),
    ("[server]\nallow = [\"192.0.2.1/33\"]\n", 2, "allow"),
    ("[server]\nallow = [\"192.0.2.1/24\"]\n", 2, "allow"),
    ("[server]\ncache-size-mb = 0\n", 2, "cache-size-mb"),
    ("[server]\n\n\nworkers = \n", 4, ""),                           # no TOML
    ("[server]\nworkers = 1\nworkers = 2\n", 3, "workers"),
    ("workers = 1\n", 1, "workers"),
    ("[resolver]\nipv4 = false\nipv6 = false\n", 3, "ipv"),
    ("[resolver]\nipv4 = 1\n", 2, "ipv4"),
    ("[resolver]\nedns-udp-size = 100\n", 2, "512"),
    ("[resolver]\ndeadline-ms = 1\n", 2, "100"),
    ("[resolver.limits]\npackets = 0\n", 2, "packets"),
    ("[resolver.limits]\npackages = 10\n", 2, "packets"),
    ("[dnssec]\ntrust-anchor-file = \"/nonexistent/anchors\"\n", 2, "/nonexistent/anchors"),
    ("[mail]\nmta-sts-ca-file = \"/nonexistent/authorities\"\n", 2, "/nonexistent/authorities cannot be read"),
    ("[mail]\nmta-sts-ca-file = \"/etc/hostname\"\n", 2, "/etc/hostname has no certificate in PEM form"),
    ("[resolver]\ncache-min-negative-ttl = 60\ncache-max-negative-ttl = 59\n", 2, "cache-max-negative-ttl (59)"),
    ("[forward]\nzone = \"a.example\"\naddresses = [\"192.0.2.1\"]\n", 1, "double brackets"),
    ("[[stub]]\nzone = \"a.example\"\naddresses = [\"192.0.2.1\"]\n[[stub]]\nzone = \"b.example\"\n", 4, "entry 2 lacks addresses"),
    ("[dnssec]\nnegative-trust-anchors = [{ name = \"a.example\" }]\n", 2, "reason"),
    ("[dnssec]\nnegative-trust-anchors = [{ name = \"a..b\", reason = \"x\", expires = 2030-01-01 }]\n", 2, "name"),
    ("[mail]\ninsecure-mx = \"maybe\"\n", 2, "dane"),
    ("[operator]\nexceptions = [{ domain = \"a.example\", action = \"maybe\", reason = \"x\", expires = 2030-01-01 }]\n", 2, "no-dane"),
    ("[operator]\nexceptions = [{ host = \"a.example\", action = \"hold\", reason = \"x\", expires = 2030-01-01 }]\n", 2, "skip"),
    ("[operator]\nexceptions = [\n\n{ domain = \"a.example\", action = \"may\", expires = 2030-01-01 }]\n", 4, "lacks reason"),
    ("[operator]\nexceptions = [{ domain = \"a.example\", action = \"may\", reason = \"x\" }]\n", 2, "lacks expires"),
    ("[operator]\nexceptions = [{ domain = \"a.example\", action = \"may\", reason = \"x\", expires = 9999-12-31 }]\n", 2, "2099"),
    ("[operator]\nexceptions = [{ action = \"may\", reason = \"x\", expires = 2030-01-01 }]\n", 2, "lacks domain or host"),
    ("[operator]\nrecheck-interval = 1\n", 2, "10 to 86400"),
    ("[test]\ntime = 1\n", 1, "--test-mode"),
    ("[test]\nallow-local-authorities = true\n", 1, "--test-mode"),
]
BAD_TESTS = [
    ("[test]\nroot-hints = [{ name = \"ns.example\", address = \"nowhere\" }]\n", 2, "address"),
    ("[test]\ntrust-anchors = [\". DS 1 2\"]\n", 2, "trust-anchors"),
    ("[test]\nauthority-port = 0\n", 2, "authority-port"),
]
GOOD = ["", "# nothing\n", "[mail]\nmta-sts = false\nmta-sts-ca-file = \"/nonexistent/authorities\"\n", "[server]\nworkers = 2\n", "[resolver]\nipv6 = false\n",
        "[dnssec]\nnegative-trust-anchors = [{ name = \"broken.example\", reason = \"ticket 4711\", expires = 2099-12-31 }]\n",
        "[operator]\nexceptions = [{ host = \"mx.example\", action = \"skip\", reason = \"ticket 4711\", expires = 2020-01-01 }]\n"]


def check_config(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(built.DAEMON), *arguments], capture_output=True, text=True, check=False, timeout=30)


def two_daemons(folder: Path, doors: str, file: Path, tally) -> None:
    """One state directory is one daemon's; the other does not start, says why, and leaves no socket behind."""
    file.write_text(doors, encoding="utf-8")
    other = folder / "other.toml"
    other.write_text(doors.replace("query.sock", "other.sock"), encoding="utf-8")
    with subprocess.Popen([str(built.DAEMON), "--config", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as first:
        for line in first.stderr:
            if "started: " in line:
                break
        done = check_config("--config", str(other))
        tally.check("a second daemon with the same state directory does not start, and says why",
                    done.returncode == 1 and "is in use by another process" in done.stderr, f"{done.returncode}: {done.stderr}")
        tally.check("and leaves no socket on which nobody listens", not (folder / "other.sock").exists())
        done = check_config("--config", str(file))
        tally.check("nor with the same socket", done.returncode == 1 and "somebody listens" in done.stderr, f"{done.returncode}: {done.stderr}")
        tally.check("which stays the first one's", (folder / "query.sock").exists())
        first.terminate()
        tally.check("the first one ends properly", first.wait(20) == 0)


def run(tally) -> None:
    """--check-config for each, and the command line itself."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mxtrust.toml")
        for mode, cases in ((), BAD), (("--test-mode",), BAD_TESTS):
            for text, line, word in cases:
                file.write_text(text, encoding="utf-8")
                done = check_config("--config", str(file), "--check-config", *mode)
                said = done.stdout + done.stderr
                place = f"{file}:{line}" if line else str(file)
                tally.check(f"a bad configuration is refused, with its place: {text!r}",
                            done.returncode not in (0, None) and done.returncode > 0 and place in said and word in said,
                            f"status {done.returncode}, wanted {place} and {word!r}: {said}")
                done = check_config("--config", str(file), *mode)
                tally.check(f"nor does the daemon start with it: {text!r}", done.returncode > 0 and place in done.stdout + done.stderr,
                            f"status {done.returncode}: {done.stderr}")
        for text in GOOD:
            file.write_text(text, encoding="utf-8")
            done = check_config("--config", str(file), "--check-config")
            tally.check(f"a good configuration is accepted: {text!r}", done.returncode == 0, done.stdout + done.stderr)
        done = check_config("--config", str(built.ROOT / "resolver/daemon/mxtrust.toml"), "--check-config")
        tally.check("the shipped configuration is accepted, and which file that was is said",
                    done.returncode == 0 and "(" + str(built.ROOT / "resolver/daemon/mxtrust.toml") + ")" in done.stdout, done.stdout + done.stderr)
        file.write_text("[server]\nuser = \"nobody-of-that-name\"\n", encoding="utf-8")
        done = check_config("--config", str(file), "--check-config")
        tally.check("an account that is not there is told, and may be another machine's",
                    done.returncode == 0 and f"{file}:2: [server] user: there is no account" in done.stderr, done.stderr)
        done = check_config("--config", str(file))
        tally.check("without it the daemon does not start, and says why", done.returncode == 78 and f"{file}:2: [server] user: there is no account" in done.stderr,
                    f"{done.returncode}: {done.stderr}")
        doors = f'[server]\nstate-directory = "{folder}/state"\nquery-socket = "{folder}/query.sock"\npostfix-socket = ""\ndns-listen = []\n'
        file.write_text(doors + "workers = 64\n", encoding="utf-8")
        done = subprocess.run(["prlimit", "--nofile=300:300", str(built.DAEMON), "--config", str(file)], capture_output=True, text=True, check=False,
                              timeout=30)
        tally.check("too few descriptors for so many workers: one clear line", done.returncode == 1 and "64 workers need" in done.stderr
                    and "only 300 may be open: LimitNOFILE=" in done.stderr and "promise" not in done.stderr, f"{done.returncode}: {done.stderr}")
        two_daemons(Path(folder), doors, file, tally)
        os.mkfifo(folder + "/pipe")
        done = check_config("--config", folder + "/pipe", "--check-config")
        tally.check("a pipe is not waited for", done.returncode > 0 and "regular file" in done.stdout + done.stderr, done.stderr)
        done = check_config("--config", folder + "/absent.toml", "--check-config")
        tally.check("a file that is not there is named", done.returncode > 0 and "absent.toml" in done.stdout + done.stderr, done.stderr)
        file.write_bytes(b"\xff\xfe\x00[server]\n")
        done = check_config("--config", str(file), "--check-config")
        tally.check("a file that is no text is refused", done.returncode > 0 and "mxtrust.toml" in done.stdout + done.stderr, done.stderr)
    done = check_config("--config", "", "--check-config")
    tally.check("an empty file name is no name, and does not mean the usual file", done.returncode == 64, f"{done.returncode}: {done.stdout}")
    done = check_config("--frobnicate")
    tally.check("an unknown option is refused", done.returncode > 0 and "frobnicate" in done.stdout + done.stderr, done.stderr)
