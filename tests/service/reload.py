"""Another configuration while the daemon runs: what changes, what needs a restart, what stays, and a file that is not good."""
import datetime
import os
import pathlib
import signal
import subprocess
import time

import built
from service.days import until
from service.manager import Managed

FAR = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=90)).strftime("%Y-%m-%d")
LATER = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=91)).strftime("%Y-%m-%d")
BROKEN = "mx-expired.nlx"       # its MX signature has expired
PACE = 30 * 86400 // 10         # 30 days in 10 seconds
KNOWN = ("dane-ee.nlx", "unsigned.nlx", "signed.comx")


def word(zone: str, end: str = FAR) -> str:
    return f'[dnssec]\nnegative-trust-anchors = [{{ name = "{zone}", reason = "ticket 4711", expires = {end} }}]\n'


class Reloads(Managed):
    """With a file that changes."""

    def write(self, more: str, *, base: tuple[str, str] | None = None) -> None:
        text = self.configuration()
        if base:
            text = text.replace(*base)
        (self.folder / "mxtrustd.toml").write_text(text + "\n" + more)

    def reload(self, more: str, *, base: tuple[str, str] | None = None) -> dict:
        self.write(more, base=base)
        return self.ask({"query": "reload"})


def summary(daemon: Managed, domain: str) -> tuple:
    answer = daemon.ask({"query": "mail", "domain": domain})
    return answer["decision"]["action"], answer["decision"]["level"] or (answer["decision"]["code"] or "").split()[0]


def words(daemon: Reloads, tally, table) -> None:
    """Negative trust anchors and exceptions come and go."""
    tally.check(f"{BROKEN} is deferred", summary(daemon, BROKEN)[0] == "defer", summary(daemon, BROKEN))
    reply = daemon.reload(word(BROKEN))
    tally.check("reload says what is in force now", reply["accepted"] and reply["changed"] == ["[dnssec] negative-trust-anchors"]
                and not reply["restart"], reply)
    tally.check("a negative trust anchor is in force at once", summary(daemon, BROKEN)[0] == "deliver", summary(daemon, BROKEN))
    status = daemon.ask({"query": "status"})
    tally.check("status shows it", [entry["zone"] for entry in status["negative_trust_anchors"]] == [BROKEN], status["negative_trust_anchors"])
    daemon.reload(word(BROKEN, LATER))
    answer = daemon.ask({"query": "mail", "domain": BROKEN})
    tally.check("another end is another word: answers carry the new one", LATER in answer["decision"]["text"], answer["decision"])
    reply = daemon.reload("")
    tally.check("without it the domain is deferred again, at once", summary(daemon, BROKEN)[0] == "defer", (reply, summary(daemon, BROKEN)))
    # Under an anchor, what was proven before does not count; without it, it does again.
    before = daemon.ask({"query": "mail", "domain": "dane-ee.nlx"})["mx"]["security"]
    daemon.reload(word("dane-ee.nlx"))
    under = daemon.ask({"query": "mail", "domain": "dane-ee.nlx"})["mx"]["security"]
    daemon.reload("")
    after = daemon.ask({"query": "mail", "domain": "dane-ee.nlx"})["mx"]["security"]
    tally.check("what was proven before does not count below a new anchor, and nothing of it stays", (before, under, after) ==
                ("secure", "insecure", "secure"), (before, under, after))
    reply = daemon.reload(f'[operator]\nexceptions = [{{ domain = "dane-ee.nlx", action = "encrypt", reason = "x", expires = {FAR} }}]\n')
    tally.check("an exception is in force at once", summary(daemon, "dane-ee.nlx") == ("deliver", "encrypt"), (reply, summary(daemon, "dane-ee.nlx")))
    daemon.reload("")
    tally.check("and gone at once", summary(daemon, "dane-ee.nlx") == ("deliver", "dane"), summary(daemon, "dane-ee.nlx"))
    table.row("negative trust anchor, exception", "in force with the reply", "and gone with it")


