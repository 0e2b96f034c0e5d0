"""Options, jobs and the table of scripts/fuzz; what a target is stands in tests/fuzz/targets.py and native/fuzz."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from typing import IO, NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "tests")]

import fuzz_pack  # noqa: E402  (the path is set above)
from fuzz.targets import MAX_BYTES, MEMORY_MIB, TARGETS, TIMEOUT_S  # noqa: E402  (the path is set above)

OUT = os.path.join(ROOT, "build", "fuzz")
KEPT = os.path.join(ROOT, "tests", "vectors", "fuzz")
NATIVE = os.path.join(ROOT, "native", "fuzz")
PROGRAMS = os.path.join(ROOT, "build", "native-fuzz", "fuzz")
REPORT_S = 10.0
C_MAX_BYTES = 256  # frames that take microseconds (native/fuzz/codec.h); --max-bytes 8192 for large ones
BLIND_RUNS = 1000  # without an edge seen mean that we look at the wrong code
_DONE = re.compile(rb"Done (\d+) runs")
_UNITS = re.compile(rb"stat::number_of_executed_units:\s*(\d+)")
_PULSE = re.compile(rb"^#(\d+)\s.*?cov: (\d+).*?corp: (\d+)", re.MULTILINE)


class Result(NamedTuple):
    """What one target did."""

    target: str
    executions: int
    seconds: float
    corpus: int
    edges: int
    crashes: list[str]  # reproducers, relative to the project

    @property
    def failed(self) -> bool:
        return bool(self.crashes)


class Job:
    """A target running in a process of its own; libFuzzer's words go to a log."""

    def __init__(self, name: str, limits: list[str], c_bytes: int) -> None:
        self.name = name
        self._c_bytes = c_bytes
        self.folder = os.path.join(OUT, name)
        self.log_path = os.path.join(self.folder, "log")
        for part in ("corpus", "crashes"):
            os.makedirs(os.path.join(self.folder, part), exist_ok=True)
        self._before = set(self._crash_files())
        options = [
            f"-artifact_prefix={self.folder}/crashes/",
            f"-timeout={TIMEOUT_S}",
            f"-rss_limit_mb={MEMORY_MIB}",
            "-print_final_stats=1",
            *limits,
        ]
        folders = [os.path.join(self.folder, "corpus"), self._seeds()]
        self._begun = time.monotonic()
        self._log: IO[bytes] = open(self.log_path, "wb")  # noqa: SIM115  (open as long as the process runs)
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "UBSAN_OPTIONS": "print_stacktrace=1"}
        self._process = subprocess.Popen(
            ["nice", *self.command(), *options, *folders],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment,
        )

    def command(self) -> list[str]:
        """The program and what makes it this target."""
        if self.name.startswith("c-"):
            return [os.path.join(PROGRAMS, f"fuzz_{self.name[2:]}"), f"-max_len={self._c_bytes}", "-entropic=0"]
        words = os.path.join(self.folder, "words")
        with open(words, "w") as file:
            for token in TARGETS[self.name].tokens:
                file.write('"' + "".join(f"\\x{byte:02X}" for byte in token) + '"\n')
        driver = os.path.join(ROOT, "scripts", "fuzz_python.py")
        return [sys.executable, driver, self.name, f"-max_len={MAX_BYTES}", f"-dict={words}"]

    def _seeds(self) -> str:
        folder = os.path.join(self.folder, "seeds")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        if self.name.startswith("c-"):
            subprocess.run([os.path.join(PROGRAMS, f"replay_{self.name[2:]}"), "--seeds", folder], check=True)
        else:
            for number, seed in enumerate(TARGETS[self.name].seeds()):
                with open(os.path.join(folder, f"seed-{number:03}"), "wb") as file:
                    file.write(seed)
        kept = os.path.join(KEPT, self.name)
        for name in os.listdir(kept) if os.path.isdir(kept) else ():
            if name != fuzz_pack.NAME:
                shutil.copy(os.path.join(kept, name), folder)
                continue
            with open(os.path.join(kept, name), "rb") as file:
                inputs = fuzz_pack.unpack(file.read())
            for number, data in enumerate(inputs):
                with open(os.path.join(folder, f"kept-{number:04}"), "wb") as file:
                    file.write(data)
        return folder

    def _crash_files(self) -> list[str]:
        folder = os.path.join(self.folder, "crashes")
        return sorted(os.path.relpath(os.path.join(folder, name), ROOT) for name in os.listdir(folder))

    def ended(self) -> bool:
        return self._process.poll() is not None

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def result(self) -> Result:
        """What the log says so far."""
        with open(self.log_path, "rb") as file:
            text = file.read()
        pulses = _PULSE.findall(text)
        done = _DONE.search(text) or _UNITS.search(text)
        executions = int(done[1]) if done else int(pulses[-1][0]) if pulses else 0
        crashes = [path for path in self._crash_files() if path not in self._before]
        if self.ended() and self._process.returncode != 0 and not crashes:
            crashes = [f"exit status {self._process.returncode}, see {os.path.relpath(self.log_path, ROOT)}"]
        corpus, edges = (int(pulses[-1][2]), int(pulses[-1][1])) if pulses else (0, 0)
        if executions > BLIND_RUNS and not edges:
            crashes.append("no coverage was seen: nothing is instrumented")
        return Result(self.name, executions, time.monotonic() - self._begun, corpus, edges, crashes)


