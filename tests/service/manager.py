"""A service manager for one daemon: what systemd does, as sd_notify(3) and sd_listen_fds(3) say it, and nothing more.

It opens the sockets and keeps them, starts the daemon with them, and writes down what it is told.
"""
import os
import pathlib
import select
import socket
import subprocess
import time

import built
from lab.daemon import Daemon


class Notices:
    """NOTIFY_SOCKET: every message with the time it came."""

    def __init__(self, folder: pathlib.Path):
        self.path = folder / "notify.sock"
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        os.chmod(self.path, 0o666)          # as systemd's: whoever the daemon becomes
        self.all: list[tuple[float, dict]] = []

    def read(self, wait: float = 0.0) -> None:
        while select.select([self.socket], [], [], wait)[0]:
            message = self.socket.recv(8192).decode()
            self.all.append((time.monotonic(), dict(line.split("=", 1) for line in message.splitlines() if "=" in line)))
            wait = 0.0

    def await_one(self, key: str, value: str | None = None, *, since: float = 0.0, limit: float = 60.0) -> tuple[float, dict] | None:
        """The first message with it after `since`."""
        end = time.monotonic() + limit
        while True:
            for at, message in self.all:
                if at > since and key in message and value in (None, message[key]):
                    return at, message
            if time.monotonic() > end:
                return None
            self.read(0.05)

    def count(self, key: str, since: float) -> int:
        self.read()
        return sum(key in message and at > since for at, message in self.all)

    def close(self) -> None:
        self.socket.close()


class Doors:
    """Sockets that stay while daemons come and go."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.sockets: list[tuple[str, socket.socket]] = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.port = self.udp.getsockname()[1]
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.bind(("127.0.0.1", self.port))
        tcp.listen(512)
        for name in ("query", "postfix"):
            path = folder / f"{name}.sock"
            path.unlink(missing_ok=True)
            door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            door.bind(str(path))
            os.chmod(path, 0o666)
            door.listen(512)
            self.sockets.append((name, door))
        self.sockets += [("dns", self.udp), ("dns", tcp)]

    def close(self) -> None:
        for _, door in self.sockets:
            door.close()


class Managed(Daemon):
    """The lab's daemon, started as systemd starts it. PASSED: (name, socket) in order."""

    def __init__(self, state, *, folder, passed=(), watchdog: float = 0.0, own: bool = False, **more):
        super().__init__(state, folder=folder, **more)
        self.passed, self.watchdog, self.own = list(passed), watchdog, own
        self.folder.mkdir(parents=True, exist_ok=True)
        self.notices = Notices(self.folder)
        self.variables: dict[str, str] = {}
        self.wrapper: list[str] = []

    def configuration(self):
        text = super().configuration()
        if self.own or not self.passed:
            return text
        # What is passed goes before what is configured: nothing may listen at these.
        return text.replace("query.sock", "unused-query.sock").replace("postfix.sock", "unused-postfix.sock")

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "daemon").mkdir(exist_ok=True)
        if self.dns_port is None:
            self.dns_port = self.free_port()
        file = self.folder / "mxtrustd.toml"
        file.write_text(self.configuration())
        names = ":".join(name for name, _ in self.passed)
        script = 'export LISTEN_PID=$$; [ -n "$WATCHDOG_USEC" ] && export WATCHDOG_PID=$$; exec "$@"'
        environment = {**os.environ, **self.variables, "NOTIFY_SOCKET": str(self.notices.path)}
        if self.passed:
            environment.update(LISTEN_FDS=str(len(self.passed)), LISTEN_FDNAMES=names)
        if self.watchdog:
            environment["WATCHDOG_USEC"] = str(int(self.watchdog * 1e6))
        descriptors = [door.fileno() for _, door in self.passed]

        def place():                # 3, 4, 5, …: first out of the way, then where they belong
            away = [os.dup2(fd, 100 + at) for at, fd in enumerate(descriptors)]
            for at, fd in enumerate(away):
                os.dup2(fd, 3 + at, inheritable=True)
                os.close(fd)
        command = ["/bin/sh", "-c", script, "sh", *self.wrapper, str(built.DAEMON), "--config", str(file), "--test-mode"]
        self.started_at = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                          env=environment, preexec_fn=place, close_fds=False)
        self.process = True
        return self

    def wait_ready(self, limit: float = 60.0) -> bool:
        return self.notices.await_one("READY", "1", since=self.started_at, limit=limit) is not None

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def __enter__(self):
        self.start()
        if not self.wait_ready():
            self.stop()
            raise RuntimeError(f"not ready:\n{self.log_tail()}")
        return self

    def __exit__(self, *_):
        self.stop()
        self.notices.close()
