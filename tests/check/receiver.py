"""Servers that no mail server would be: each listens on an address of loopback, port 25, and does one thing wrong. The right one is
here, too, with the certificate of whoever asks for it."""
import socket
import ssl
import threading
import time

CHUNK = b"x" * 65536


class Lines:
    """The client's lines, with everything that it said kept."""

    def __init__(self, connection, heard):
        self.connection, self.heard, self.rest = connection, heard, b""

    def next(self):
        while b"\n" not in self.rest:
            more = self.connection.recv(4096)
            if not more:
                raise ConnectionError("closed")
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        self.heard.append(line.decode("latin-1").strip())
        return self.heard[-1]


def context(*chains, ciphers="DEFAULT:@SECLEVEL=0", oldest=None, newest=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(ciphers)
    if oldest:
        made.minimum_version, made.maximum_version = oldest, newest
    for chain in chains:
        made.load_cert_chain(*chain)
    return made


class Receiver:
    """PLAY: what to do with a connection. Everything that clients said is in `heard`, a list for each connection."""

    def __init__(self, address, play, port=25):
        self.play, self.heard = play, []
        self.listener = socket.create_server((address, port), backlog=16)
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.stopped.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        heard = []
        self.heard.append(heard)
        connection.settimeout(30)
        with connection:
            try:
                self.play(connection, Lines(connection, heard), self.stopped)
            except (OSError, ssl.SSLError, ConnectionError):
                pass

    def stop(self):
        self.stopped.set()
        self.listener.close()


def begin(connection, lines, greeting=b"220 played.lab ESMTP\r\n", extensions=(b"PIPELINING", b"STARTTLS")):
    """Up to the client's STARTTLS."""
    connection.sendall(greeting)
    lines.next()
    said = [b"played.lab", *extensions]
    connection.sendall(b"".join(b"250" + (b" " if n == len(said) - 1 else b"-") + word + b"\r\n" for n, word in enumerate(said)))
    return lines.next()


def over_tls(made):
    """A server that is in order, with this context."""
    def play(connection, lines, stopped):
        while begin(connection, lines) != "STARTTLS":
            connection.sendall(b"221 bye\r\n")
            return
        connection.sendall(b"220 go ahead\r\n")
        with made.wrap_socket(connection, server_side=True) as tls:
            inside = Lines(tls, lines.heard)
            while True:
                word = inside.next().split(" ")[0].upper()
                tls.sendall(b"221 bye\r\n" if word == "QUIT" else b"250 played.lab\r\n")
                if word == "QUIT":
                    return
    return play


def saying(text):
    """This as the greeting, and 221 to QUIT."""
    def play(connection, lines, stopped):
        connection.sendall(text)
        while lines.next() != "QUIT":
            pass
        connection.sendall(b"221 bye\r\n")
    return play


def starttls_says(text, then=None):
    def play(connection, lines, stopped):
        if begin(connection, lines) == "STARTTLS":
            connection.sendall(text)
            if then:
                then(connection, lines, stopped)
            elif text:
                lines.next()
    return play


def without_starttls(connection, lines, stopped):
    connection.sendall(b"220 played.lab ESMTP\r\n")
    while lines.next() != "QUIT":
        connection.sendall(b"250 played.lab\r\n")
    connection.sendall(b"221 bye\r\n")


def garbage(connection, lines, stopped):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n" + b"\0" * 512)
    time.sleep(0.2)


def cut_in_handshake(connection, lines, stopped):
    connection.recv(4096)
    # The beginning of a handshake record, and no more.
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00")


def flood_in_handshake(connection, lines, stopped):
    connection.recv(4096)
    # A certificate message that says it has 16 MB.
    connection.sendall(b"\x16\x03\x03\x00\x04\x02\xff\xff\xff" + CHUNK)


def silence(connection, lines, stopped):
    stopped.wait(30)


def endless(connection, lines, stopped):
    while not stopped.is_set():
        connection.sendall(b"220-and on\r\n" * 500)


def long_line(connection, lines, stopped):
    connection.sendall(b"220 ")
    while not stopped.is_set():
        connection.sendall(CHUNK)


def drip(connection, lines, stopped):
    for octet in b"220 slow but steady" * 100:
        connection.sendall(bytes([octet]))
        if stopped.wait(0.3):
            return


def closed(connection, lines, stopped):
    return


class Unreachable:
    """An address whose queue of connections is full: what comes now is not answered."""

    def __init__(self, address, port=25):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(0)
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((address, port))
            self.fillers.append(filler)
        time.sleep(0.1)

    def stop(self):
        for one in [*self.fillers, self.listener]:
            one.close()
