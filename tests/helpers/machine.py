"""A machine of stand-ins for start.sh: no package is installed and no network touched."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDED = ["node", "npm", "chromium", "curl", "openssl", "nginx", "caddy"]
if sys.platform == "linux":
    NEEDED.append("systemd-analyze")
TOOLS = ["awk", "bash", "cat", "cp", "dirname", "env", "id", "mkdir", "rm", "sed", "seq", "tail", "touch", "uname"]


@dataclass
class Machine:
    """A folder with a copy of start.sh, and a PATH that holds a few common tools and what a test puts there."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.home / "bin").mkdir(parents=True)
        (self.home / "calls").touch()
        for name in ("start.sh", "pyproject.toml"):
            shutil.copy(ROOT / name, self.home)
        for folder in (".ci", ".constraints"):
            shutil.copytree(ROOT / folder, self.home / folder)
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, f"{tool} is needed on PATH"
            (self.home / "bin" / tool).symlink_to(found)
        self.env |= {"PATH": str(self.home / "bin"), "CALLS": str(self.home / "calls"), "REAL_PYTHON": sys.executable}
        self.env |= {"FAKE_INDEX": "down", "FAKE_PIP": "", "FAKE_FAILING": "", "PIP_NO_INDEX": ""}

    def add_command(self, name: str, script: str) -> None:
        path = self.home / "bin" / name
        path.unlink(missing_ok=True)  # it may be a link to the machine's own
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def add_python(self, name: str, version: str) -> None:
        fake = (Path(__file__).parent / "fake_python.sh").read_text()
        self.add_command(name, f"FAKE_VERSION='{version}'\n{fake}")

    def start(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run start.sh, forgetting earlier calls, from a folder of somebody else's."""
        (self.home / "calls").write_text("")
        return subprocess.run(
            [self.home / "start.sh", *arguments],
            env=self.env | env,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def calls(self) -> list[str]:
        """What the stand-ins were asked in the last start."""
        return (self.home / "calls").read_text().splitlines()

    def called(self, word: str) -> list[str]:
        return [call for call in self.calls() if word in call]
