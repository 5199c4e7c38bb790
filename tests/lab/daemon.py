"""A private mxtrustd inside the lab's world, for one test: own state, own socket, own port, stopped at the end.

    with Daemon(state) as daemon:
        answer = daemon.ask({"query": "mail", "domain": "dane-ee.nlx"})

It may be used from outside the namespace: the query socket is a file. DNS queries must come from inside
(`tests/lab/world exec`, or re-executing the test there: see enter_world).
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import built
from lab import infrastructure, lifecycle, netns, processes

START_TIMEOUT = 60.0
# Workers tell their counters once a second; longer than two of these, and a busy machine's own delay.
TOLD = 2.5
# The kernel's limit for the path of a Unix socket is 107 octets: such sockets live in a short directory.
LONGEST_SOCKET_PATH = 100


class DaemonError(Exception):
    pass


def binary():
    return pathlib.Path(os.environ.get("MXTRUST") or built.DAEMON)


def enter_world(state, script, arguments):
    """Brings the world up where needed and replaces this process by the same script inside its namespace. Returns
    where it is already there."""
    namespace = netns.name_for(state)
    marker = "MXTRUST_LAB_INSIDE"
    if os.environ.get(marker) == namespace:
        return
    subprocess.run([pathlib.Path(__file__).with_name("world"), "--state", str(state), "up", "--if-needed"], check=True)
    os.environ.update({marker: namespace, "MXTRUST_LAB": str(state)})
    command = netns.inside(namespace) + [sys.executable, "-B", str(script), *arguments]
    os.execvp(command[0], command)


class Connection:
    """One connection to the query socket."""

    def __init__(self, path, timeout):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rwb")

    def ask(self, question):
        """One request (a dictionary, or a line of the text form), one reply (parsed, or a line)."""
        line = question if isinstance(question, str) else json.dumps(question, ensure_ascii=False)
        self.file.write(line.encode() + b"\n")
        self.file.flush()
        reply = self.file.readline()
        if not reply.endswith(b"\n"):
            raise DaemonError(f"the daemon closed the connection after: {line}")
        return reply.decode().rstrip("\n") if isinstance(question, str) else json.loads(reply)

    def close(self):
        self.file.close()
        self.socket.close()


class Daemon:
    def __init__(self, state, *, folder=None, dns_port=None, log_level="info", extra="", server="", make_state=True):
        """FOLDER: where the daemon keeps its files; given, it is kept for the next one (for tests of restarts);
        else a fresh one that goes away at the end. EXTRA is appended to the configuration, SERVER to its section
        [server]. MAKE_STATE: the state directory is there already."""
        self.state = pathlib.Path(state)
        self.namespace = netns.name_for(state)
        self.keep = folder is not None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="mxtrust-"))
        self.dns_port = dns_port
        self.log_level = log_level
        self.extra = extra
        self.server = server
        self.make_state = make_state
        self.socket_path = self.folder / "query.sock"
        self.log_path = self.folder / "mxtrustd.log"
        self.process = None
        if len(str(self.socket_path)) > LONGEST_SOCKET_PATH:
            raise DaemonError(f"{self.socket_path} is too long for the path of a socket")

    def configuration(self):
        roots = infrastructure.SERVER_GROUPS["root"]
        hints = [(name, address) for name, four, six in roots for address in (four, six)]
        anchors = (self.state / "anchors").read_text().splitlines()
        text = lifecycle.configuration(self.folder, hints, anchors, dns_listen=f"127.0.0.1:{self.dns_port}",
                                       log_level=self.log_level) + self.extra
        return text.replace("[server]\n", "[server]\n" + self.server, 1)

    def start(self):
        if not binary().exists():
            raise DaemonError(f"{binary()} is not built (MXTRUST names another)")
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.make_state:
            (self.folder / "daemon").mkdir(exist_ok=True)
        # One that was killed leaves its socket; so the wait below waits for the new one.
        self.socket_path.unlink(missing_ok=True)
        if self.dns_port is None:
            self.dns_port = self.free_port()
        configuration = self.folder / "mxtrustd.toml"
        configuration.write_text(self.configuration())
        command = [str(binary()), "--config", str(configuration), "--test-mode"]
        if os.environ.get("MXTRUST_LAB_INSIDE") != self.namespace:
            command = netns.inside(self.namespace) + command
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.process = processes.identity(self.child.pid)
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def free_port(self):
        """A port nobody in the namespace uses now, for UDP and TCP."""
        code = ("import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); "
                "u = socket.socket(type=socket.SOCK_DGRAM); u.bind(s.getsockname()); print(s.getsockname()[1])")
        command = [sys.executable, "-c", code]
        if os.environ.get("MXTRUST_LAB_INSIDE") != self.namespace:
            command = netns.inside(self.namespace) + command
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def wait_until_ready(self):
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            if self.child.poll() is not None:
                raise DaemonError(f"mxtrustd ended with status {self.child.returncode}:\n{self.log_tail()}")
            try:
                connection = Connection(self.socket_path, 2.0)
                try:
                    connection.ask({"query": "status"})
                    return
                finally:
                    connection.close()
            except (OSError, DaemonError) as error:
                if time.monotonic() > deadline:
                    raise DaemonError(f"mxtrustd does not answer at {self.socket_path}: {error}\n{self.log_tail()}") from None
                time.sleep(0.02)

    def log_tail(self, lines=20):
        try:
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def connect(self, timeout=40.0):
        return Connection(self.socket_path, timeout)

    def ask(self, question):
        connection = self.connect()
        try:
            return connection.ask(question)
        finally:
            connection.close()

    def at_rest(self, *groups, limit=30.0):
        """The status once nothing is under way, everything that was found out is written (before, one worker does not know what another
        one does), and every worker has told its counters: when nothing of all that, nor of GROUPS, has changed for a while."""
        before, since, end = None, time.monotonic(), time.monotonic() + limit
        while True:
            status = self.ask({"query": "status"})
            # Asking for the status is a question, too, but none of the resolver's.
            now = [status["cache"]["entries"], status["cache"]["stored"], status["mail"], status["resolver"]["questions"],
                   status["resolver"]["in_flight"], *(status[group] for group in groups)]
            if now != before:
                before, since = now, time.monotonic()
            quiet = time.monotonic() - since >= TOLD and status["resolver"]["in_flight"] == 0
            if quiet or time.monotonic() > end:
                return status
            time.sleep(0.1)

    def alive(self):
        return self.process is not None and self.child.poll() is None

    def stop(self):
        """Asks it to end. Returns its exit status: 0 after a proper end; None where it never ran."""
        if self.process is None:
            return None
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(processes.STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.process = None
        return self.child.returncode

    def kill(self):
        """As a crash would end it."""
        self.child.kill()
        self.child.wait()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)


class OneWorker(Daemon):
    """What it has found out it knows at once, and its counters are those of the one that answers, and up to date."""

    def configuration(self):
        text, count = re.subn(r"(?m)^workers = \d+$", "workers = 1", super().configuration())
        assert count == 1
        return text
