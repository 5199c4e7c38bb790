"""Loopback addresses that nobody else uses: several runs of one test may be in the lab at the same time."""
import random


def addresses(count: int) -> list[str]:
    """Of 127.64.0.0/10, which has four million."""
    return [f"127.{64 + one // 65536}.{one // 256 % 256}.{one % 256}" for one in random.SystemRandom().sample(range(257, 64 * 65536 - 257), count)]
