"""Loopback addresses that nobody else uses: several runs of one test may be in the lab at the same time. And how full a socket is there."""
import pathlib
import random
import time


def addresses(count: int) -> list[str]:
    """Of 127.64.0.0/10, which has four million."""
    return [f"127.{64 + one // 65536}.{one // 256 % 256}.{one % 256}" for one in random.SystemRandom().sample(range(257, 64 * 65536 - 257), count)]


def waiting(port: int) -> int:
    """Octets that wait at the UDP sockets of this port, in the namespace that we are in."""
    lines = [line.split() for family in ("udp", "udp6") for line in pathlib.Path(f"/proc/net/{family}").read_text(encoding="ascii").splitlines()[1:]]
    return sum(int(fields[4].partition(":")[2], 16) for fields in lines if int(fields[1].rpartition(":")[2], 16) == port)


def taken_in(port: int, at_most: int = 0, limit: float = 20.0) -> None:
    """Returns when hardly anything waits there any more: a flood that is faster than a busy machine loses datagrams in the kernel, and shows
    nothing of who reads them."""
    end = time.monotonic() + limit
    while waiting(port) > at_most and time.monotonic() < end:
        time.sleep(0.001)
