"""The parts of tests/run: what is built and run, in which order, and how it is counted.

Every part is a list of commands. A command that ends with a line `N passed, N failed` counts for these; a unit-test program for its
test cases; anything else for one. A command that fails without saying so, is killed, or says nothing counts as one more failure.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from judging import Count, judge, last_words

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
JOBS = str(os.cpu_count() or 2)
RESOLUTIONS = 20_000            # of the simulation; under a sanitizer, where each takes ten times as long:
SANITIZED_RESOLUTIONS = 2_000
LIMIT = 1500                    # seconds for one command: nothing here takes half of it on two cores
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:abort_on_error=1:disable_coredump=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1:suppressions={ROOT / 'tests/thread-suppressions.txt'}",
}


def environment(preset: str) -> dict[str, str]:
    """What every command gets: our own ccache, the build to test, sanitizers that stop at the first finding."""
    return {**os.environ, **SANITIZERS, "CCACHE_DIR": str(BUILD / "ccache"), "CC": "gcc" if preset == "gcc" else "clang-19",
            "MXTRUST_BUILD": str(BUILD / preset), "PYTHONDONTWRITEBYTECODE": "1"}


UNDER_WAY: set[subprocess.Popen] = set()


def end(process: subprocess.Popen) -> None:
    """Ends a command and what it started."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def execute(command: list[str], log: Path, preset: str = "dev", limit: float = LIMIT) -> tuple[int, str]:
    """Runs a command in a process group of its own; returns its status and what it printed (also kept in `log`)."""
    with open(log, "a", encoding="utf-8") as out:
        out.write(f"\n$ {' '.join(command)}\n")
        out.flush()
        begin = out.tell()
        process = subprocess.Popen(command, cwd=ROOT, env=environment(preset), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   start_new_session=True)
        UNDER_WAY.add(process)
        try:
            status = process.wait(limit)
        except (subprocess.TimeoutExpired, KeyboardInterrupt, SystemExit) as reason:
            end(process)
            if not isinstance(reason, subprocess.TimeoutExpired):
                raise
            status = -signal.SIGALRM
        finally:
            UNDER_WAY.discard(process)
    with open(log, encoding="utf-8", errors="replace") as text:
        text.seek(begin)
        return status, text.read()


def script(path: str, log: Path, preset: str = "dev", *arguments: str) -> Count:
    """One of the project's own test programs."""
    if not (ROOT / path).exists():
        return Count(failed=1, notes=[f"{path} is missing"])
    status, text = execute([str(ROOT / path), *arguments], log, preset)
    return judge(path, status, text)


AHEAD: dict[str, concurrent.futures.Future] = {}  # builds in the background, by preset


def build_ahead(parts: list[str]) -> concurrent.futures.ThreadPoolExecutor:
    """Starts to build, one preset after the other, what later parts want. Most tests wait more than they work: what is left over of
    the machine goes into this, at the lowest priority there is."""
    pool = concurrent.futures.ThreadPoolExecutor(1)
    for preset in (part for part in parts if part in ("gcc", "asan", "tsan", "fuzz")):
        targets = fuzz_targets() if preset == "fuzz" else ()
        AHEAD[preset] = pool.submit(make, preset, LOGS / f"build-{preset}.log", targets, ("tests/leftover-time",))
    return pool


def build(preset: str, log: Path, *targets: str) -> Count | None:
    """Configures and builds, after what is being built ahead of it; None when all is well."""
    if preset in AHEAD:
        concurrent.futures.wait([AHEAD[preset]])  # what was wrong is found again below, and told
    return make(preset, log, targets)


def make(preset: str, log: Path, targets: tuple[str, ...], by: tuple[str, ...] = ()) -> Count | None:
    """Configures and builds now."""
    precompile = "OFF" if preset == "gcc" else "ON"
    for command in (["cmake", "--preset", preset, f"-DMXTRUST_PRECOMPILE={precompile}"], ["ninja", "-C", str(BUILD / preset), "-j", JOBS, "-k", "0", *targets]):
        status, text = execute([*by, *command], log, preset)
        if status != 0:
            wrong = [line for line in text.splitlines() if re.search(r"error|FAILED|Error", line)][:15]
            return Count(failed=1, notes=[f"{preset}: {' '.join(command[:2])} failed", *(last_words("\n".join(wrong) or text))])
    return None


def unit_programs(preset: str) -> list[tuple[str, Path]]:
    """A test program for every folder of tests/ that has the name of a room and a source in it."""
    rooms = sorted(path.name for path in (ROOT / "resolver").iterdir() if path.is_dir())
    return [(room, BUILD / preset / "tests" / f"test_{room}") for room in rooms if any((ROOT / "tests" / room).glob("*.cc"))]


