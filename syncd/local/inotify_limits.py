"""Names the kernel limit that prevents a watch, and how to raise it."""

from __future__ import annotations

import errno
import os
import resource
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A kernel limit, its value, and the command or setting that raises it."""

    name: str
    value: str
    remedy: str

    def __str__(self) -> str:
        return f"the limit {self.name} ({self.value}) is reached"


WATCHES = "fs.inotify.max_user_watches"
_SYSCTLS = {
    errno.ENOSPC: (WATCHES, 524288),
    errno.EMFILE: ("fs.inotify.max_user_instances", 1024),
    errno.ENFILE: ("fs.file-max", 1048576),
}
"""Names and the least values to suggest."""


def reached_limit(error: BaseException) -> Limit | None:
    """The limit that made a watch fail; None = it failed for another reason."""
    code = error.errno if isinstance(error, OSError) else None
    if code not in _SYSCTLS:
        return None
    if code == errno.EMFILE:
        try:
            require_spare_descriptors()
        except OSError:
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            return Limit("RLIMIT_NOFILE", str(soft), "LimitNOFILE= in the unit, or ulimit -n")
    name, least = _SYSCTLS[code]
    return _limit(name, least)


def watch_limit(needed: int = 0) -> Limit:
    """How many directories the user's programs may watch; its remedy allows twice the needed."""
    _, least = _SYSCTLS[errno.ENOSPC]
    return _limit(WATCHES, max(least, 2 * needed))


def _limit(name: str, least: int) -> Limit:
    try:
        with open("/proc/sys/" + name.replace(".", "/"), encoding="ascii") as file:
            value = int(file.read())
    except OSError:
        return Limit(name, "unknown", f"sudo sysctl {name}={least}")
    return Limit(name, str(value), f"sudo sysctl {name}={max(least, 2 * value)}")


def instance_error() -> OSError | None:
    """Why no inotify instance can be had now; None = one can."""
    import ctypes  # only `syncd check` asks

    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0:
        return OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.close(descriptor)
    return None


def watches_needed(root: str, recursive: bool) -> int:
    """How many directories are watched for a folder."""
    return sum(1 for _ in os.walk(root)) if recursive else 1


def require_spare_descriptors() -> None:
    """Raise OSError unless four files can be opened: watchdog's pipe and inotify need as many."""
    opened: list[int] = []
    try:
        for _ in range(4):
            opened.append(os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    finally:
        for descriptor in opened:
            os.close(descriptor)
