"""What bench/run measures: the rows of the table with their targets, and a function for each figure that takes it once.

A figure is a function (resolver class, scene, sizes) → {row: value}; a row that starts with "_" is about the figure itself.
"""

import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import resolvers
from scene import tool

ROUND_TRIP = 0.020  # of the link, seconds
COLD_AT_ONCE = 4
WARM = 100          # domains asked first: root, TLDs and hosters are known after any resolver's first minute
GROWTH = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Sizes:
    """How much is asked. The usual ones take an hour with five resolvers; the short ones a quarter of that."""
    domains: int = 2000
    cold: int = 4000
    hot: int = 500
    seconds: float = 4.0
    dead: int = 300
    restart: int = 1500
    rounds: dict = field(default_factory=dict)
    usual_rounds: int = 3
    growth: tuple = GROWTH
    left_out: tuple = ()


SHORT = Sizes(domains=1000, hot=300, seconds=3.0, dead=60, restart=400, rounds={"hot": 3, "cold": 2, "expired": 3}, usual_rounds=1, growth=GROWTH[:3],
              left_out=("memory",))
TINY = Sizes(domains=300, hot=100, seconds=1.0, dead=20, restart=100, usual_rounds=1, growth=GROWTH[:1])


@dataclass(frozen=True)
class Row:
    """One line of the table. BETTER: 'more' or 'less'. TARGET: words, and function(mxtrust's, best peer's) → reached?"""
    key: str
    title: str
    unit: str
    better: str
    target: tuple = ("", None)


def times(factor):
    return lambda own, peer: peer is None or own >= factor * peer


def at_most(limit):
    return lambda own, peer: own <= limit


def part(share):
    return lambda own, peer: peer is None or own <= share * peer


ROWS = [
    Row("hot_rate", "hot mail answers per second and core", "/s", "more", ("≥ 4 × best peer", times(4))),
    Row("hot_p50", "hot mail answer, one at a time, p50", "µs", "less", ("≤ 1/3 of best peer", part(1 / 3))),
    Row("hot_dns_cpu", "hot plain DNS, CPU per query", "µs", "less", ("≤ best peer", part(1))),
    Row("cold_mean", "cold answer, mean", "ms", "less", ("≤ 65 ms", at_most(65))),
    Row("cold_p99", "cold answer, p99", "ms", "less", ("≤ 150 ms", at_most(150))),
    Row("cold_pipelined_mean", "cold answer, pipelining client, mean", "ms", "less"),
    Row("cold_cpu", "CPU per 1,000 cold domains", "s", "less", ("≤ 0.40 s", at_most(0.40))),
    Row("cold_packets", "packets to authorities per cold domain", "", "less", ("≤ 6.5", at_most(6.5))),
    Row("dead_mean", "one of two name servers dead, cold, mean", "ms", "less", ("≤ 150 ms", at_most(150))),
    Row("dropped_max", "TLSA dropped by every server, longest", "ms", "less", ("≤ 5,000 ms", at_most(5_050))),
    Row("expired", "expired domain, once known, round trips", "", "less", ("≤ 1.3", at_most(1.3))),
    Row("restart_first", "first answer after restart", "ms", "less", ("≤ 50 ms", at_most(50))),
    Row("restart_pass", "first pass after restart / hot pass", "×", "less", ("≤ 1.2 ×", at_most(1.2))),
    Row("memory", "memory per cached answer", "octets", "less", ("≤ 400", at_most(400))),
    *(row for size in GROWTH for row in (
        Row(f"growth_hot_{size}", f"{size:,} domains cached: answers from the store, CPU each", "µs", "less"),
        Row(f"growth_cold_{size}", f"{size:,} domains cached: cold answer, mean", "ms", "less"))),
]


def hot(kind, scene, sizes):
    domains = scene.domains()[:sizes.hot]
    with kind(scene) as resolver:
        resolver.mail(domains, at_once=32)
        resolver.mail(domains, at_once=32)
        before, result = resolver.cpu(), resolver.mail(domains, at_once=64, seconds=sizes.seconds, pipelined=True)
        rate = result["answers"] / (resolver.cpu() - before)
        alone = resolver.mail(domains, at_once=1, seconds=sizes.seconds / 2)
        resolver.ask(domains, "plain", 32)
        before, plain = resolver.cpu(), resolver.ask(domains, "plain", 64, sizes.seconds)
        cpu = (resolver.cpu() - before) / plain["questions"]
    return {"hot_rate": rate, "hot_p50": alone["p50_us"], "hot_dns_cpu": cpu * 1e6,
            "errors": result["errors"] + alone["errors"] + plain["errors"]}