def levels(daemon: Reloads, tally) -> None:
    """The log's level."""
    daemon.reload("", base=('log-level = "info"', 'log-level = "debug"'))
    daemon.ask({"query": "mail", "domain": "dane-ee.nlx", "refresh": True})
    size = len(daemon.log())
    tally.check("log-level debug is in force", "answered: mail dane-ee.nlx" in daemon.log(), daemon.log_tail())
    daemon.reload("")
    tally.check("the log says so", daemon.log().count("configuration reloaded: now in force: [server] log-level") == 2, daemon.log_tail(50))
    size = len(daemon.log())
    daemon.ask({"query": "mail", "domain": "dane-ee.nlx"})
    tally.check("and info again", "answered" not in daemon.log()[size:], daemon.log()[size:])


def needs_restart(daemon: Reloads, tally, table) -> None:
    """What cannot change while it runs is named, and does not change."""
    reply = daemon.reload(word(BROKEN), base=("workers = 2", "workers = 3"))
    tally.check("a key that needs a restart is named, the others are in force", reply["accepted"] and reply["restart"] == ["[server] workers"]
                and "needs a restart: [server] workers" in reply["text"] and summary(daemon, BROKEN)[0] == "deliver", reply)
    tally.check("it does not change", daemon.ask({"query": "status"})["workers"] == 2)
    table.row("workers = 3", "needs a restart", reply["text"])
    reply = daemon.reload("")
    tally.check("taken back, nothing needs one", reply["accepted"] and not reply["restart"], reply)
    reply = daemon.reload('[mail]\nstrict-null-mx = false\n')
    tally.check("a default that is written out is no change", reply["text"] == "nothing has changed", reply)


def refused(daemon: Reloads, tally, table) -> None:
    """A file that is not good changes nothing, and everybody is told."""
    daemon.reload(word(BROKEN))
    file = daemon.folder / "mxtrustd.toml"
    for title, text, said in (("a wrong value", file.read_text().replace("workers = 2", "workers = 200"), "must be 0 to 64"),
                              ("no TOML", "[server\n", ":1: "), ("an unknown key", "[server]\nworkerz = 1\n", "did you mean workers?")):
        file.write_text(text)
        reply = daemon.ask({"query": "reload"})
        tally.check(f"{title}: refused, with the reason", reply["accepted"] is False and said in reply["text"]
                    and "stays as it was" in reply["text"], reply)
        tally.check(f"{title}: what was in force still is", summary(daemon, BROKEN)[0] == "deliver")
        status = daemon.ask({"query": "status"})
        tally.check(f"{title}: status tells", status["reload"]["accepted"] is False and said in status["reload"]["text"]
                    and any("reload was refused" in warning for warning in status["warnings"]), status["reload"])
        told = ([line for line in daemon.log().splitlines() if "configuration not reloaded, the old one stays in force" in line] or [""])[-1]
        tally.check(f"{title}: the log tells", said in told, daemon.log_tail())
    table.row("a file with an error", "refused", told.split("force: ")[-1][-100:])
    file.unlink()
    reply = daemon.ask({"query": "reload"})
    tally.check("no file: refused, too", reply["accepted"] is False and "cannot be read" in reply["text"], reply)
    reply = daemon.reload(word(BROKEN))
    status = daemon.ask({"query": "status"})
    tally.check("a good one is taken again, and the warning goes", reply["accepted"] and not any("refused" in warning for warning in status["warnings"]),
                (reply, status["warnings"]))