def c_targets() -> list[str]:
    """From the sources, so that --list needs no build."""
    names = sorted(name[5:-2] for name in os.listdir(NATIVE) if name.startswith("fuzz_") and name.endswith(".c"))
    return [f"c-{name}" for name in names]


def about(name: str) -> str:
    if not name.startswith("c-"):
        return TARGETS[name].about
    with open(os.path.join(NATIVE, f"fuzz_{name[2:]}.c")) as file:
        return file.readline().strip("/* \n")


def run(names: list[str], limits: list[str], jobs: int, *, c_bytes: int, quiet: bool) -> list[Result]:
    """Run the targets, some at a time; a line every few seconds says that they live."""
    waiting = list(names)
    running: list[Job] = []
    results: list[Result] = []
    told = time.monotonic()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(Job(waiting.pop(0), limits, c_bytes))
            time.sleep(0.5)
            for job in [job for job in running if job.ended()]:
                running.remove(job)
                results.append(job.result())
                tell(results[-1], quiet=quiet)
            if time.monotonic() - told >= REPORT_S:
                told = time.monotonic()
                for job in running:
                    tell(job.result(), quiet=quiet, word="...")
    finally:
        for job in running:
            job.stop()
    return results


def tell(result: Result, *, quiet: bool, word: str = "") -> None:
    if not quiet:
        state = "FAILED" if result.failed else word or "done"
        print(f"  {result.target:<12} {result.executions:>10} executions  {result.edges:>6} edges  {state}", flush=True)


def table(results: list[Result]) -> None:
    print(f"\n{'target':<12} {'executions':>10} {'exec/s':>7} {'corpus':>7} {'edges':>6} {'crashes':>7}")
    for one in results:
        rate = one.executions / max(one.seconds, 0.1)
        print(
            f"{one.target:<12} {one.executions:>10} {rate:>7.0f} {one.corpus:>7} {one.edges:>6} {len(one.crashes):>7}"
        )
    for one in results:
        for path in one.crashes:
            print(f"{one.target}: {path}\n  again: {again(one.target, path)}")
    crashes = sum(len(one.crashes) for one in results)
    print(f"{len(results)} targets, {sum(one.executions for one in results)} executions, {crashes} crashes")


def again(target: str, path: str) -> str:
    if target.startswith("c-"):
        return f"build/native-fuzz/fuzz/fuzz_{target[2:]} {path}"
    return f".venv/bin/python scripts/fuzz_python.py {target} {path}"


def keep(names: list[str]) -> None:
    """Pack the corpora of C targets into tests/vectors."""
    for name in (name for name in names if name.startswith("c-")):
        folders = [os.path.join(OUT, name, part) for part in ("corpus", "seeds")]
        program = os.path.join(PROGRAMS, f"fuzz_{name[2:]}")
        count, size = fuzz_pack.keep(program, folders, os.path.join(KEPT, name))
        print(f"  {name:<12} {count:>10} inputs kept in {size} bytes")


def main() -> int:
    known = [*TARGETS, *c_targets()]
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description="Fuzz the parsers of the agent.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all; see --list")
    parser.add_argument("--runs", type=int, help="executions of each target")
    parser.add_argument("--seconds", type=int, help="time for each target (default 60)")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time (default 1)")
    parser.add_argument("--max-bytes", type=int, default=C_MAX_BYTES, help="of an input of a C target (default 256)")
    parser.add_argument(
        "--keep", action="store_true", help="then pack the corpora of C targets into tests/vectors/fuzz"
    )
    parser.add_argument("--list", action="store_true", help="names of the targets")
    parser.add_argument("--json", action="store_true", help="the result as JSON (always in build/fuzz/report.json too)")
    options = parser.parse_args()
    if options.list:
        for name in known:
            print(f"{name:<12} {about(name)}")
        return 0
    unknown = [name for name in options.targets if name not in known]
    if unknown:
        parser.error(f"unknown target {unknown[0]}; --list shows them")
    limits = [f"-runs={options.runs}"] if options.runs else []
    if options.seconds or not options.runs:
        limits.append(f"-max_total_time={options.seconds or 60}")
    results = run(options.targets or known, limits, max(1, options.jobs), c_bytes=options.max_bytes, quiet=options.json)
    report = json.dumps([one._asdict() for one in results], indent=1)
    with open(os.path.join(OUT, "report.json"), "w") as file:
        file.write(report + "\n")
    if options.json:
        print(report)
    else:
        table(results)
    if options.keep:
        keep(options.targets or known)
    return 1 if any(one.failed for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
