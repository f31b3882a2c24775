"""Lets one process at a time use a state directory: an flock, which ends with its process."""

from __future__ import annotations

import fcntl
import os
import time

from syncd.errors import StateError, StateLocked
from syncd.state.permissions import open_owner_only

_TRIES, _SECONDS_BETWEEN = 4, 0.05


def make_state_dir(state_dir: str) -> None:
    """Create the state directory with mode 0700, unless it exists."""
    try:
        os.makedirs(state_dir, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"state_dir {state_dir}: {error.strerror}; nothing was sent: make it writable or "
            "name another state_dir"
        ) from None


class StateLock:
    """Held by the service or a `--once` run as long as it may write the ledger."""

    def __init__(self, state_dir: str, name: str = "lock") -> None:
        """`name`: of the file; the ledger's is `lock`."""
        self._path = os.path.join(state_dir, name)
        self._descriptor: int | None = None

    def __enter__(self) -> StateLock:
        """Raises StateLocked, with the holder's pid if it is known, or StateError."""
        try:
            descriptor = open_owner_only(self._path)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            _lock(descriptor)
        except OSError as error:
            pid = _read_pid(descriptor)
            os.close(descriptor)
            if not isinstance(error, BlockingIOError):
                raise self._unusable(error) from None
            raise StateLocked(
                f"another syncd is at work on this state{f' (pid {pid})' if pid else ''}: "
                "wait for it, or stop it",
                pid,
            ) from None
        self._descriptor = descriptor
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass  # the disk is full: the lock holds without the pid
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _unusable(self, error: OSError) -> StateError:
        return StateError(f"{self._path}: {error.strerror}; nothing was sent")


def _lock(descriptor: int) -> None:
    """Take the lock. `lock_owner` in another process may hold it for some milliseconds."""
    for _ in range(_TRIES):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_SECONDS_BETWEEN)
    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_owner(state_dir: str) -> int | None:
    """The pid of the process that holds the lock; None = nobody does. Writes nothing."""
    try:
        descriptor = os.open(os.path.join(state_dir, "lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_pid(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None
