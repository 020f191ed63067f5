"""Every check of HoverSAM, run by the Python of .venv: `./start.sh test`.

  test [pytest arguments]   ruff, mypy, eslint, tsc, node --test and all of pytest, whose summary comes last
  test quick                the same without tests that start a server, a browser or a full-size model: for every save
  test coverage             which lines and branches of app/ the tests in this process reach
  soak [pytest arguments]   the long tests: floods, thousands of random sequences, the largest models, half an hour

What is needed besides Python is fetched where apt can; what is missing then is a failed check, never a skipped one.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv/bin/python"
TOOLS_DIR = ROOT / ".venv/tools"
"""Programs that are unpacked and not installed: nginx and Caddy would start as services."""
JS = ROOT / "tests/js"
HEAVY = ("engine", "masks", "nano", "weights")
"""Unit tests that import torch: all in one run, so that the other does without."""
QUICK = (
    ("tests/unit", *(f"--ignore=tests/unit/{folder}" for folder in HEAVY)),
    (
        *(f"tests/unit/{folder}" for folder in HEAVY),
        "tests/property",
        "tests/meta/test_layout.py",
        "tests/meta/test_imports.py",
    ),
)
"""Tests for every save: two runs, side by side, each half of the work."""
SOAKED = (
    "tests/faults",
    "tests/fleet/test_soak.py",
    "tests/fleet/test_nodes.py",
    "tests/fleet/test_bad_nodes.py",
    "tests/property",
    "tests/contract/test_sam2_parity.py",
    "tests/contract/test_tracking_parity.py",
    "tests/integration/test_commands.py",
)
COVERED = (("tests/unit", "tests/property"), ("tests/integration",), ("tests/contract",))
"""What is measured: runs side by side, since a test is half as quick again where each line is noted."""
BROWSER, INTEGRATION = (
    tuple(sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / folder).glob("test_*.py")))
    for folder in ("browser", "integration")
)
NAMED = ("browser", "contract", "unit", "property", "integration", "faults")
BESIDE = (
    BROWSER[::2],
    BROWSER[1::2],
    INTEGRATION[1::2],
    INTEGRATION[::2],
    ("tests/contract",),
    ("tests/unit", "tests/property"),
    ("tests", *(f"--ignore=tests/{folder}" for folder in NAMED)),
    ("tests/faults", "-m", "not alone"),
)
"""What runs side by side, the longest first: a test mostly waits for a socket, a browser or a program."""
MAX_BESIDE = 5
"""Runs at once; the next begins when one of them ends."""
ALONE = ("tests/faults", "-m", "alone")
"""What compares times, and so wants the machine for itself."""


@dataclass(frozen=True)
class Tool:
    """A program that tests need.

    Attributes:
        names: what it may be called on PATH; one is enough.
        packages: Debian's and Ubuntu's packages.
        cure: what somebody does where apt can't.
        unpacked: the packages are only unpacked, into `TOOLS_DIR`.
        version: how it is asked for its version, which it answers with exit code 0 where it runs.
    """

    names: tuple[str, ...]
    packages: tuple[str, ...]
    cure: str
    unpacked: bool = False
    version: str = "--version"

    @property
    def is_there(self) -> bool:
        """Whether it runs: Ubuntu's chromium-browser may be a note that says how to install it."""
        return any(shutil.which(name) and runs([name, self.version]) for name in self.names)


JS_TOOLS = (
    Tool(("node",), ("nodejs",), "install Node.js 20 or newer (https://nodejs.org)"),
    Tool(("npm",), ("npm",), "install Node.js 20 or newer with npm (https://nodejs.org)"),
)
TOOLS = (
    *JS_TOOLS,
    Tool(
        ("chromium", "chromium-browser", "google-chrome"),
        ("chromium", "fonts-liberation"),
        "the browser tests need chromium, chromium-browser or google-chrome on PATH: install one",
    ),
    Tool(("curl",), ("curl",), "the README's commands are run with curl: install it"),
    Tool(("openssl",), ("openssl",), "the proxies' certificates are made by openssl: install it", version="version"),
    Tool(("nginx",), ("nginx",), "the documented proxies are run: install nginx", unpacked=True, version="-v"),
    Tool(
        ("caddy",),
        ("caddy",),
        "the documented proxies are run: install Caddy (https://caddyserver.com)",
        unpacked=True,
        version="version",
    ),
    *(
        [
            Tool(
                ("systemd-analyze",),
                ("systemd",),
                "the documented systemd unit is checked by systemd-analyze: install it",
            )
        ]
        if sys.platform == "linux"
        else []
    ),
)


