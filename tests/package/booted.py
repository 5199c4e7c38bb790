"""The package under a real systemd, as process 1 of a container: started by its units, with all they shut off; asked, reloaded,
restarted, watched and upgraded while it is asked; its sockets changed as the guide says."""
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import built

BOOT = 120.0


class Machine:
    """systemd-nspawn with a network of its own, in which there is nobody."""

    def __init__(self, root: Path, log: Path):
        self.root, self.log_path, self.leader = root, log, None

    def __enter__(self):
        log = open(self.log_path, "wb")
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe", "-D", str(self.root), "-b"]
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + BOOT
        while time.monotonic() < end and self.child.poll() is None:
            children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()
            for child in children:
                if Path(f"/proc/{child}/comm").read_text().strip() in ("systemd", "init"):
                    self.leader = child
            if self.leader and self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                return self
            time.sleep(0.3)
        return self

    @property
    def runs(self) -> bool:
        return self.leader is not None and self.child.poll() is None

    def run(self, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run(["nsenter", "-t", self.leader, "-m", "-u", "-i", "-n", "-p", "-r", "-w", "/usr/bin/env", "-i",
                               "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", *command],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)

    def show(self, name: str) -> str:
        return self.run("systemctl", "show", "-P", name, "mxtrustd.service").stdout.strip()

    def journal(self) -> str:
        return self.run("journalctl", "-q", "-u", "mxtrustd.service", "--no-pager", "-o", "cat").stdout

    def __exit__(self, *_):
        if self.child.poll() is None and self.leader:
            os.kill(int(self.leader), signal.SIGRTMIN + 4)      # poweroff
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class Asker(threading.Thread):
    """Asks without a pause; each question on a connection of its own."""
    SCRIPT = ("for turn in $(seq 100000); do [ -e /run/enough ] && break; if said=$(mxtrust --json rrset localhost A 2>&1 >/dev/null) || [ $? -le 2 ]; "
              "then good=$((good+1)); else lost=$((lost+1)); why=$said; fi; done; echo ${good:-0} ${lost:-0} $why")

    def __init__(self, machine: Machine):
        super().__init__(daemon=True)
        self.machine, self.good, self.lost, self.said = machine, 0, -1, ""

    def run(self) -> None:
        done = self.machine.run("/bin/sh", "-c", self.SCRIPT)
        self.said = done.stdout + done.stderr
        if match := re.match(r"(\d+) (\d+)", self.said):
            self.good, self.lost = int(match[1]), int(match[2])


def until(what, limit: float = 60.0) -> bool:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False


def starts(machine: Machine, tally) -> None:
    tally.check("systemd: the service runs, its sockets are systemd's", until(lambda: machine.show("ActiveState") == "active")
                and machine.run("systemctl", "is-active", "mxtrustd.socket", "mxtrustd-query.socket", "mxtrustd-postfix.socket").returncode == 0,
                machine.journal() + machine.run("systemctl", "status", "--no-pager", "mxtrustd*").stdout)
    status = machine.run("mxtrust", "--json", "status").stdout
    for path in ("/run/mxtrust/query.sock", "/run/mxtrust/postfix.sock", "127.0.0.1:53"):
        tally.check(f"systemd: it answers on {path}", f'"{path}"' in status.split('"clock"')[0], status[:500])
    tally.check("systemd: without warnings of its own", "runs as root" not in machine.journal() and "system calls are not filtered" not in
                machine.journal(), machine.journal())
    tally.check("systemd: with the cache on disk", until(lambda: machine.run("sh", "-c", "ls /var/lib/mxtrust/*.lmdb").returncode == 0)
                and "store trouble" not in machine.journal(), machine.journal())
    def started() -> str:
        return machine.run("journalctl", "-q", "--no-pager", "-o", "json", "MXTRUST_EVENT=started").stdout
    tally.check("systemd: its lines are in the journal with their fields", until(lambda: re.search(r'"_SYSTEMD_UNIT" ?: ?"mxtrustd.service"', started()))
                and re.search(r'"PRIORITY" ?: ?"6"', started()) is not None, started()[:600] + machine.journal())
    # There is no network here, so whatever is asked is not found out, and that is a line of a question's.
    machine.run("mxtrust", "--json", "rrset", "nowhere.example.org", "MX")

    def failed() -> dict:
        lines = machine.run("journalctl", "-q", "--no-pager", "-o", "json", "MXTRUST_EVENT=indeterminate", "MXTRUST_NAME=nowhere.example.org").stdout
        return json.loads(lines.splitlines()[0]) if lines.strip() else {}
    until(failed)
    line = failed()
    wanted = {"PRIORITY": "6", "SYSLOG_IDENTIFIER": "mxtrustd", "_SYSTEMD_UNIT": "mxtrustd.service", "MXTRUST_SECURITY": "indeterminate", "MXTRUST_TYPE": "MX"}
    tally.check("systemd: what failed is found in the journal by its fields", {key: line.get(key) for key in wanted} == wanted
                and re.fullmatch("[A-Z0-9]{4}", line.get("MXTRUST_CODE", "")) is not None
                and re.fullmatch("[1-9][0-9]*", line.get("MXTRUST_QUESTION", "")) is not None and "indeterminate: " in line.get("MESSAGE", ""),
                str(line) + machine.journal())
    limits(machine, tally)
    tally.check("systemd: systemctl status says how it goes", until(lambda: "workers; " in machine.show("StatusText")), machine.show("StatusText"))
    rating = machine.run("systemd-analyze", "security", "--no-pager", "mxtrustd.service").stdout.strip().splitlines()
    found = re.search(r": ([0-9.]+)", rating[-1] if rating else "")
    tally.check("systemd: the running service's exposure is 1.2 or less", found is not None and float(found[1]) <= 1.2, rating[-1:])
    print(f"under systemd: {machine.show('StatusText')}; exposure {found[1] if found else '?'}")


def limits(machine: Machine, tally) -> None:
    """Behind all that the unit shuts off, the limit it sets is still seen; where the container has that controller."""
    group = machine.show("ControlGroup")
    if machine.run("test", "-e", f"/sys/fs/cgroup{group}/memory.high").returncode:
        print("under systemd: the container has no controller of memory, so nothing is bounded, and nothing seen of it")
        return
    def memory() -> dict:
        return json.loads(machine.run("mxtrust", "--json", "status").stdout or "{}").get("memory") or {}
    tally.check("systemd: the unit's limit of memory is seen from inside it", until(lambda: memory().get("limit"))
                and memory()["state"] == "enough" and 0 < memory()["used"] < memory()["most"] <= 1 << 30, memory())


def reloads(machine: Machine, tally) -> None:
    file = machine.root / "etc/mxtrust/mxtrust.toml"
    before = file.read_text()
    file.write_text(before.replace("[server]", '[server]\nlog-level = "debug"'))
    done = machine.run("systemctl", "reload", "mxtrustd")
    tally.check("systemctl reload", done.returncode == 0 and until(lambda: "now in force: [server] log-level" in machine.journal()),
                done.stderr + machine.journal()[-500:])
    file.write_text("workers = 1\n")
    done = machine.run("systemctl", "reload", "mxtrustd")
    tally.check("systemctl reload fails with a bad file, and the service runs on", done.returncode != 0 and machine.show("ActiveState") == "active"
                and machine.run("mxtrust", "--json", "failing").returncode == 0, done.stderr)
    file.write_text(before)
    machine.run("systemctl", "reload", "mxtrustd")


def restarts(machine: Machine, second: Path, tally) -> None:
    askers = [Asker(machine) for _ in range(3)]
    for asker in askers:
        asker.start()
    time.sleep(0.5)
    done = machine.run("systemctl", "restart", "mxtrustd")
    tally.check("systemctl restart", done.returncode == 0 and machine.show("ActiveState") == "active", done.stderr)
    shutil.copy(second, machine.root / "opt")
    pid = machine.show("MainPID")
    done = machine.run("dpkg", "-i", f"/opt/{second.name}")
    tally.check("an upgrade in place restarts it", done.returncode == 0 and until(lambda: machine.show("MainPID") not in (pid, "0")), done.stderr)
    time.sleep(0.5)
    machine.run("touch", "/run/enough")
    for asker in askers:
        asker.join(60)
    good, lost = sum(asker.good for asker in askers), sum(asker.lost for asker in askers)
    tally.check("a restart and an upgrade lose no query", lost == 0 and good > 50, [asker.said for asker in askers])
    print(f"under systemd: a restart and an upgrade while {good} questions were asked: {lost} lost")


def watchdog(machine: Machine, tally) -> None:
    """It hangs; systemd notices."""
    place = machine.root / "etc/systemd/system/mxtrustd.service.d"
    place.mkdir(parents=True)
    place.joinpath("soon.conf").write_text("[Service]\nWatchdogSec=3\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "mxtrustd")
    time.sleep(4)
    tally.check("the watchdog leaves a sound daemon alone", machine.show("NRestarts") == "0" and machine.show("ActiveState") == "active")
    machine.run("kill", "-STOP", machine.show("MainPID"))
    tally.check("one that hangs is restarted", until(lambda: machine.show("NRestarts") == "1" and machine.show("ActiveState") == "active", 30),
                machine.journal()[-800:])
    tally.check("and answers", until(lambda: machine.run("mxtrust", "--json", "failing").returncode == 0), machine.journal()[-800:])
    shutil.rmtree(place)


def edited(machine: Machine, tally) -> None:
    """What the guide has `systemctl edit` do to the sockets, block by block, and the restart that it says."""
    guide = (built.ROOT / "resolver/serve/GUIDE.md").read_text()
    blocks = re.findall(r"^```(mxtrustd\S*\.socket)\n(.*?)^```$", guide, re.M | re.S)
    mark_of_group = "SocketGroup=mxtrust"
    wanted = {"ListenDatagram=127.0.0.2:53": ["127.0.0.2:53"], mark_of_group: ["127.0.0.1:53"], "FreeBind=yes": ["127.0.0.1:53", "172.17.0.1:53"]}
    tally.check("the guide's blocks for the sockets are known", len(blocks) == len(wanted), blocks)

    def restart(unit: str) -> list[subprocess.CompletedProcess]:
        machine.run("systemctl", "daemon-reload")
        return [machine.run("systemctl", "stop", unit, "mxtrustd.service"), machine.run("systemctl", "start", "mxtrustd.service")]
    for unit, text in blocks:
        expected = next((found for mark, found in wanted.items() if mark in text), None)
        place = machine.root / f"etc/systemd/system/{unit}.d"
        place.mkdir(parents=True)
        (place / "override.conf").write_text(text)
        done = restart(unit)
        sockets = json.loads(machine.run("mxtrust", "--json", "status").stdout or "{}").get("sockets", [])
        found = sorted(door for door in sockets if not door.startswith("/"))
        who = machine.run("stat", "-c", "%a %G", "/run/mxtrust/query.sock").stdout.strip()
        good = who == "660 mxtrust" if mark_of_group in text else who.startswith("666 ")
        tally.check(f"systemctl edit {unit}, as the guide has it: {text.splitlines()[-1]}", not any(one.returncode for one in done) and
                    found == expected and good, (done, found, who, machine.journal()[-500:]))
        shutil.rmtree(place)
        restart(unit)
    file = machine.root / "etc/mxtrust/mxtrust.toml"
    before = file.read_text()
    file.write_text(before.replace("[server]", '[server]\ndns-listen = ["127.0.0.2:53"]'))
    machine.run("systemctl", "restart", "mxtrustd")
    tally.check("dns-listen beside systemd's sockets: one line says that it has no effect", until(lambda: "dns-listen: has no effect" in machine.journal()),
                machine.journal()[-500:])
    file.write_text(before)
    machine.run("systemctl", "restart", "mxtrustd")


def run(root: Path, second: Path, log: Path, tally) -> None:
    """The package is installed in ROOT; SECOND is another version of it."""
    (root / "usr/sbin/policy-rc.d").unlink()
    with Machine(root, log) as machine:
        if not machine.runs:
            print(f"systemd does not run in a container on this machine, so the units were not started: {log.read_text(errors='replace')[-300:].strip()}")
            return
        for part in (starts, reloads):
            part(machine, tally)
        restarts(machine, second, tally)
        edited(machine, tally)
        watchdog(machine, tally)
        machine.run("systemctl", "stop", "mxtrustd.service", "mxtrustd.socket", "mxtrustd-query.socket", "mxtrustd-postfix.socket")
        tally.check("it ends properly", machine.show("Result") == "success" and machine.show("ExecMainStatus") == "0", machine.journal()[-500:])
