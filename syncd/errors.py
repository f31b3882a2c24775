"""All errors that syncd raises, by what the caller should do about them.

SyncdError
├── UsageError            the command line is wrong                       (exit 2)
├── ConfigError           the config or its key source is wrong           (exit 78)
├── StateError            the ledger cannot be written; nothing is sent   (exit 75)
│   ├── StateDamaged      a damaged ledger was set aside; start again     (exit 75)
│   ├── StateLocked       another syncd uses this state                   (exit 75)
│   └── StateUnknown      the ledger has a format that is not known       (exit 78)
├── FolderError           a folder is missing or unreadable               (exit 1)
├── Stopped               a stop was requested, between two requests      (exit 0)
├── FileProblem           a file cannot be read; nothing was sent         (this file)
└── ApiError              a request without the documented success
    ├── KeyRefused        401: stop everything                            (exit 77)
    ├── QuotaSpent        402: pause the organization                     (exit 75)
    ├── Throttled         429: back off                                   (exit 75)
    ├── Refused           400, 409, 413, 422, …: not done                 (this file)
    ├── TaskRefused       403, 404: the task or the right to it is gone   (exit 1)
    ├── NotOffered        the server has no such call, or another answer  (exit 1)
    ├── Unreachable       failed before the first body byte: not done     (exit 75)
    ├── Doubtful          5xx, time-outs, resets: may be done             (exit 75)
    │   └── ShortRead     a file ended early; request aborted: may be done (this file)
    └── InvalidResponse   HTML, a redirect, a broken list: may be done    (exit 75)
"""

from __future__ import annotations

from typing import NamedTuple


class SyncdError(Exception):
    """Base class; `str(error)` is one line for the user."""

    exit_code = 75
    """The exit status of a command that it ends (contract.md)."""


class UsageError(SyncdError):
    """The command line is wrong."""

    exit_code = 2


class Fault(NamedTuple):
    """One mistake in a config: what is wrong, where, and how to correct it."""

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

    exit_code = 78

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class StateError(SyncdError):
    """The ledger cannot be read or written, so nothing may be sent."""


class StateDamaged(StateError):
    """The ledger was damaged; it was set aside and replaced by an empty one."""


class StateLocked(StateError):
    """Another syncd holds the lock of this state."""

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class StateUnknown(StateError):
    """The ledger has a format that this syncd does not know; it is left untouched."""

    exit_code = 78


class FolderError(SyncdError):
    """A synced folder is missing or unreadable; nothing of its task is changed."""

    exit_code = 1


class Stopped(SyncdError):
    """A stop was requested. Raised before a request, never while one is under way."""


class FileProblem(SyncdError):
    """A local file cannot be uploaded; no request was sent."""

    def __init__(
        self, path: str, reason: str, *, changed: bool = False, unread: bool = False
    ) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.changed = changed
        """The file is no longer the planned one: plan it again."""
        self.unread = unread
        """The file could be opened, but not read to its declared end."""


class ApiError(SyncdError):
    """A request that did not get the documented success."""

    doubtful = False
    """Whether the server may have carried out the request."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        description: str = "",
        trace_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        """`status`: None without a response; `retry_after`: seconds."""
        details = [d for d in (description, f"trace_id {trace_id}" if trace_id else "") if d]
        super().__init__(f"{message}: {', '.join(details)}" if details else message)
        self.status = status
        self.description = description
        self.trace_id = trace_id
        self.retry_after = retry_after

    @property
    def reason_key(self) -> tuple[str, int | None, str]:
        """Equal for two errors that have the same reason."""
        return (type(self).__name__, self.status, self.description)


class KeyRefused(ApiError):
    """401: the key is wrong, revoked or expired."""

    exit_code = 77


class QuotaSpent(ApiError):
    """402: the organization has no requests left until its quota window resets."""


class Throttled(ApiError):
    """429: too many requests at once; `retry_after` is set if the server says how long."""


class Refused(ApiError):
    """A 4xx about this request alone: not done."""


class TaskRefused(ApiError):
    """403 or 404: the task is gone, belongs to others, or the plan lacks the right: not done."""

    exit_code = 1


class NotOffered(ApiError):
    """The server lacks a call that syncd can do without, or answers it in a form of its own."""

    exit_code = 1


class Unreachable(ApiError):
    """The connection failed before the first byte of the request's body: not done."""


class Doubtful(ApiError):
    """The server may have carried out the request: only a later list can tell."""

    doubtful = True


class ShortRead(Doubtful):
    """A file ended before its planned size while it was sent; the request was aborted."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason} while it was sent; the request was broken off")
        self.path = path
        self.reason = reason


class InvalidResponse(ApiError):
    """A response that the API does not document: a captive portal, a redirect, a broken list."""

    doubtful = True
