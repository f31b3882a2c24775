"""Which limit of the kernel stands in the way of a watch, and how to raise it."""

from __future__ import annotations

import errno
import os
import resource
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A limit by the name under which it is raised."""

    name: str
    value: str
    remedy: str

    def __str__(self) -> str:
        return f"the limit {self.name} ({self.value}) is reached"


def limit_reached(error: BaseException) -> Limit | None:
    """The limit that an attempt to watch ran into; None if it failed for another reason."""
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOSPC:
        return _sysctl("fs.inotify.max_user_watches", 524288)
    if code == errno.ENFILE:
        return _sysctl("fs.file-max", 1048576)
    if code != errno.EMFILE:
        return None
    try:
        spare_descriptors()
    except OSError:
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return Limit("RLIMIT_NOFILE", str(soft), "LimitNOFILE= in the unit, or ulimit -n")
    return _sysctl("fs.inotify.max_user_instances", 1024)


def spare_descriptors() -> None:
    """Raise OSError unless an inotify instance and watchdog's pipe could be opened now."""
    opened: list[int] = []
    try:
        for _ in range(4):
            opened.append(os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _sysctl(name: str, ample: int) -> Limit:
    try:
        with open("/proc/sys/" + name.replace(".", "/"), encoding="ascii") as file:
            value = int(file.read())
    except (OSError, ValueError):
        return Limit(name, "unknown", f"sudo sysctl {name}={ample}")
    return Limit(name, str(value), f"sudo sysctl {name}={max(ample, 2 * value)}")