def cold(kind, scene, sizes):
    domains = scene.domains()[WARM:WARM + sizes.cold]
    found = {}
    with kind(scene) as resolver:
        resolver.mail(scene.domains()[:WARM], at_once=8)
        scene.tell_link("reset")
        before, result = resolver.cpu(), resolver.mail(domains, at_once=COLD_AT_ONCE)
        seen = scene.tell_link("stats")
        count = len(domains)
        found |= {"cold_mean": result["mean_us"] / 1e3, "cold_p99": result["p99_us"] / 1e3,
                  "cold_cpu": (resolver.cpu() - before) / count * 1000, "cold_packets": (seen["queries"] + seen["connections"]) / count,
                  "errors": result["errors"]}
    if kind is not resolvers.Mxtrust:
        with kind(scene) as resolver:
            resolver.mail(scene.domains()[:WARM], at_once=8)
            found["cold_pipelined_mean"] = resolver.mail(domains, at_once=COLD_AT_ONCE, pipelined=True)["mean_us"] / 1e3
    else:
        found["cold_pipelined_mean"] = found["cold_mean"]
    return found


def dead(kind, scene, sizes):
    """The first server of every hoster and provider is gone."""
    for group in ("hoster", "provider"):
        for address in scene.addresses(group)[::2]:
            scene.tell_link(f"drop {address}")
    try:
        with kind(scene) as resolver:
            resolver.mail(scene.domains()[:30], at_once=30)
            result = resolver.mail(scene.domains()[WARM:WARM + sizes.dead], at_once=COLD_AT_ONCE)
    finally:
        scene.tell_link("clear")
    return {"dead_mean": result["mean_us"] / 1e3, "errors": result["errors"]}


def dropped(kind, scene, sizes):
    scene.tell_link("drop-type 52")
    try:
        with kind(scene) as resolver:
            result = resolver.mail(scene.domains()[:20], at_once=20)
    finally:
        scene.tell_link("clear")
    return {"dropped_max": result["max_us"] / 1e3}


def expired(kind, scene, sizes):
    domains = scene.domains("short")[:40]
    with kind(scene) as resolver:
        resolver.mail(domains, at_once=8)
        time.sleep(4)
        result = resolver.mail(domains, at_once=COLD_AT_ONCE)
    return {"expired": result["mean_us"] / 1e6 / ROUND_TRIP, "errors": result["errors"]}


def restart(kind, scene, sizes):
    domains = scene.domains()[:sizes.restart]
    folder = tempfile.mkdtemp(prefix="mxb-")
    try:
        with kind(scene, folder) as resolver:
            resolver.mail(domains, at_once=32)
            hot_pass = min(resolver.mail(domains, at_once=1)["seconds"] for _ in range(2))
            time.sleep(0.5)
        with kind(scene, folder) as resolver:
            ready = time.monotonic() - resolver.begun
            first = resolver.mail(domains[:1])
            first_pass = resolver.mail(domains, at_once=1)["seconds"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"restart_first": ready * 1e3 + first["mean_us"] / 1e3, "restart_pass": first_pass / hot_pass}


def memory(kind, scene, sizes):
    domains = scene.domains()
    with kind(scene) as resolver:
        resolver.mail(domains[:20], at_once=8)
        before = resolver.memory()
        asked = resolver.ask(domains[20:], "pipelining", 32)
        grown = resolver.memory() - before
    return {"memory": grown / asked["questions"]}


def growth(kind, scene, sizes):
    """Hot and cold beside so many domains in the store, which a tool has put there (fill.cc); only for mxtrust."""
    found = {}
    if kind is not resolvers.Mxtrust:
        return found
    for size in sizes.growth:
        folder = tempfile.mkdtemp(prefix="mxb-")
        try:
            resolver = kind(scene, folder, cache=max(256, size // 200))
            resolver.command()  # writes the configuration
            done = subprocess.run([tool("fill"), f"{folder}/mxtrust.toml", str(size)], capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"bench_fill: {done.stderr}")
            filled = json.loads(done.stdout)
            if filled["dropped"] or filled["evicted"]:
                raise RuntimeError(f"bench_fill: not all of it is in the store: {filled}")
            with resolver:
                step = max(1, size // 5000)
                once = [f"f{number}.t{number % 8}" for number in range(0, size, step)]
                before, result = resolver.cpu(), resolver.mail(once, at_once=32)
                found[f"growth_hot_{size}"] = (resolver.cpu() - before) / len(once) * 1e6
                fresh = scene.domains()[:200]
                cold_result = resolver.mail(fresh, at_once=COLD_AT_ONCE)
                found[f"growth_cold_{size}"] = cold_result["mean_us"] / 1e3
                found["errors"] = found.get("errors", 0) + result["errors"] + cold_result["errors"]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return found


FIGURES = {"hot": hot, "cold": cold, "dead": dead, "dropped": dropped, "expired": expired, "restart": restart, "memory": memory,
           "growth": growth}


def noise(span=0.3):
    """How much of the machine others use right now, 0 to 1."""
    def busy():
        fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
        return sum(fields[:3]) + sum(fields[5:8]), sum(fields[:8])
    before = busy()
    time.sleep(span)
    after = busy()
    return (after[0] - before[0]) / max(1, after[1] - before[1])


def calm(limit=0.03, patience=60):
    """Waits until others use no more than LIMIT, as name servers do that are still reading 200,000 zones; → what they use then."""
    end = time.monotonic() + patience
    while (used := noise()) > limit and time.monotonic() < end:
        time.sleep(0.7)
    return used
