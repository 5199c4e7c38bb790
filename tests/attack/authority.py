"""The name servers of the world: one process for the honest zones, one for the hostile ones, so that what a liar computes does not slow
down those beside it. Each listens on many addresses, UDP and TCP, writes down who asked what, and does what its zones say.

A zone's `reply(question)` gives octets, None for silence, or a list of (seconds, octets) to send one after the other; its `stream(question,
reader, writer)`, where it has one, does with a connection what it likes.
"""
import asyncio
import collections
import multiprocessing
import os
import socket
import struct
import threading
import time

from attack import wire

Seen = collections.namedtuple("Seen", "time address stream name type port edns other")
IDLE = 10.0
# Unbound asks from this address, so that its questions are not taken for mxtrust's.
OTHER = "20.53.9.9"


class Server:
    """What one process serves: `choose(question)` gives the zone that is asked."""

    def __init__(self, addresses: list[str], choose):
        self.addresses, self.choose = addresses, choose
        self.seen: list[Seen] = []
        self.mute = False
        self.count = [0, 0]
        self.tasks: set[asyncio.Task] = set()
        self.sockets: dict[str, socket.socket] = {}

    def note(self, question: wire.Question) -> None:
        self.seen.append(Seen(time.monotonic(), question.address, question.stream, question.name, question.type, question.peer[1], question.edns,
                              question.peer[0] == OTHER))
        self.count[question.peer[0] == OTHER] += 1

    def datagram(self, plug: socket.socket, address: str) -> None:
        for _ in range(32):
            try:
                data, peer = plug.recvfrom(4096)
            except (BlockingIOError, ConnectionError):
                return
            try:
                question = wire.Question(data, False, address, peer)
            except (IndexError, struct.error):
                continue
            self.note(question)
            if self.mute:
                continue
            reply = self.choose(question).reply(question)
            for pause, octets in reply if isinstance(reply, list) else [(0, reply)]:
                if octets is None:
                    continue
                if len(octets) > question.size:
                    octets = wire.message(question, tc=True)
                if pause:
                    asyncio.get_running_loop().call_later(pause, self.send, plug, octets, peer)
                else:
                    self.send(plug, octets, peer)

    @staticmethod
    def send(plug: socket.socket, octets: bytes, peer) -> None:
        try:
            plug.sendto(octets, peer)
        except OSError:
            pass  # the asker has gone

    async def stream(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await asyncio.wait_for(reader.readexactly(2), IDLE)
                data = await asyncio.wait_for(reader.readexactly(struct.unpack("!H", head)[0]), IDLE)
                question = wire.Question(data, True, address, writer.get_extra_info("peername"))
                self.note(question)
                if self.mute:
                    continue
                zone = self.choose(question)
                if hasattr(zone, "stream"):
                    await zone.stream(question, reader, writer)
                    continue
                reply = zone.reply(question)
                for pause, octets in reply if isinstance(reply, list) else [(0, reply)]:
                    await asyncio.sleep(pause)
                    if octets is not None:
                        writer.write(wire.framed(octets[:65535]))
                        await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.TimeoutError, OSError, IndexError, struct.error):
            pass
        finally:
            writer.close()

    async def listen(self) -> None:
        loop = asyncio.get_running_loop()
        for address in self.addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            plug = socket.socket(family, socket.SOCK_DGRAM)
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            plug.setblocking(False)
            plug.bind((address, 53))
            loop.add_reader(plug, self.datagram, plug, address)
            self.sockets[address] = plug
            await asyncio.start_server(lambda reader, writer, address=address: self.stream(address, reader, writer), address, 53, backlog=512)

    def obey(self, pipe, loop) -> None:
        """Runs in a thread of its own: what the test wants to know, and to change."""
        while True:
            try:
                verb, argument = pipe.recv()
            except (EOFError, OSError):
                loop.call_soon_threadsafe(loop.stop)
                return
            if verb == "seen":
                pipe.send([one for one in self.seen[argument:] if not one.other])
            elif verb == "count":
                pipe.send(self.count[argument] if argument is not None else len(self.seen))
            elif verb == "mute":
                self.mute = argument
                pipe.send(None)
            else:
                pipe.send(self.choose.command(verb, argument))

    def run(self, pipe, strangers) -> None:
        for one in strangers:
            one.close()
        loop = asyncio.new_event_loop()
        loop.run_until_complete(self.listen())
        threading.Thread(target=self.obey, args=(pipe, loop), daemon=True).start()
        pipe.send("ready")
        loop.run_forever()
        os._exit(0)


class Handle:
    """A server process, seen from the test."""
    handles: list["Handle"] = []

    def __init__(self, server: Server):
        self.pipe, other = multiprocessing.Pipe()
        self.lock = threading.Lock()
        strangers = [self.pipe] + [handle.pipe for handle in Handle.handles]
        self.process = multiprocessing.get_context("fork").Process(target=server.run, args=(other, strangers), daemon=True)
        self.process.start()
        other.close()
        assert self.pipe.recv() == "ready"
        Handle.handles.append(self)

    def tell(self, verb: str, argument=None):
        with self.lock:
            self.pipe.send((verb, argument))
            return self.pipe.recv()

    def seen(self, since: int = 0) -> list[Seen]:
        return self.tell("seen", since)

    def place(self) -> int:
        """Where what is seen from now on begins."""
        return self.tell("count")

    def count(self, other=False) -> int:
        """Questions of mxtrust's, or of the other resolver's."""
        return self.tell("count", 1 if other else 0)

    def stop(self) -> None:
        self.pipe.close()
        self.process.join(3)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        Handle.handles.remove(self)