def unit(preset: str, log: Path) -> Count:
    """Builds everything of a preset and runs its unit tests."""
    count = Count()
    if (trouble := build(preset, log)) is not None:
        count.add(trouble)
    for room, program in unit_programs(preset):
        if not program.exists():
            count.add(Count(failed=1, notes=[f"{preset}: {program.name} was not built"]))
            continue
        status, text = execute([str(program)], log, preset, 600)
        count.add(judge(f"{preset}: {program.name}", status, text))
    return count


def installed(path: str, log: Path) -> Count | None:
    """Runs an install script, which unpacks into build/tools; None when all is well. A mirror may be away for a moment."""
    for pause in (5, 20, 60, 0):
        status, text = execute([str(ROOT / path)], log)
        if status == 0:
            break
        time.sleep(pause)
    return None if status == 0 else Count(failed=1, notes=[f"{path} failed; its last words:", *last_words(text)])


def world(log: Path, preset: str) -> Count:
    """The tests that ask a running daemon in the lab."""
    if (trouble := build(preset, log, "mxtrustd", "mxtrust") or installed("tests/lab/install", log)) is not None:
        return trouble
    count = Count()
    for path in ("tests/mail/run", "tests/explain/run", "tests/operator/run", "tests/restart/run", "tests/blackbox/run"):
        count.add(script(path, log, preset))
    return count


def lab(log: Path) -> Count:
    """The lab itself, before anything is asked in it."""
    return installed("tests/lab/install", log) or script("tests/lab/selfcheck", log)


def anchors(log: Path) -> Count:
    """A rollover of the lab's root."""
    return build("dev", log, "mxtrustd", "mxtrust") or installed("tests/lab/install", log) or script("tests/anchors/run", log)


def attack(log: Path) -> Count:
    """Hostile servers, forgers and clients."""
    return build("dev", log, "mxtrustd", "mxtrust") or installed("tests/lab/install", log) or script("tests/attack/run", log)


def forward(log: Path) -> Count:
    """Forwarders in the lab."""
    return build("dev", log, "mxtrustd", "mxtrust") or installed("tests/lab/install", log) or script("tests/forward/run", log)


def beside(folder: str):
    """A test that runs mxtrustd beside other programs of Debian's, in the lab."""
    def run(log: Path) -> Count:
        return (build("dev", log, "mxtrustd", "mxtrust") or installed("tests/lab/install", log) or
                installed(f"tests/{folder}/install", log) or script(f"tests/{folder}/run", log))
    return run


def soak(log: Path) -> Count:
    """A daemon under everything at once, for a minute."""
    return build("dev", log, "mxtrustd", "mxtrust") or installed("tests/lab/install", log) or script("tests/soak/run", log)


def crash(log: Path) -> Count:
    """The cache after crashes, on a full disk, under floods."""
    return (build("dev", log, "mxtrustd", "mxtrust", "crash_store", "crash_weigh") or installed("tests/lab/install", log) or
            script("tests/crash/run", log))


def guide(log: Path) -> Count:
    """What people are told is true."""
    return (build("dev", log, "mxtrustd", "mxtrust", "manual") or installed("tests/lab/install", log) or
            installed("tests/guide/install", log) or script("tests/guide/run", log))


def service(log: Path) -> Count:
    """Units, systemd's protocols, reload, bad days."""
    return (build("dev", log, "mxtrustd", "mxtrust") or installed("tests/lab/install", log) or installed("tests/service/install", log) or
            script("tests/service/run", log))


def package(log: Path) -> Count:
    """The Debian package, in a fresh root file system."""
    return (build("release", log, "mxtrustd", "mxtrust", "manual") or installed("tests/package/install", log) or
            script("tests/package/run", log))


def simulate(log: Path, preset: str, resolutions: int) -> Count:
    """The resolver in simulated Internets, in virtual time."""
    os.environ["MXTRUST_SIMULATE"] = str(BUILD / preset / "tests/simulate")
    return build(preset, log, "simulate") or script("tests/simulate/run", log, preset, "--resolutions", str(resolutions))


def conformance(log: Path) -> Count:
    """Other resolvers' scenarios; without the rig there is nothing to run."""
    return build("dev", log, "mxtrustd", "mxtrust") or script("tests/conformance/run", log)


def fuzz_targets() -> tuple[str, ...]:
    """A program for every source in tests/fuzz."""
    return tuple(sorted(f"fuzz_{path.stem}" for path in (ROOT / "tests/fuzz").glob("*.cc")))


def fuzz(log: Path) -> Count:
    """Every target; no time is enough, but a regression in a seed is found at once."""
    return build("fuzz", log, *fuzz_targets()) or script("tests/fuzz/run", log)


def second_compiler(log: Path) -> Count:
    """Debian's default compiler, which has its own ideas of coroutines."""
    count = unit("gcc", log)
    count.add(world(log, "gcc"))
    return count


