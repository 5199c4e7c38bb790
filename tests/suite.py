"""The parts of tests/run: what is built and run, in which order, and how it is counted.

Every part is a list of jobs. A command of a job that ends with a line `N passed, N failed` counts for these; a unit-test program for its
test cases; anything else for one. A command that fails without saying so, is killed, or says nothing counts as one more failure. How
they are played side by side is in play.py; parts are told in their order, each when all of it and what stands before it is done.
"""
import argparse
import concurrent.futures
import shutil
import signal
import sys
import time
from dataclasses import dataclass

from judging import Count, judge
from play import BUILD, LANES, LOGS, PROCESSORS, ROOT, WORKING, Done, How, Job, Play, Stage, machine

RESOLUTIONS = 20_000            # of the simulation; under a sanitizer, where each takes ten times as long:
SANITIZED_RESOLUTIONS = 2_000
PROGRAMS = ("mxtrustd", "mxtrust")
LAB = "tests/lab/install"
# Unit tests that take long begin first.
LONG = ("resolve", "cache", "mail", "dns", "dnssec", "route", "serve")


@dataclass(frozen=True)
class Part:
    """What is told together."""
    title: str
    jobs: tuple[Job, ...]


def script(folder: str, *arguments: str, name: str = "", preset: str = "dev", targets: tuple[str, ...] = PROGRAMS,
           installs: tuple[str, ...] = (LAB,), how: How = How.BESIDE) -> Job:
    """tests/FOLDER/run."""
    return Job(name or folder, lambda stage: stage.program(f"tests/{folder}/run", *arguments), preset, targets, installs, how)


def with_own(folder: str, **more) -> Job:
    """One that brings other programs of Debian's."""
    return script(folder, installs=(LAB, f"tests/{folder}/install"), **more)


def unit(preset: str) -> Job:
    """A test program for every folder of tests/ that has the name of a room and a source in it; they share nothing."""
    rooms = sorted((path.name for path in (ROOT / "resolver").iterdir() if path.is_dir() and any((ROOT / "tests" / path.name).glob("*.cc"))),
                   key=lambda room: (LONG.index(room) if room in LONG else len(LONG), room))

    def one(room: str) -> Done:
        program = BUILD / preset / "tests" / f"test_{room}"
        if not program.exists():
            return Done(Count(failed=1, notes=[f"{preset}: {program.name} was not built"]))
        stage = Stage(LOGS / f"{preset}-{program.name}.log", preset, by=WORKING)
        with Stage.slots:
            status, text = stage.execute([str(program)])
        return Done(judge(f"{preset}: {program.name}", status, text), processor=stage.processor)

    def play(stage: Stage) -> Count:
        count = Count()
        with concurrent.futures.ThreadPoolExecutor(len(rooms)) as pool:
            for done in pool.map(one, rooms):
                count.add(done.count)
                stage.processor += done.processor
        return count
    return Job(f"{preset}-unit", play, preset, how=How.WORKS)


def world(preset: str) -> tuple[Job, ...]:
    """The tests that ask a running daemon in the lab."""
    return tuple(script(folder, name=f"{preset}-{folder}", preset=preset) for folder in ("mail", "explain", "operator", "restart", "blackbox"))


def simulate(preset: str, resolutions: int) -> Job:
    """The resolver in simulated Internets, in virtual time."""
    return Job(f"{preset}-simulate", lambda stage: stage.program("tests/simulate/run", "--resolutions", str(resolutions), environment={
        "MXTRUST_SIMULATE": str(BUILD / preset / "tests/simulate")}), preset, ("simulate",), how=How.WORKS)


def sanitized(preset: str) -> tuple[Job, ...]:
    """A sanitizer's build, its unit tests, the daemon built so in the lab, and the resolver in some simulated Internets (which have
    one thread, and nothing to tell the thread sanitizer)."""
    crash = script("crash", "kills", "damage", "--kills", "5", "--variants", "90", name=f"{preset}-crash", preset=preset,
                   targets=(*PROGRAMS, "crash_store", "crash_weigh"))
    return (*world(preset), crash, unit(preset), *([simulate(preset, SANITIZED_RESOLUTIONS)] if preset != "tsan" else []))


def beyond(preset: str) -> tuple[Job, ...]:
    """The other tests that ask a daemon, of a sanitizer's build: longer than CI has time for."""
    alone = {"anchors", "attack", "service", "soak", "conformance"}
    with_installs = {"service", "mta", "check", "sts"}
    return tuple(script(folder, name=f"{preset}-{folder}", preset=preset,
                        installs=(LAB, *([f"tests/{folder}/install"] if folder in with_installs else ())),
                        how=How.ALONE if folder in alone else How.BESIDE)
                 for folder in ("forward", "mta", "check", "sts", "anchors", "service", "conformance", "soak", "attack"))


def fuzz_targets() -> tuple[str, ...]:
    """A program for every source in tests/fuzz."""
    return tuple(sorted(f"fuzz_{path.stem}" for path in (ROOT / "tests/fuzz").glob("*.cc")))


