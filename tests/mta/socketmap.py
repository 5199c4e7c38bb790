"""socketmap_table(5), both ends: a client, and a server that gives every key the same reply."""
import socket
import threading


def netstring(text):
    octets = text if isinstance(text, bytes) else text.encode()
    return str(len(octets)).encode() + b":" + octets + b","


class Client:
    def __init__(self, path, timeout=30.0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.buffer = b""

    def write(self, octets):
        self.socket.sendall(octets)

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reply(self):
        """The next reply; None at the end of the connection."""
        while True:
            length, colon, rest = self.buffer.partition(b":")
            if colon and len(rest) > int(length):
                self.buffer = rest[int(length) + 1:]
                return rest[:int(length)].decode()
            octets = self.socket.recv(65536)
            if not octets:
                return None
            self.buffer += octets

    def ask(self, request):
        self.write(netstring(request))
        return self.reply()

    def close(self):
        self.socket.close()


class FixedServer:
    """Whatever is asked, the reply is REPLY."""

    def __init__(self, path, reply):
        self.reply = netstring(reply)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(path))
        path.chmod(0o666)
        self.socket.listen()
        self.connections = []

    def start(self):
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        buffer = b""
        try:
            while octets := connection.recv(65536):
                buffer += octets
                length, colon, rest = buffer.partition(b":")
                while colon and len(rest) > int(length):
                    buffer = rest[int(length) + 1:]
                    connection.sendall(self.reply)
                    length, colon, rest = buffer.partition(b":")
        except OSError:
            pass

    def stop(self):
        for one in [self.socket, *self.connections]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
