"""Everything that can go wrong, typed by what the caller should do about it.

    SyncdError
    ├── UsageError            the command line is wrong                       (exit 2)
    ├── ConfigError           the config or its key source is wrong           (exit 78)
    ├── StateError            the ledger cannot be written; nothing is sent   (exit 75)
    │   ├── StateDamaged      the ledger was damaged and set aside; begin again (exit 75)
    │   ├── StateLocked       another syncd is at work on this state          (exit 75)
    │   └── StateTooNew       the ledger is of a newer syncd; left untouched  (exit 78)
    ├── FolderError           a folder is missing or unreadable               (exit 1)
    ├── Stopped               asked to stop, between two requests             (exit 0)
    ├── FileProblem           one file cannot be read or changed: item        (nothing was sent)
    └── ApiError              an answer that is not the documented success
        ├── KeyRefused        401: stop everything                            (exit 77)
        ├── QuotaSpent        402: pause the organization                     (exit 75)
        ├── Throttled         429: back off                                   (exit 75)
        ├── Refused           400, 409, 413, 422, …: not done                 (item)
        ├── TaskRefused       403, 404: the task, or our right to it, is gone (exit 1)
        ├── Unreachable       failed before the first body byte: not done     (exit 75)
        ├── Doubtful          5xx, time-outs, resets: perhaps done            (exit 75)
        └── Unbelievable      not what is documented: HTML, redirects, …      (exit 75)

Of an `ApiError`, `doubtful` says whether the call may have been carried out.
"""

from __future__ import annotations

from dataclasses import dataclass


class SyncdError(Exception):
    """Root of the tree; its text is one line for people."""


class UsageError(SyncdError):
    """The command line asks for something that does not exist."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a config: where it stands, what it is, how to mend it."""

    message: str
    file: str = ""
    line: int | None = None
    key: str = ""
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.file and self.line else self.file
        text = ": ".join(part for part in (where, self.key, self.message) if part)
        return f"{text} ({self.hint})" if self.hint else text


class ConfigError(SyncdError):
    """The config, or the key source that it names, is wrong or unreadable."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class StateError(SyncdError):
    """The ledger cannot be read or written: nothing may be sent."""


class StateDamaged(StateError):
    """The ledger was damaged and has been set aside: an empty one is in its place."""


class StateLocked(StateError):
    """Another syncd holds the lock of this state."""

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class StateTooNew(StateError):
    """The ledger was written by a newer syncd; it is left untouched."""


class FolderError(SyncdError):
    """A synced folder is missing or unreadable; nothing of its task is touched."""


class Stopped(SyncdError):
    """Somebody asked for an end; raised before a request, never after one went out."""


class FileProblem(SyncdError):
    """One local file could not be used for an upload; no request was sent."""

    def __init__(
        self, path: str, reason: str, *, changed: bool = False, unread: bool = False
    ) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.changed = changed
        """The file is not the one that was planned: it is to be planned again."""
        self.unread = unread
        """It could be opened, but not be read to its declared end."""


class ApiError(SyncdError):
    """An answer, or the lack of one, that is not the documented success."""

    doubtful = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        description: str = "",
        trace_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        details = [d for d in (description, f"trace_id {trace_id}" if trace_id else "") if d]
        super().__init__(f"{message}: {', '.join(details)}" if details else message)
        self.status = status
        self.description = description
        self.trace_id = trace_id
        self.retry_after = retry_after

    @property
    def likeness(self) -> tuple[str, int | None, str]:
        """Two refusals with the same likeness were refused for the same reason."""
        return (type(self).__name__, self.status, self.description)


class KeyRefused(ApiError):
    """401: the key is wrong, revoked or expired."""


class QuotaSpent(ApiError):
    """402: the quota of the organization is used up until its window resets."""


class Throttled(ApiError):
    """429: too fast; `retry_after` in seconds where the server says so."""


class Refused(ApiError):
    """A 4xx that speaks of this call: not done."""


class TaskRefused(ApiError):
    """403 or 404: the task is gone, not ours, or the plan lacks the right: not done."""


class Unreachable(ApiError):
    """The connection failed before the first byte of a body: not done."""


class Doubtful(ApiError):
    """Perhaps done: only a later list can tell."""

    doubtful = True


class Unbelievable(ApiError):
    """An answer that no Focus server gives: a captive portal, a redirect, a broken list."""

    doubtful = True