def anchors(state, folder: pathlib.Path, tally, table) -> None:
    """The trust anchors are looked at (RFC 5011) while reloads come, and are others in the file."""
    folder.mkdir()
    os.chmod(folder, 0o755)
    daemon = Reloads(state, folder=folder, extra=f"rollover-pace = {PACE}\n")
    with daemon:
        def keys():
            return daemon.ask({"query": "status"})["trust_anchors"]

        def seen():
            return max((key["last_seen"] or 0 for key in keys()), default=0)
        until(seen, 60)
        tally.check("anchors: the root's key is looked at", seen() > 0, keys())
        before, first, reloads = keys(), seen(), 0
        said = daemon.log().count("configuration reloaded")
        refused_before = daemon.log().count("not reloaded")
        end = time.monotonic() + 4
        while time.monotonic() < end:
            os.kill(daemon.child.pid, signal.SIGHUP)
            reloads += 1
            time.sleep(0.01)
        until(lambda: seen() > first, 60)
        after = keys()
        tally.check("anchors: reloads keep nobody from looking", seen() > first, (first, after))
        tally.check("anchors: the same keys in the same states", [(key["key_tag"], key["state"]) for key in before] ==
                    [(key["key_tag"], key["state"]) for key in after], (before, after))
        done = daemon.log().count("configuration reloaded") - said
        tally.check("anchors: the reloads were carried out", done >= 2 and daemon.log().count("not reloaded") == refused_before, (reloads, done))
        tally.check("anchors: and it validates", summary(daemon, "dane-ee.nlx") == ("deliver", "dane"), daemon.log_tail())
        other = folder / "other.anchors"
        other.write_text(". IN DS 12345 13 2 " + "00" * 32 + "\n")
        reply = daemon.reload(f'[dnssec]\ntrust-anchor-file = "{other}"\n')
        tally.check("anchors: others in the file need a restart, and the reply says so", reply["accepted"]
                    and reply["restart"] == ["[dnssec] trust-anchor-file"], reply)
        daemon.ask({"query": "flush", "name": ".", "subtree": True})
        tally.check("anchors: till then the old ones are in force", [key["key_tag"] for key in keys()] == [key["key_tag"] for key in before]
                    and summary(daemon, "dane-ee.nlx") == ("deliver", "dane"), (keys(), summary(daemon, "dane-ee.nlx")))
        state_file = folder / "daemon" / "trust-anchors.state"
        tally.check("anchors: their state is on disk, whole", state_file.exists() and not state_file.with_name(state_file.name + ".new").exists())
        table.row(f"{reloads} SIGHUPs beside looks at the root's key", f"{done} reloads", f"last seen {seen() - first} s later, states as before")
        daemon.stop()


def doors(daemon: Reloads, tally) -> None:
    """The verb, the command, the signal."""
    daemon.write("")
    done = subprocess.run([str(built.CLIENT), "--socket", str(daemon.socket_path), "reload"], capture_output=True, text=True)
    tally.check("mxtrust reload", done.returncode == 0 and done.stdout.startswith("reloaded: now in force: [dnssec] negative-trust-anchors"), done)
    (daemon.folder / "mxtrustd.toml").write_text("x")
    done = subprocess.run([str(built.CLIENT), "--socket", str(daemon.socket_path), "reload"], capture_output=True, text=True)
    tally.check("mxtrust reload with a bad file fails, and says why", done.returncode == 1 and "not reloaded:" in done.stdout, done)
    daemon.write(word(BROKEN))
    lines = daemon.log().count("configuration reloaded")
    os.kill(daemon.child.pid, signal.SIGHUP)
    until(lambda: daemon.log().count("configuration reloaded") > lines, 40)
    tally.check("SIGHUP does the same", until(lambda: summary(daemon, BROKEN)[0] == "deliver", 20), daemon.log_tail())
    text = 'import socket, sys\ns = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b"reload\\n"); print(s.recv(4096).decode())'
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", text, str(daemon.socket_path)],
                          capture_output=True, text=True)
    tally.check("reload is not for everybody", '"forbidden"' in done.stdout, done)


def in_force(daemon: Managed) -> list[str]:
    return [entry["zone"] for entry in daemon.ask({"query": "status"})["negative_trust_anchors"]]


def replace(daemon: Reloads, more: str) -> None:
    """Another file in its place, in one step, as an editor does it: what is read is one of the two."""
    new = daemon.folder / "new.toml"
    new.write_text(daemon.configuration() + "\n" + more)
    new.rename(daemon.folder / "mxtrustd.toml")