@dataclass
class Report:
    """Prints a line for each check and remembers those that failed."""

    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, began: float, *, ok: bool, said: str = "") -> None:
        """Print how a check went; what a failed one said comes before."""
        with self.lock:
            line = f"{'ok' if ok else 'failed':<7} {name} ({time.monotonic() - began:.0f} s)"
            print(line if ok else f"{said.rstrip()}\n{line}", flush=True)
            if not ok:
                self.failures.append(name)

    def command(self, name: str, *words: str | Path, cwd: Path = ROOT) -> None:
        """Run a check in silence."""
        began = time.monotonic()
        try:
            done = subprocess.run(
                words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
            )
        except OSError as error:  # a tool that isn't there
            self.note(name, began, ok=False, said=str(error))
        else:
            self.note(name, began, ok=done.returncode == 0, said=done.stdout.decode(errors="replace"))

    def work(self, name: str, work: Callable[[], str]) -> None:
        """Do something that returns what is wrong, an empty text where nothing is."""
        began = time.monotonic()
        wrong = work()
        self.note(name, began, ok=not wrong, said=wrong)


# --- What is needed besides Python ------------------------------------------------------------------


def runs(command: list[str]) -> bool:
    """Return whether a command ends well; what it says is thrown away."""
    with contextlib.suppress(OSError):
        return not subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode
    return False


def as_root(*words: str) -> bool:
    """Return whether a command ends well as root, where nobody has to be asked for a password."""
    return runs([*([] if os.geteuid() == 0 else ["sudo", "-n"]), *words])


def missing(tools: tuple[Tool, ...]) -> str:
    """Fetch what isn't there; return what is missing still, and the cures."""
    if shutil.which("apt-get") and not all(tool.is_there for tool in tools):
        as_root("apt-get", "update", "-qq")
        for tool in tools:
            if not tool.is_there:
                (unpack if tool.unpacked else install)(tool.packages)
    return "\n".join(f"{tool.names[0]} is missing: {tool.cure}" for tool in tools if not tool.is_there)


def install(packages: tuple[str, ...]) -> None:
    """Install packages of the system's."""
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    as_root(*quiet, *packages)


def unpack(packages: tuple[str, ...]) -> None:
    """Put packages into `TOOLS_DIR`, which needs no root."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["apt-get", "download", "-qq", *packages], cwd=folder, capture_output=True, check=False)
        for file in Path(folder).glob("*.deb"):
            runs(["dpkg", "-x", str(file), str(TOOLS_DIR)])


def node_modules() -> str:
    """Bring what the page's checks need; npm's own record tells whether it is up to date. Return what is wrong."""
    record = JS / "node_modules/.package-lock.json"
    lists = [JS / "package.json", JS / "package-lock.json"]
    if record.exists() and record.stat().st_mtime >= max(path.stat().st_mtime for path in lists):
        return ""
    command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=JS, capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    if done.returncode:
        return done.stdout + done.stderr
    record.touch()
    return ""


# --- Checks ------------------------------------------------------------------------------------------


def lint(report: Report) -> None:
    """Check what can be checked without running it, and the page's own tests, which take a second."""
    report.work("node modules", node_modules)
    report.command("ruff format --check", PYTHON, "-m", "ruff", "format", "--check", ".")
    report.command("ruff check", PYTHON, "-m", "ruff", "check", ".")
    report.command("mypy", PYTHON, "-m", "mypy")
    report.command("eslint", "npm", "run", "--silent", "lint", "--", "--max-warnings=0", cwd=JS)
    report.command("tsc --noEmit", JS / "node_modules/.bin/tsc", "--noEmit", cwd=JS)
    report.command("node --test", "node", "--test", "--test-reporter=spec", cwd=JS)


def run_pytest(report: Report, *arguments: str, show: IO[str] = sys.stdout) -> str:
    """Run pytest and show what it says; return its last line, the summary, which belongs at the end of everything."""
    began = time.monotonic()
    ok, summary = pytest_ended(arguments, show)
    report.note("pytest", began, ok=ok)
    return summary