def sanitized(preset: str):
    """A sanitizer's build, its unit tests, the daemon built so in the lab, and the resolver in some simulated Internets (which have
    one thread, and nothing to tell the thread sanitizer)."""
    def run(log: Path) -> Count:
        count = unit(preset, log)
        count.add(world(log, preset))
        count.add(script("tests/crash/run", log, preset, "kills", "damage", "--kills", "5", "--variants", "90"))
        if preset != "tsan":  # the simulation has one thread
            count.add(simulate(log, preset, SANITIZED_RESOLUTIONS))
        return count
    return run


PARTS = {
    "tidy": ("house rules", lambda log: script("tests/tidy", log)),
    "toolchain": ("what the compilers do to coroutines", lambda log: script("tests/toolchain/run", log)),
    "unit": ("clang-19: build and unit tests", lambda log: unit("dev", log)),
    "lab": ("the lab world, checked from outside", lab),
    "world": ("a daemon in the lab: every mail domain, every breakage explained, kill -9, hostile input", lambda log: world(log, "dev")),
    "soak": ("a daemon under good and hostile load for a minute: memory, descriptors, latency, statuses", soak),
    "crash": ("the cache: kill -9, damaged files, full disk, floods, two daemons", crash),
    "guide": ("what people are told: manual pages, the guide's configuration, status", guide),
    "anchors": ("the root rolls its key, live: RFC 5011 and 8145, bad state", anchors),
    "attack": ("every attack of the catalogue, in worlds of its own", attack),
    "forward": ("forwarders: real, broken, dead, ourselves; recursion impossible and back", forward),
    "cost": ("what an answer costs, counted: packets, verifications, system calls", beside("cost")),
    "service": ("systemd's protocols, reload, bad days", service),
    "package": ("the Debian package in a fresh root", package),
    "mta": ("Postfix and Exim deliver or hold back", beside("mta")),
    "check": ("mxtrust check: real and impossible servers, a second opinion, the pages", beside("check")),
    "sts": ("MTA-STS beside DANE: policies from web servers, enforced by Postfix", beside("sts")),
    "differential": ("Unbound, Knot Resolver and BIND are asked the same", beside("differential")),
    "simulate": (f"{RESOLUTIONS:,} questions in simulated Internets", lambda log: simulate(log, "dev", RESOLUTIONS)),
    "conformance": ("replayed scenarios of other resolvers", conformance),
    "fuzz": ("every fuzz target over its seeds, and for a short while beyond", fuzz),
    "gcc": ("g++: build, unit tests, and its daemon in the lab", second_compiler),
    "asan": ("address and undefined-behaviour sanitizers: everything", sanitized("asan")),
    "tsan": ("thread sanitizer: everything", sanitized("tsan")),
    "clang-tidy": ("clang-tidy-19 (not by default: minutes)", lambda log: script("tests/tidy", log, "dev", "--clang-tidy")),
}
ON_DEMAND = ("clang-tidy",)


def play(parts: list[str]) -> Count:
    """Part after part, telling each as it ends. Builds go ahead once this build's own is through."""
    total, pool = Count(), None
    for part in parts:
        title, run = PARTS[part]
        print(f"{part:12} {title} …", flush=True)
        if pool is None and part not in ("tidy", "toolchain", "unit"):
            pool = build_ahead(parts)
        started = time.monotonic()
        try:
            count = run(LOGS / f"{part}.log")
        except Exception:  # pylint: disable=broad-except  (the parts after it are played all the same)
            count = Count(failed=1, notes=[f"{part}: tests/suite.py itself failed:", *last_words(traceback.format_exc())])
        print(f"{'':12} {count.passed} passed, {count.failed} failed ({time.monotonic() - started:.0f} s)", flush=True)
        for note in count.notes:
            print(f"{'':12} {note}", flush=True)
        total.add(count)
    if pool is not None:
        pool.shutdown(cancel_futures=True)
    return total


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="tests/run", description="Runs the tests.")
    parser.add_argument("--list", action="store_true", help="name the parts")
    parser.add_argument("parts", nargs="*", metavar="PART", help="which parts (default: all)")
    args = parser.parse_args()
    if args.list:
        print("\n".join(f"{name:12} {title}" for name, (title, _) in PARTS.items()))
        return 0
    if unknown := [part for part in args.parts if part not in PARTS]:
        parser.error(f"no such part: {' '.join(unknown)} (there are: {' '.join(PARTS)})")
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parts = args.parts or [name for name in PARTS if name not in ON_DEMAND]
    begun = time.monotonic()
    try:
        total = play(parts)
    finally:
        for build_ahead_of_its_part in list(UNDER_WAY):
            end(build_ahead_of_its_part)
    if (BUILD / "lab").exists():
        execute([str(ROOT / "tests/lab/world"), "down"], LOGS / "lab-down.log")  # parts leave it up for those after them
    print(f"{(time.monotonic() - begun) / 60:.1f} minutes; what each part said: build/logs/")
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
