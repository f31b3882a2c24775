"""How a folder and the quota stand: the values that service and commands write and show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, get_args

from syncd.config import ApiSettings
from syncd.core.plan import Held
from syncd.engine.quota import QuotaMeter
from syncd.engine.report import LATER, OK, PARTLY, Cause, FolderReport
from syncd.model import Problem, TaskKey
from syncd.state.ledger import Ledger

State = Literal["in sync", "pending", "syncing", "paused", "held", "error"]


def rfc3339(at: float | None) -> str | None:
    """A time in seconds since the epoch as text, in UTC."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def task_text(task: TaskKey) -> str:
    """A task as a JSON key."""
    return f"{task.url} {task.organization_id} {task.workspace_id} {task.task_id}"


def state_of(report: FolderReport) -> State:
    """The state of a folder after a run."""
    if report.code == LATER:
        return "paused" if report.resumes_at is not None else "pending"
    if report.error is not None:
        return "error"
    if report.held:
        return "held"
    if report.failed or report.contested:
        return "error"
    return "in sync" if report.in_sync else "pending"


class FolderStatus(NamedTuple):
    """How one folder stands; times in seconds since the epoch."""

    name: str
    path: str
    task_id: int | None
    state: State = "pending"
    reason: str | None = "never synced"
    last_cycle: float | None = None
    next_cycle: float | None = None
    pending: int = 0
    """Actions that are left to do."""
    failed: tuple[Problem, ...] = ()
    held: tuple[Held, ...] = ()
    error: str | None = None
    contested: tuple[str, ...] = ()
    """Paths whose attachments somebody keeps changing."""
    cause: Cause | None = None
    task: str | None = None
    """The task as `task_text` writes it."""
    watch: str | None = None
    """How the service notices changes, and why not better."""
    watch_reason: str | None = None

    @classmethod
    def of(
        cls,
        report: FolderReport,
        task: TaskKey | None,
        *,
        last_cycle: float | None,
        next_cycle: float | None = None,
    ) -> FolderStatus:
        """The status of a folder after a run."""
        return cls(
            report.name,
            report.path,
            report.task_id,
            state_of(report),
            _reason(report),
            last_cycle,
            report.resumes_at if next_cycle is None else next_cycle,
            report.pending,
            tuple(report.failed),
            tuple(report.held),
            report.error,
            tuple(report.contested),
            report.cause,
            None if task is None else task_text(task),
        )

    def in_service(
        self, *, syncing: bool, key_refused: bool, changed: bool, paced: str | None
    ) -> FolderStatus:
        """The status while the service runs.

        `changed`: something in the folder has changed and waits for its cycle; `paced`: why that
        cycle is put off to spare the quota.
        """
        if syncing:
            return self._replace(state="syncing", reason=None)
        if key_refused:
            reason = "the key was refused: put a new one in place"
            return self._replace(state="paused", reason=reason)
        if self.last_cycle is None:
            return self._replace(state="pending", reason="not synced yet")
        if changed and (self.state == "in sync" or (self.state == "pending" and paced)):
            return self._replace(state="pending", reason=paced or "a change settles")
        return self

    def without_service(self, now: float) -> FolderStatus:
        """The status while no service runs: of what was to come, only a pause still counts."""
        status = self
        if status.state != "paused" or (status.next_cycle or 0.0) <= now:
            status = status._replace(next_cycle=None)
        if status.state == "syncing":
            status = status._replace(state="pending", reason="the cycle was interrupted")
        return status

    @property
    def exit_code(self) -> int:
        if self.state == "paused" or (self.state == "pending" and self.error):
            return LATER
        trouble = self.failed or self.held or self.error or self.state in ("held", "error")
        return PARTLY if trouble else OK

    def to_json(self) -> dict[str, Any]:
        """The folder's part of `status --json` (contract.md, Report)."""
        record = self.to_record()
        keys = ("name", "path", "task_id", "state", "reason", "last_cycle", "next_cycle")
        return {key: record[key] for key in (*keys, "pending", "failed", "held", "error")}

    def to_record(self) -> dict[str, Any]:
        """The folder's part of the status file."""
        return self._asdict() | {
            "last_cycle": rfc3339(self.last_cycle),
            "next_cycle": rfc3339(self.next_cycle),
            "failed": [{"name": p.path, "error": p.reason} for p in self.failed],
            "held": [held._asdict() for held in self.held],
        }

    @classmethod
    def from_record(cls, record: Any) -> FolderStatus | None:
        """None for a record that makes no sense: editors and other versions may have written it."""
        try:
            if record["state"] not in get_args(State):
                return None
            plain = ("name", "path", "task_id", "state", "reason", "pending", "error", "cause")
            return cls(
                **{key: record[key] for key in (*plain, "task")},
                last_cycle=_seconds(record["last_cycle"]),
                next_cycle=_seconds(record["next_cycle"]),
                failed=tuple(Problem(p["name"], p["error"]) for p in record["failed"]),
                held=tuple(Held(**held) for held in record["held"]),
                contested=tuple(record["contested"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            return None


def _reason(report: FolderReport) -> str | None:
    if report.error is not None:
        return report.error
    if report.held:
        return f"{len(report.held)} held back: {report.held[0].reason}"
    if report.failed:
        return f"{report.failed[0].path}: {report.failed[0].reason}"
    if report.contested:
        return f"somebody keeps changing {report.contested[0]}"
    return None


def _seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def quota_meter(api: ApiSettings, ledger: Ledger, clock: Callable[[], float]) -> QuotaMeter:
    """The quotas as the ledger knows them, with what the config says of them."""
    return QuotaMeter(api.url, ledger, clock, configured=api.quota, reserve=api.quota_reserve)


class QuotaStatus(NamedTuple):
    """The scarcest of several quotas."""

    remaining: int | None = None
    """Requests that are left."""
    resets_in: int | None = None
    """Seconds until it is renewed."""
    paused_until: float | None = None
    """Folders wait for it until then, in seconds since the epoch."""
    limit: int | None = None
    """Requests an hour, as far as is known; for people only."""

    @classmethod
    def of(
        cls,
        meter: QuotaMeter,
        organizations: Iterable[int],
        now: float,
        pauses: Iterable[float | None] = (),
    ) -> QuotaStatus:
        """`pauses`: until when folders wait for their quota."""
        until = max((at for at in pauses if at is not None and at > now), default=None)
        counted = [(left, o) for o in set(organizations) if (left := meter.left(o)) is not None]
        if not counted:
            return cls(paused_until=until)
        left, organization = min(counted)
        resets_at = meter.resumes_at(organization)
        if until is None and left <= meter.reserve:
            until = resets_at
        resets_in = None if resets_at is None else max(round(resets_at - now), 0)
        return cls(left, resets_in, until, max(meter.limit(organization), left))

    def to_json(self) -> dict[str, Any]:
        until = rfc3339(self.paused_until)
        return {"remaining": self.remaining, "resets_in": self.resets_in, "paused_until": until}