def pytest_ended(arguments: tuple[str, ...], show: IO[str]) -> tuple[bool, str]:
    """Run pytest and show all that it says but the last line; return whether it ended well, and that line.

    A run that a signal ended has no last line of its own, so it is told here.
    """
    process = subprocess.Popen(
        [PYTHON, "-m", "pytest", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout
    summary, code = show_all_but_last(process.stdout, show), process.wait()
    return code == 0, f"{summary}\npytest was ended by signal {-code}\n" if code < 0 else summary


def show_all_but_last(lines: IO[str], show: IO[str]) -> str:
    """Print lines as they come; return the last one."""
    held = ""
    for line in lines:
        show.write(held)
        show.flush()
        held = line
    return held


def side_by_side(report: Report, *runs: tuple[str, ...]) -> str:
    """Run pytest several times at once, a thread of model work each; what the first run says is shown as it comes.

    Decision: what fails is run once more, alone. Context: several runs on two cores starve a test now and then, in a
    time that it waits for, and so does a neighbour on the same machine what compares times. Choice: only what fails
    again fails the checks, and both runs are shown. Price: a fault that shows now and then may pass.
    """
    began, said = time.monotonic(), [sys.stdout, *(io.StringIO() for _ in runs[1:])]
    caches = [("-o", f"cache_dir={ROOT / '.pytest_cache' / str(number)}") for number in range(len(runs))]

    def run(number: int) -> tuple[bool, str]:
        return pytest_ended((*runs[number], *caches[number]), said[number])

    os.environ["OMP_NUM_THREADS"] = "1"  # teams of threads on two cores would wait for one another
    with ThreadPoolExecutor(MAX_BESIDE) as pool:
        ended = list(pool.map(run, range(len(runs))))
    del os.environ["OMP_NUM_THREADS"]
    for text in said[1:]:
        print(cast("io.StringIO", text).getvalue(), end="", flush=True)
    for number, (ok, summary) in enumerate(ended):
        if not ok:
            print(f"{summary.rstrip()}; what failed is run once more, alone", flush=True)
            again = ("--last-failed", "--last-failed-no-failures=none")
            ended[number] = pytest_ended((*runs[number], *caches[number], *again), sys.stdout)
    report.note("pytest", began, ok=all(ok for ok, _ in ended))
    return "".join(summary for _, summary in ended)


@contextlib.contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """Let something go on in a thread; it is waited for at the end."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test(report: Report, *arguments: str) -> str:
    """Run everything; a failed check stops no other."""
    report.work("tools", lambda: missing(TOOLS))
    lint(report)
    if arguments:
        return run_pytest(report, *arguments)
    return side_by_side(report, *BESIDE) + side_by_side(report, ALONE)


def quick(report: Report, *arguments: str) -> str:
    """Run what needs no server, browser or full-size model, the checks beside the tests."""
    report.work("tools", lambda: missing(JS_TOOLS))
    with beside(lambda: lint(report)):
        if arguments:
            return run_pytest(report, "-q", "-m", "not slow", *arguments)
        return side_by_side(report, *(("-q", "-m", "not slow", *part) for part in QUICK))


def coverage(report: Report, *arguments: str) -> str:
    """Measure branch coverage; pyproject.toml says what counts and how much has to be reached."""
    tool: tuple[str | Path, ...] = (PYTHON, "-m", "coverage")
    report.command("coverage erase", *tool, "erase")
    runs = (arguments,) if arguments else COVERED
    os.environ["OMP_NUM_THREADS"] = "1"
    with ThreadPoolExecutor(len(runs)) as pool:
        for run in runs:
            caches = ("-o", f"cache_dir={ROOT / '.pytest_cache' / Path(run[0]).name}")
            words = (*tool, "run", "--parallel-mode", "-m", "pytest", "-q", *caches, *run)
            pool.submit(report.command, f"coverage run {' '.join(run)}", *words)
    report.command("coverage combine", *tool, "combine")
    began = time.monotonic()
    shown = subprocess.run([*tool, "report"], cwd=ROOT, capture_output=True, text=True, check=False)
    print(shown.stdout, end="", flush=True)
    report.note("coverage report", began, ok=shown.returncode == 0, said=shown.stderr)
    return ""


def main(words: list[str]) -> int:
    """Run what is asked for; return the exit code."""
    tools = [str(TOOLS_DIR / "usr" / folder) for folder in ("bin", "sbin")]
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    beside = ["/usr/sbin"] if "/usr/bin" in path else []  # where nginx lies, which a person's PATH often leaves out
    os.environ["PATH"] = os.pathsep.join([*path, *beside, *tools])
    os.chdir(ROOT)
    if words[0] == "soak":
        os.environ["HOVERSAM_SOAK"] = "1"  # figures are shown
        os.execv(PYTHON, [str(PYTHON), "-m", "pytest", "-s", *(words[1:] or SOAKED)])
    parts = {"quick": quick, "coverage": coverage}
    report, arguments = Report(), words[1:]
    summary = (
        parts[arguments[0]](report, *arguments[1:])
        if arguments[:1] and arguments[0] in parts
        else test(report, *arguments)
    )
    if report.failures:
        print(f"failed: {', '.join(report.failures)}")
    print(summary, end="")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
