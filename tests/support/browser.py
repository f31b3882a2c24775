"""A real headless Chromium, started once for one page."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
)


class Shown(NamedTuple):
    """What became of a page."""

    dom: str
    console: list[str]
    """What the browser logged about it: errors, blocked styles and images."""


def browser() -> str | None:
    """The path of a Chromium; None = there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def show(program: str, page: Path, home: Path) -> Shown:
    """Load the page; its DOM after that, as HTML."""
    done = subprocess.run(
        [program, *_OPTIONS, f"--user-data-dir={home}/profile", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    return Shown(done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE:" in line])
