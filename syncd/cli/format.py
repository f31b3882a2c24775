"""What people read: the report of a run, how a folder stands, times and sizes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from syncd.cli.rows import Headline, Lines, Row
from syncd.engine.report import LATER, OK, FolderReport
from syncd.overview.status import FolderStatus, QuotaStatus, state_of
from syncd.overview.words import count, duration_text, held_text, time_text
from syncd.text import printable

FOLD = 20
"""Names of one kind that are listed; the others are counted, unless -v."""
_CONTESTED = "somebody keeps changing it: left as it is until tomorrow"
_BAR = 20
"""Characters of the quota's bar."""
_KINDS = {
    "created": "create",
    "replaced": "replace",
    "renamed": "rename",
    "reordered": "move",
    "deleted": "delete",
    "adopted": "adopt",
}
"""The lists of a report, and what a plan says of each."""


def report_lines(report: FolderReport, *, dry_run: bool, verbose: bool) -> Lines:
    """The report on one folder: a headline, and an indented line for each thing worth telling."""
    stays = "would stay" if dry_run else "stays"
    detached = f"(no synced file any more: the attachment {stays})"
    lines: list[Row | Headline | str] = [_headline(report, dry_run)]
    lines += _plan(report) if dry_run else _done(report, verbose)
    lines += _folded("detached", [f"{name} {detached}" for name in report.detached], verbose)
    lines += _folded("foreign", [f"{n} (not ours: left alone)" for n in report.foreign], verbose)
    lines += _skipped(report, verbose)
    lines += (Row("contested", f"{name} ({_CONTESTED})") for name in report.contested)
    lines += (Row("failed", f"{p.path}: {p.reason}") for p in report.failed)
    lines += (Row("held", held_text(h)) for h in report.held)
    if report.held:
        folder = f"`--folder {shlex.quote(report.name)}` if others are held, too"
        lines.append(f"  `syncd approve` releases exactly these ({folder})")
    lines += (Row("hint", hint) for hint in report.hints)
    if report.pending and not dry_run:
        lines.append(Row("pending", f"{count(report.pending, 'action')} left for a later run"))
    if report.error is not None:
        lines.append(Row("later" if report.code == LATER else "error", report.error))
    return lines


def trouble_lines(status: FolderStatus) -> list[str]:
    """What keeps one folder from an exit status of 0: a line each, complete without the others."""
    root, name = status.path.rstrip("/"), shlex.quote(status.name)
    lines = [
        f"{p.path}: {p.reason}; `syncd why {shlex.quote(f'{root}/{p.path}')}` tells more"
        for p in status.failed
    ]
    lines += (f"{path}: {_CONTESTED}" for path in status.contested)
    approve = f"`syncd approve --folder {name}` releases it"
    lines += (f"held back: {held_text(h)}; {approve}" for h in status.held)
    if status.error is not None:
        # The quota's error says itself when it goes on.
        again = status.exit_code == LATER and status.cause not in ("quota", "key")
        lines.append(f"{status.error}{'; the next run tries again' if again else ''}")
    if status.exit_code != OK and not lines:
        lines.append(status.reason or status.state)
    return [printable(f"{status.name}: {line}") for line in lines]


def status_lines(status: FolderStatus, now: float) -> Iterator[str]:
    """How one folder stands: a headline, and an indented line for each thing to be mended."""
    parts = [f"{status.state}: {status.reason}" if status.reason else status.state]
    if status.pending:
        parts.append(f"{status.pending} left to do")
    if status.last_cycle is not None:
        parts.append(f"last cycle {time_text(status.last_cycle, now)}")
    if status.next_cycle is not None:
        parts.append(f"next {time_text(status.next_cycle, now)}")
    task = f" (task {status.task_id})" if status.task_id is not None else ""
    yield f"{status.name}{task}: {'; '.join(parts)}"
    yield from _to_be_mended(status)


def status_details(status: FolderStatus) -> Iterator[str]:
    """What a row of a table has no room for."""
    if status.reason and status.state != "in sync":
        yield f"{status.name}: {status.reason}"
    yield from _to_be_mended(status)


