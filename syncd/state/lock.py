"""One owner of a state directory: an flock that dies with its process."""

from __future__ import annotations

import fcntl
import os
import time
from types import TracebackType

from syncd.errors import StateError, StateLocked
from syncd.state.private import open_private

_TRIES, _BETWEEN = 4, 0.05


def make_state_dir(state_dir: str) -> None:
    """Create the state directory, for its owner's eyes only."""
    try:
        os.makedirs(state_dir, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"state_dir {state_dir}: {error.strerror}; nothing was sent: make it writable or "
            "name another state_dir"
        ) from None


class StateLock:
    """Held by the service, or by a `--once`, for as long as it may write the ledger."""

    def __init__(self, state_dir: str) -> None:
        self._path = os.path.join(state_dir, "lock")
        self._descriptor: int | None = None

    def __enter__(self) -> StateLock:
        """Raises StateLocked, with the pid of the owner where it is known."""
        try:
            descriptor = open_private(self._path)
        except OSError as error:
            raise StateError(f"{self._path}: {error.strerror}; nothing was sent") from None
        try:
            _lock(descriptor)
        except BlockingIOError:
            pid = _read_pid(descriptor)
            os.close(descriptor)
            raise StateLocked(
                f"another syncd is at work on this state{f' (pid {pid})' if pid else ''}: "
                "wait for it, or stop it",
                pid,
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise StateError(f"{self._path}: {error.strerror}; nothing was sent") from None
        self._descriptor = descriptor
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass  # A full disk: the lock holds without the pid; the ledger will speak up.
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lock(descriptor: int) -> None:
    """Take the lock; a `status` that looks at it just now lets go within milliseconds."""
    for _ in range(_TRIES):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_BETWEEN)
    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def owner(state_dir: str) -> int | None:
    """The pid of the syncd that holds this state; None = nobody does. Writes nothing."""
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
