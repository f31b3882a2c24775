"""The programs that syncd is compared with, as command lines."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from benchmarks.measuring import PYTHON, Contestant, Sample, run
from benchmarks.server import Server

SCRIPT = os.path.join(os.path.dirname(__file__), "script.py")
SCAN = """
import os, sys
for entry in os.scandir(sys.argv[1]):
    entry.stat(follow_symlinks=False)
"""
RCLONE_FLAGS = ("--update", "--use-server-modtime")
"""With them rclone believes the list and does not ask about each file."""


def missing(*names: str) -> list[str]:
    """Which of these programs are not installed."""
    return [name for name in names if not shutil.which(name)]


def script(folder: Callable[[], str], task: Callable[[], int], server: Server) -> Contestant:
    def once() -> Sample:
        return run([PYTHON, SCRIPT, folder(), server.attachments(task())], server)

    return Contestant("script", once)


def rclone(
    folder: str,
    place: Callable[[], str],
    server: Server,
    *flags: str,
    prepare: Callable[[], None] = lambda: None,
) -> Contestant | None:
    """`rclone sync` to `place` in the sink's S3-like store; None = rclone is not there."""
    if not shutil.which("rclone"):
        return None
    settings = {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_SINK_TYPE": "s3",
        "RCLONE_CONFIG_SINK_PROVIDER": "Other",
        "RCLONE_CONFIG_SINK_ENDPOINT": server.url,
        "RCLONE_CONFIG_SINK_ACCESS_KEY_ID": "key",
        "RCLONE_CONFIG_SINK_SECRET_ACCESS_KEY": "secret",
        "RCLONE_CONFIG_SINK_NO_CHECK_BUCKET": "true",
    }

    def once() -> Sample:
        command = ["rclone", "sync", *flags, folder, f"sink:bucket/{place()}"]
        return run(command, server, settings)

    return Contestant("rclone, its flags" if flags else "rclone", once, prepare)


def curl(file: str, task: Callable[[], int], server: Server) -> Contestant | None:
    """`curl -F` of one file; None = curl is not there."""
    if not shutil.which("curl"):
        return None
    fields = ["-F", "name=large", "-F", "display_order=100", "-F", f"file=@{file}"]

    def once() -> Sample:
        url = server.attachments(task())
        return run(["curl", "-sSf", "-o", os.devnull, *fields, url], server)

    return Contestant("curl -F", once)


def scan(folder: str) -> Contestant:
    return Contestant("bare scan", lambda: run([PYTHON, "-c", SCAN, folder]))


def python(code: str) -> Contestant:
    return Contestant(f"python -c '{code}'", lambda: run([PYTHON, "-c", code]))