PARTS = {
    "tidy": Part("house rules", (Job("tidy", lambda stage: stage.program("tests/tidy")),)),
    "toolchain": Part("what the compilers do to coroutines", (script("toolchain", preset="", installs=()),)),
    "unit": Part("clang-19: build and unit tests", (unit("dev"),)),
    "lab": Part("the lab world, checked from outside", (Job("lab", lambda stage: stage.program("tests/lab/selfcheck"), installs=(LAB,)),)),
    "world": Part("a daemon in the lab: every mail domain, every breakage explained, kill -9, hostile input", world("dev")),
    "soak": Part("a daemon under good and hostile load for a minute: memory, descriptors, latency, statuses", (script("soak", how=How.ALONE),)),
    "crash": Part("the cache: kill -9, damaged files, full disk, floods, two daemons",
                  (script("crash", targets=(*PROGRAMS, "crash_store", "crash_weigh")),)),
    "guide": Part("what people are told: manual pages, the guide's configuration, status", (with_own("guide", targets=(*PROGRAMS, "manual")),)),
    "anchors": Part("the root rolls its key, live: RFC 5011 and 8145, bad state", (script("anchors", how=How.ALONE),)),
    "attack": Part("every attack of the catalogue, in worlds of its own", (script("attack", how=How.ALONE),)),
    "forward": Part("forwarders: real, broken, dead, ourselves; recursion impossible and back", (script("forward"),)),
    "cost": Part("what an answer costs, counted: packets, verifications, system calls", (with_own("cost"),)),
    "service": Part("systemd's protocols, reload, bad days", (with_own("service", how=How.ALONE),)),
    "package": Part("the Debian package in a fresh root", (
        script("package", preset="release", targets=(*PROGRAMS, "manual"), installs=("tests/package/install", "tests/package/run --root")),)),
    "mta": Part("Postfix and Exim deliver or hold back", (with_own("mta"),)),
    "check": Part("mxtrust check: real and impossible servers, a second opinion, the pages", (with_own("check"),)),
    "sts": Part("MTA-STS beside DANE: policies from web servers, enforced by Postfix", (with_own("sts"),)),
    "differential": Part("Unbound, Knot Resolver and BIND are asked the same", (with_own("differential", how=How.ALONE),)),
    "simulate": Part(f"{RESOLUTIONS:,} questions in simulated Internets", (simulate("dev", RESOLUTIONS),)),
    "conformance": Part("replayed scenarios of other resolvers", (script("conformance", installs=(), how=How.ALONE),)),
    "asan": Part("address and undefined-behaviour sanitizers: everything", sanitized("asan")),
    "tsan": Part("thread sanitizer: everything", sanitized("tsan")),
    "gcc": Part("g++: build, unit tests, and its daemon in the lab", (*world("gcc"), unit("gcc"))),
    "fuzz": Part("every fuzz target over its seeds, and for a short while beyond",
                 (script("fuzz", preset="fuzz", targets=fuzz_targets(), installs=(), how=How.ALONE),)),
    "asan-beyond": Part("address and undefined-behaviour sanitizers: what asks a daemon and is not in asan (not by default: a quarter of an hour)",
                        beyond("asan")),
    "tsan-beyond": Part("thread sanitizer: the same (not by default)", beyond("tsan")),
    "clang-tidy": Part("clang-tidy-19 (not by default: minutes)", (
        Job("clang-tidy", lambda stage: stage.program("tests/tidy", "--clang-tidy"), "dev", PROGRAMS),)),
}
ON_DEMAND = ("asan-beyond", "tsan-beyond", "clang-tidy")


def tell(part: Part, done: list[Done]) -> Count:
    """How often it passed and failed, what failed, and how long it took beside what it worked: the difference is waiting."""
    total = Count()
    for one in done:
        total.add(one.count)
    of = "" if len(done) == 1 else ": " + ", ".join(f"{job.name.split('-', 1)[-1]} {one.wall:.0f}/{one.processor:.0f}"
                                                     for job, one in zip(part.jobs, done))
    times = Done(total, sum(one.wall for one in done), sum(one.processor for one in done)).times()
    print(f"{'':12} {total.passed} passed, {total.failed} failed ({times}{of})", flush=True)
    for note in total.notes:
        print(f"{'':12} {note}", flush=True)
    return total


def play(parts: list[str]) -> Count:
    """All of them, telling each in its turn."""
    playing, total = Play([job for part in parts for job in PARTS[part].jobs]), Count()
    try:
        playing.start()
        for part in parts:
            print(f"{part:12} {PARTS[part].title} …", flush=True)
            total.add(tell(PARTS[part], [playing.result(job) for job in PARTS[part].jobs]))
    finally:
        playing.stop()
    return total


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="tests/run", description="Runs the tests.")
    parser.add_argument("--list", action="store_true", help="name the parts")
    parser.add_argument("parts", nargs="*", metavar="PART", help="which parts (default: all)")
    args = parser.parse_args()
    if args.list:
        print("\n".join(f"{name:12} {part.title}" for name, part in PARTS.items()))
        return 0
    if unknown := [part for part in args.parts if part not in PARTS]:
        parser.error(f"no such part: {' '.join(unknown)} (there are: {' '.join(PARTS)})")
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parts = list(dict.fromkeys(args.parts)) or [name for name in PARTS if name not in ON_DEMAND]
    begun, (worked, rested) = time.monotonic(), machine()
    try:
        total = play(parts)
    finally:
        Stage.over.clear()
        for lane in range(LANES):   # programs leave the lab up for those after them
            down = Stage(LOGS / "lab-down.log", lane=lane)
            if down.lab.exists():
                down.execute([str(ROOT / "tests/lab/world"), "down"])
    worked, rested = (now - before for now, before in zip(machine(), (worked, rested)))
    print(f"{(time.monotonic() - begun) / 60:.1f} minutes on {PROCESSORS} processors, which worked {worked / 60:.0f} minutes and rested "
          f"{rested / 60:.0f}; what each job said: build/logs/")
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