def quota_line(quota: QuotaStatus, now: float, *, blocks: str = "") -> str:
    """What is left of the quota; as a bar, too, if `blocks` are two characters to draw it of."""
    left, limit = quota.remaining or 0, quota.limit or 0
    line = f"{left} of {limit} requests left"
    if blocks and limit:
        full = round(_BAR * left / limit)
        line = f"{blocks[0] * full}{blocks[1] * (_BAR - full)} {line}"
    if quota.resets_in is not None:
        line += f", renewed in {duration_text(quota.resets_in)}"
    if quota.paused_until is not None:
        line += f"; paused until {time_text(quota.paused_until, now)}"
    return f"quota: {line}"


def _to_be_mended(status: FolderStatus) -> Iterator[str]:
    yield from (f"  failed: {p.path}: {p.reason}" for p in status.failed)
    yield from (f"  held: {held_text(h)}" for h in status.held)
    if status.held:
        yield f"  approve exactly this with: syncd approve --folder {shlex.quote(status.name)}"


def summary(reports: Sequence[FolderReport], *, dry_run: bool) -> str:
    """The last line of a report: what was done in all folders, what was not, and its requests."""
    done = [(sum(len(getattr(r, k)) for r in reports), k) for k in _KINDS]
    undone = [
        (sum(len(r.held) for r in reports), "held back"),
        (sum(len(r.contested) for r in reports), "contested"),
        (sum(len(r.failed) for r in reports), "failed"),
        (sum(r.pending for r in reports), "pending"),
        (sum(1 for r in reports if r.error is not None), "in error or put off"),
    ]
    in_sync, folders = sum(r.in_sync for r in reports), count(len(reports), "folder")
    parts = [
        f"{folders} in sync" if in_sync == len(reports) else f"{in_sync} of {folders} in sync",
        ", ".join(f"{n} {_kind_text(k, dry_run)}" for n, k in done if n) or "nothing to do",
        ", ".join(f"{n} {text}" for n, text in undone if n),
    ]
    if dry_run:
        planned = sum(r.planned_requests for r in reports)
        parts.append(f"{count(planned, 'request')} in all; nothing was changed")
    else:
        parts.append(count(sum(r.requests for r in reports), "request"))
    return "; ".join(part for part in parts if part)


def _kind_text(kind: str, dry_run: bool) -> str:
    if dry_run:
        return f"to {_KINDS[kind]}"
    return "moved" if kind == "reordered" else kind


def _headline(report: FolderReport, dry_run: bool) -> Headline:
    task = f"task {report.task_id}" if report.task_id is not None else "no task"
    cost, state = count(report.requests, "request"), str(state_of(report))
    if dry_run:
        cost = f"{count(report.planned_requests, 'request')} in all, lists included"
        if state == "pending" and report.error is None:
            state = "to be done"
    return Headline(f"{report.name} ({task})", state, f"; {cost}")


def _plan(report: FolderReport) -> Iterator[Row]:
    """Every planned action with its reason and its requests, which add up to the headline's."""
    lists = report.planned_requests - sum(a.requests for a in report.actions)
    if lists:
        yield Row("list", f"the task (to see what is there: {count(lists, 'request')})")
    for action in report.actions:
        name = action.name if action.old_name is None else f"{action.old_name} -> {action.name}"
        cost = count(action.requests, "request") if action.requests else "no request"
        word = "move" if action.kind == "reorder" else action.kind
        yield Row(word, f"{name} ({action.reason}: {cost})")


def _done(report: FolderReport, verbose: bool) -> Iterator[Row]:
    for kind in _KINDS:
        names = getattr(report, kind)
        if kind == "renamed":
            names = [f"{old} -> {new}" for old, new in names]
        yield from _folded(_kind_text(kind, False), names, verbose)


def _skipped(report: FolderReport, verbose: bool) -> Iterator[Row]:
    """Skipped files, counted by reason, since there may be many; named with -v."""
    reasons: dict[str, list[str]] = {}
    for problem in report.skipped:
        reasons.setdefault(problem.reason, []).append(problem.path)
    for reason, paths in reasons.items():
        if not verbose and len(paths) > 1:
            paths = [f"{paths[0]} and {len(paths) - 1} more"]
        yield from (Row("skipped", f"{path} ({reason})") for path in paths)


def _folded(word: str, names: Sequence[str], verbose: bool) -> Iterator[Row]:
    shown = names if verbose or len(names) <= FOLD + 1 else names[:FOLD]
    yield from (Row(word, name) for name in shown)
    if len(shown) < len(names):
        yield Row(word, f"… and {len(names) - len(shown)} more (-v names them)")