def storms(daemon: Reloads, tally, table) -> None:
    """Fifty changes, and nobody waits for a reload to end before the next: the last one wins, each time. Signals that come while
    one waits are one signal; but the file is read after the last of them."""
    rounds, changes, lost = 6, 50, []
    before = daemon.log().count("configuration reloaded")
    for turn in range(rounds):
        asking = subprocess.Popen([str(built.CLIENT), "--socket", str(daemon.socket_path), "reload"], stdout=subprocess.DEVNULL) if turn % 2 else None
        for change in range(changes):
            replace(daemon, word(f"zone{change}.round{turn}.example"))
            os.kill(daemon.child.pid, signal.SIGHUP)
            if turn % 3 == 2:
                time.sleep(0.001 * (change % 4))
        last = [f"zone{changes - 1}.round{turn}.example"]
        if not until(lambda: in_force(daemon) == last, 60):     # pylint: disable=cell-var-from-loop
            lost.append((last, in_force(daemon)))
        if asking:
            asking.wait()
    done = daemon.log().count("configuration reloaded") - before
    tally.check("changes in quick succession: the last one is in force in the end", not lost and daemon.log().count("not reloaded") == 0, lost)
    # One that does not get to run hears one signal of many.
    os.kill(daemon.child.pid, signal.SIGSTOP)
    for change in range(changes):
        replace(daemon, word(f"zone{change}.stopped.example"))
        os.kill(daemon.child.pid, signal.SIGHUP)
    os.kill(daemon.child.pid, signal.SIGCONT)
    last = [f"zone{changes - 1}.stopped.example"]
    tally.check("and where it could not hear them one by one", until(lambda: in_force(daemon) == last, 60), in_force(daemon))
    table.row(f"{rounds} times {changes} changes and SIGHUPs", f"{done} reloads", "the last change of each is in force")
    daemon.reload("")


def hurry(state, folder: pathlib.Path, tally) -> None:
    """Signals while it starts: after it has read its file, and before it says that it is ready."""
    lost = []
    folder.mkdir()
    for turn in range(5):
        daemon = Reloads(state, folder=folder / str(turn))
        daemon.start()
        process = pathlib.Path(f"/proc/{daemon.child.pid}")
        end = time.monotonic() + 60
        # The cache is opened later than the file is read.
        while not list((daemon.folder / "daemon").iterdir()) and time.monotonic() < end:
            pass
        replace(daemon, word(f"zone{turn}.example"))
        early = not daemon.notices.await_one("READY", "1", limit=0)
        os.kill(daemon.child.pid, signal.SIGHUP)
        ready = daemon.wait_ready()
        if not ready or not until(lambda: in_force(daemon) == [f"zone{turn}.example"], 60):     # pylint: disable=cell-var-from-loop
            lost.append((turn, early, process.exists(), daemon.log_tail()))
        daemon.stop()
        daemon.notices.close()
    tally.check("a SIGHUP while it starts is not lost, and does not end it", not lost, lost)


def written(daemon: Reloads) -> bool:
    """What one worker has found out the other knows when it is written: waits until nothing more is."""
    status = daemon.at_rest()
    return status["cache"]["entries"] > 0 and status["resolver"]["in_flight"] == 0


def run(state, folder: pathlib.Path, tally, table) -> None:
    os.chmod(folder, 0o755)
    os.chmod(folder.parent, 0o755)
    with Reloads(state, folder=folder / "state", dns_port=None) as daemon:
        os.chmod(folder / "state", 0o755)
        for domain in KNOWN:
            daemon.ask({"query": "mail", "domain": domain})
        tally.check("what was found out is written", written(daemon), daemon.ask({"query": "status"})["cache"])
        words(daemon, tally, table)
        cached = {domain: daemon.ask({"query": "mail", "domain": domain})["mx"]["cached"] for domain in ("unsigned.nlx", "signed.comx")}
        tally.check("reloads lose nothing of the cache", all(cached.values()), cached)
        levels(daemon, tally)
        needs_restart(daemon, tally, table)
        storms(daemon, tally, table)
        refused(daemon, tally, table)
        doors(daemon, tally)
        tally.check("it ends properly", daemon.stop() == 0, daemon.log_tail())
    # A list that changes while the daemon is away: the cache stays, and what rests on the word goes with it.
    with Reloads(state, folder=folder / "state") as daemon:
        daemon.write("")
        tally.check("after a restart without the anchor, the domain is deferred, though the cache was kept", summary(daemon, BROKEN)[0] == "defer" and
                    daemon.ask({"query": "mail", "domain": "signed.comx"})["mx"]["cached"] is True, summary(daemon, BROKEN))
    hurry(state, folder / "hurry", tally)
    anchors(state, folder / "anchors", tally, table)
