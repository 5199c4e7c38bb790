"""How tests/run plays: commands, builds, and who may run beside whom.

Most test programs wait more than they work, for time-outs that are the test; builds and unit tests work and wait for nothing. So there is

- a worker, which builds one preset after the other and then runs what only works, with what is left over of the machine;
- lanes, one fewer than there are processors (one to four), in which the others are played: each lane has a lab world of its own, and a
  program in it the same surroundings as on a smaller machine. A program that measures time, or fills all processors by itself, is
  played alone: no other lane plays meanwhile.

Nothing is tried twice but downloads. What a job said is in build/logs/, what failed is told on the terminal.
"""
import concurrent.futures
import enum
import os
import re
import select
import signal
import subprocess
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from judging import Count, judge, last_words

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
PROCESSORS = len(os.sched_getaffinity(0))
LANES = max(1, min(4, PROCESSORS - 1))
LIMIT = 1500            # seconds for one command: nothing here takes half of it on two processors
PATIENCE = 10           # seconds for what is told to end
WORKER_LIMIT = 4000     # for one that gets only what is left over
BUILDING = ("tests/leftover-time", "19")
WORKING = ("tests/leftover-time", "10")     # unit tests have deadlines of seconds: they get a tenth also where all is busy
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:abort_on_error=1:disable_coredump=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1:suppressions={ROOT / 'tests/thread-suppressions.txt'}",
}


class How(enum.Enum):
    """Whom a job may run beside."""
    WORKS = enum.auto()     # works and waits for nothing: by the worker
    BESIDE = enum.auto()    # in a lane, beside the others
    ALONE = enum.auto()     # in a lane, while the others rest


@dataclass(frozen=True)
class Job:
    """What is played in one piece."""
    name: str
    play: Callable[["Stage"], Count]
    preset: str = ""                    # of the build it needs
    targets: tuple[str, ...] = ()       # of that build; none: all of it
    installs: tuple[str, ...] = ()      # scripts that bring what it needs
    how: How = How.BESIDE


@dataclass
class Done:
    """What came of a job."""
    count: Count
    wall: float = 0.0
    processor: float = 0.0

    def times(self) -> str:
        return f"{self.wall:.0f} s, {self.processor:.0f} s of processor"


class Stopped(Exception):
    """The whole run ends."""


