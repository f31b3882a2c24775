"""Starts syncd's command lines as processes of their own, each forked from this one.

It has imported everything beforehand, so that a run costs a tenth of `python -m syncd`; a child
is as real a process, and can be killed for real. Talks JSON, a line each way:

    {"id": 1, "argv": […], "out": FILE, "err": FILE, "hook": [NAME, …] | null, "user": UID | null}
    {"id": 1, "pid": 4711}        and later        {"id": 1, "status": -9}
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import select
import sys
from typing import Any

import syncd
from tests.support import hooks

_BEFOREHAND = (
    *("concurrent.futures.thread", "difflib", "mimetypes", "netrc", "encodings.idna"),
    *("encodings.utf_8_sig", "encodings.latin_1", "encodings.ascii", "encodings.unicode_escape"),
)
"""What is imported late; a user without rights could not do so where Python is root's."""


def main() -> None:
    """Serve until stdin ends."""
    modules = pkgutil.walk_packages(syncd.__path__, "syncd.")
    for name in (*_BEFOREHAND, *(m.name for m in modules if m.name != "syncd.__main__")):
        importlib.import_module(name)
    running: dict[int, tuple[int, int]] = {}
    rest = b""
    while True:
        ready, _, _ = select.select([0, *running], [], [])
        for descriptor in ready:
            if descriptor:
                _bury(descriptor, *running.pop(descriptor))
                continue
            data = os.read(0, 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = _fork(order)
                running[os.pidfd_open(pid)] = (order["id"], pid)
                _say(id=order["id"], pid=pid)


def _say(**values: Any) -> None:
    os.write(1, json.dumps(values).encode() + b"\n")


def _bury(descriptor: int, id_: int, pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    os.close(descriptor)
    _say(id=id_, status=os.waitstatus_to_exitcode(status))


def _fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        return pid
    code = 70
    try:
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        code = _run(order)
    finally:
        os._exit(code)


def _run(order: dict[str, Any]) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for target, name in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
        os.dup2(os.open(name, os.O_RDONLY if target == 0 else flags, 0o600), target)
    if order["user"] is not None:
        os.setgroups([])
        os.setgid(order["user"])
        os.setuid(order["user"])
    if order["hook"]:
        name, *arguments = order["hook"]
        getattr(hooks, name)(*arguments)
    from syncd.cli.main import entry_point

    sys.argv = ["syncd", *order["argv"]]
    code = 70
    try:
        entry_point()
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    main()