class Stage:
    """Where one job is played: its log, its build, its lane's lab world."""
    under_way: set[subprocess.Popen] = set()
    slots = threading.Semaphore(PROCESSORS)     # for programs that only work: one for each processor
    over = threading.Event()

    def __init__(self, log: Path, preset: str = "", lane: int = 0, by: tuple[str, ...] = ()):
        self.log, self.preset, self.lab, self.by = log, preset, BUILD / ("lab" if lane == 0 else f"lab-{lane + 1}"), by
        self.processor = 0.0

    def environment(self) -> dict[str, str]:
        """What every command gets: our own ccache, the build to test, sanitizers that stop at the first finding, the lane's world."""
        return {**os.environ, **SANITIZERS, "CCACHE_DIR": str(BUILD / "ccache"), "CC": "gcc" if self.preset == "gcc" else "clang-19",
                "MXTRUST_BUILD": str(BUILD / (self.preset or "dev")), "MXTRUST_LAB": str(self.lab), "PYTHONDONTWRITEBYTECODE": "1"}

    def execute(self, command: list[str], environment: dict[str, str] | None = None) -> tuple[int, str]:
        """Runs a command in a process group of its own; returns its status and what it printed (also kept in the log)."""
        if Stage.over.is_set():
            raise Stopped
        with open(self.log, "a", encoding="utf-8") as out:
            out.write(f"\n$ {' '.join(command)}\n")
            out.flush()
            begin = out.tell()
            process = subprocess.Popen([*self.by, *command], cwd=ROOT, env={**self.environment(), **(environment or {})},
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
            Stage.under_way.add(process)
            try:
                status = self._await(process)
            finally:
                Stage.under_way.discard(process)
        with open(self.log, encoding="utf-8", errors="replace") as text:
            text.seek(begin)
            return status, text.read()

    def _await(self, process: subprocess.Popen) -> int:
        """Until it ends, or is ended because it takes too long. Adds up the processor's time of it and of those it waited for."""
        watched = os.pidfd_open(process.pid)
        try:
            late = not select.select([watched], [], [], WORKER_LIMIT if self.by else LIMIT)[0]
            if late:
                tell(process, signal.SIGTERM)
                if not select.select([watched], [], [], PATIENCE)[0]:
                    tell(process, signal.SIGKILL)
        finally:
            os.close(watched)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.processor += usage.ru_utime + usage.ru_stime
        return -signal.SIGALRM if late else process.returncode

    def program(self, path: str, *arguments: str, environment: dict[str, str] | None = None) -> Count:
        """One of the project's own test programs."""
        if not (ROOT / path).exists():
            return Count(failed=1, notes=[f"{path} is missing"])
        status, text = self.execute([str(ROOT / path), *arguments], environment)
        return judge(f"{path} ({self.preset})" if self.preset not in ("", "dev") else path, status, text)


def tell(process: subprocess.Popen, number: signal.Signals) -> None:
    """A command and what it started; whoever waits for it reaps it."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


class Installs:
    """Runs install scripts, each once, one after the other: dpkg has one lock, and they unpack into one folder, from which nothing may
    be started before all is there."""

    def __init__(self, jobs: list[Job]):
        scripts = list(dict.fromkeys(path for job in jobs for path in job.installs))
        pool = concurrent.futures.ThreadPoolExecutor(1)
        self.of = {path: pool.submit(self._install, path) for path in scripts}

    @staticmethod
    def _install(path: str) -> Count | None:
        """None when all is well. A mirror may be away for a moment."""
        stage, words = Stage(LOGS / "install.log"), path.split()
        for pause in (5, 20, 60, 0):
            status, text = stage.execute([str(ROOT / words[0]), *words[1:]])
            if status == 0:
                return None
            time.sleep(pause)
        return Count(failed=1, notes=[f"{path} failed; its last words:", *last_words(text)])

    def are_there(self, job: Job) -> bool:
        """What it needs, and all that is unpacked where it takes that from."""
        return all(install.done() for path, install in self.of.items() if path in job.installs or path.endswith("/install"))

    def trouble(self, job: Job) -> Count | None:
        return next((wrong for path in job.installs if (wrong := self.of[path].result()) is not None), None)


class Builds:
    """The presets that the jobs need, built one after the other in the order in which the jobs come."""

    def __init__(self, jobs: list[Job]):
        self.targets: dict[str, tuple[str, ...]] = {}
        for job in jobs:
            if job.preset and (job.preset not in self.targets or self.targets[job.preset]):
                self.targets[job.preset] = tuple(sorted({*self.targets.get(job.preset, ()), *job.targets})) if job.targets else ()
        self.done: dict[str, Count | None] = {}
        self.told: set[str] = set()

    def make(self, preset: str, by: tuple[str, ...]) -> Done:
        """Configures and builds."""
        stage, begun, wrong = Stage(LOGS / f"build-{preset}.log", preset, by=by), time.monotonic(), None
        precompile = "OFF" if preset == "gcc" else "ON"
        for command in (["cmake", "--preset", preset, f"-DMXTRUST_PRECOMPILE={precompile}"],
                        ["ninja", "-C", str(BUILD / preset), "-j", str(PROCESSORS), "-k", "0", *self.targets[preset]]):
            status, text = stage.execute(command)
            if status != 0:
                lines = [line for line in text.splitlines() if re.search(r"error|FAILED|Error", line)][:15]
                wrong = Count(failed=1, notes=[f"{preset}: {' '.join(command[:2])} failed", *last_words("\n".join(lines) or text)])
                break
        self.done[preset] = wrong
        return Done(wrong or Count(), time.monotonic() - begun, stage.processor)

    def trouble(self, job: Job) -> Count | None:
        """What is wrong with the build it needs, in full the first time."""
        wrong = self.done[job.preset] if job.preset else None
        if wrong is None:
            return None
        first = job.preset not in self.told
        self.told.add(job.preset)
        return wrong if first else Count(failed=1, notes=[f"{job.preset} was not built: see above"])


class Play:
    """All jobs, until each is done: `done` has what came of them, in the order in which they ended."""

    def __init__(self, jobs: list[Job]):
        self.installs, self.builds = Installs(jobs), Builds(jobs)
        self.waiting = sorted((job for job in jobs if job.how != How.WORKS), key=lambda job: job.how != How.ALONE)
        self.working = [job for job in jobs if job.how == How.WORKS]
        self.playing: set[str] = set()
        self.alone = False      # is what plays
        self.done: dict[str, Done] = {}
        self.changed = threading.Condition()
        self.threads = [threading.Thread(target=self._work, daemon=True)]
        self.threads += [threading.Thread(target=self._lane, args=(number,), daemon=True) for number in range(LANES)]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def result(self, job: Job) -> Done:
        """Waits for it; nobody who could play it is a failure, too."""
        with self.changed:
            while job.name not in self.done:
                if not any(thread.is_alive() for thread in self.threads):
                    return Done(Count(failed=1, notes=[f"{job.name}: was not played: its thread ended"]))
                self.changed.wait(5)
            return self.done[job.name]

    def _tell(self, job: Job | None = None, done: Done | None = None) -> None:
        with self.changed:
            if job is not None and done is not None:
                self.done[job.name] = done
                self.playing.discard(job.name)
            self.changed.notify_all()

    def _play(self, job: Job, stage: Stage) -> Done:
        """A job whose needs are there, or have failed. The jobs after it are played whatever happens here."""
        begun = time.monotonic()
        try:
            count = self.installs.trouble(job) or self.builds.trouble(job) or job.play(stage)
        except Stopped:
            count = Count(failed=1, notes=[f"{job.name}: the run was ended"])
        except Exception:  # pylint: disable=broad-except
            count = Count(failed=1, notes=[f"{job.name}: tests/play.py itself failed:", *last_words(traceback.format_exc())])
        return Done(count, time.monotonic() - begun, stage.processor)

    def _work(self) -> None:
        """Builds, the first one at full speed, for nothing can begin before it; what works on the first; the other builds; the rest."""
        presets = list(self.builds.targets)
        for preset in presets:
            done = None
            try:
                done = self.builds.make(preset, () if preset == presets[0] else BUILDING)
            except Stopped:
                self.builds.done[preset] = Count(failed=1, notes=[f"{preset}: the run was ended"])
            except Exception:  # pylint: disable=broad-except
                self.builds.done[preset] = Count(failed=1, notes=[f"{preset}: tests/play.py itself failed:", *last_words(traceback.format_exc())])
            if done is not None:
                print(f"{'':12} ({'not ' if self.builds.done[preset] else ''}built {preset}: {done.times()})", flush=True)
            self._tell()
            if preset == presets[0]:
                self._jobs_of({preset, ""})
        self._jobs_of({*presets, ""})

    def _jobs_of(self, presets: set[str]) -> None:
        """All that work on these, at once: a job takes as long as its longest program, which would leave processors idle."""
        jobs = [job for job in self.working if job.preset in presets]
        self.working = [job for job in self.working if job not in jobs]
        threads = [threading.Thread(target=self._one_of_many, args=(job,), daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _one_of_many(self, job: Job) -> None:
        self._tell(job, self._play(job, Stage(LOGS / f"{job.name}.log", job.preset, by=WORKING)))

    def _lane(self, number: int) -> None:
        while (job := self._next()) is not None:
            self._tell(job, self._play(job, Stage(LOGS / f"{job.name}.log", job.preset, number)))

    def _next(self) -> Job | None:
        """The first of those that wait whose needs are there, once it may begin; None when nobody waits any more."""
        with self.changed:
            while self.waiting:
                ready = next((job for job in self.waiting if self._has_its_needs(job)), None)
                if ready is not None and self._may_begin(ready):
                    self.waiting.remove(ready)
                    self.playing.add(ready.name)
                    self.alone = ready.how == How.ALONE
                    return ready
                self.changed.wait(1)    # an install script tells nobody that it is through
            return None

    def _has_its_needs(self, job: Job) -> bool:
        return (not job.preset or job.preset in self.builds.done) and (not job.installs or self.installs.are_there(job))

    def _may_begin(self, job: Job) -> bool:
        return not self.playing or (job.how != How.ALONE and not self.alone)

    def stop(self) -> None:
        """Ends what runs."""
        Stage.over.set()
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in list(Stage.under_way):
                tell(process, number)
            given = time.monotonic() + PATIENCE
            while Stage.under_way and time.monotonic() < given:
                time.sleep(0.05)


def machine() -> tuple[float, float]:
    """Seconds that the processors have worked and rested since the machine was started."""
    user, nice, system, idle, waiting, *more = (int(word) / os.sysconf("SC_CLK_TCK") for word in Path("/proc/stat").read_text().split()[1:9])
    return user + nice + system + sum(more[:2]), idle + waiting
