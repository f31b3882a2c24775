"""What a run did, or would do, in lines for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from syncd.core.plan import Held
from syncd.engine.report import LATER, OK, FolderReport
from syncd.text import printable

FOLD = 20
"""So many names of a kind are told; the others are counted, unless -v."""
_CONTESTED = "somebody keeps changing it: left as it is until tomorrow"
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")
_DONE = ("created", "replaced", "renamed", "reordered", "deleted", "adopted")
_WOULD = ("create", "replace", "rename", "move", "delete", "adopt")


def report_lines(report: FolderReport, *, dry_run: bool, verbose: bool) -> list[str]:
    """One folder: a headline, and an indented line for each thing worth telling."""
    lines = [*(_plan(report) if dry_run else _done(report, verbose))]
    lines += _folded("detached", _detached(report, dry_run), verbose)
    lines += _folded("foreign", (f"{n} (not ours: left alone)" for n in report.foreign), verbose)
    lines += _skipped(report, verbose)
    lines += (_line("contested", f"{name} ({_CONTESTED})") for name in report.contested)
    lines += (_line("failed", f"{p.path}: {p.reason}") for p in report.failed)
    lines += _held(report)
    lines += (_line("hint", hint) for hint in report.hints)
    if report.pending and not dry_run:
        lines.append(_line("pending", f"{_count(report.pending, 'action')} left for a later run"))
    if report.error is not None:
        lines.append(_line("later" if report.code == LATER else "error", report.error))
    return [printable(line) for line in (_headline(report, dry_run), *lines)]


def trouble_lines(report: FolderReport) -> list[str]:
    """What keeps one folder from an exit status of 0: a line each, complete without the others."""
    lines = [f"{p.path}: {p.reason}; {_more_about(report, p.path)}" for p in report.failed]
    lines += (f"{name}: {_CONTESTED}" for name in report.contested)
    approve = f"syncd approve --folder {shlex.quote(report.name)}"
    lines += (f"held back: {_held_text(h)}; `{approve}` releases it" for h in report.held)
    if report.error is not None:
        # The quota's error says itself when it goes on.
        again = report.code == LATER and report.cause != "quota"
        lines.append(f"{report.error}{'; the next run tries again' if again else ''}")
    return [printable(f"{report.name}: {line}") for line in lines]


def _more_about(report: FolderReport, path: str) -> str:
    file = shlex.quote(f"{report.path.rstrip('/')}/{path}")
    return f"`syncd why {file}` tells more"


def summary(reports: Sequence[FolderReport], *, dry_run: bool) -> str:
    """The last line: what was done in all folders, what was not, and what it took."""
    done = [f"{n} {word}" for word, n in counts(reports, dry_run=dry_run).items() if n]
    undone = [
        (sum(len(r.held) for r in reports), "held back"),
        (sum(len(r.contested) for r in reports), "contested"),
        (sum(len(r.failed) for r in reports), "failed"),
        (sum(r.pending for r in reports), "pending"),
        (sum(1 for r in reports if r.error is not None), "in error or put off"),
    ]
    parts = [_standing(reports), ", ".join(done) or "nothing to do"]
    parts += [", ".join(f"{n} {word}" for n, word in undone if n)]
    if dry_run:
        planned = sum(r.planned_requests for r in reports)
        parts.append(f"{_count(planned, 'request')} in all, lists included; nothing was changed")
    else:
        parts.append(_count(sum(r.requests for r in reports), "request"))
    return "; ".join(part for part in parts if part)


def counts(reports: Iterable[FolderReport], *, dry_run: bool) -> dict[str, int]:
    """How much of each kind was done, or (`to create`) would be."""
    found = list(reports)
    words = (
        [f"to {word}" for word in _WOULD]
        if dry_run
        else ["moved" if w == "reordered" else w for w in _DONE]
    )
    return {
        word: sum(len(getattr(r, key)) for r in found)
        for word, key in zip(words, _DONE, strict=True)
    }


def standing(report: FolderReport, *, dry_run: bool) -> str:
    """In a word or two, how a folder stands after the run."""
    if report.in_sync:
        return "in sync"
    if report.error is not None:
        return "later" if report.code == LATER else "error"
    if report.held:
        return "held back"
    if report.exit_code() != OK:
        return "not in sync"
    return "to be done" if dry_run else "pending"


def size_text(size: int) -> str:
    """`512 bytes`, `3.4 MiB`."""
    if size < 1024:
        return _count(size, "byte")
    power = min((size.bit_length() - 1) // 10, len(_UNITS))
    return f"{size / 1024**power:.1f} {_UNITS[power - 1]}"


def _headline(report: FolderReport, dry_run: bool) -> str:
    task = f"task {report.task_id}" if report.task_id is not None else "no task"
    if dry_run:
        cost = f"{_count(report.planned_requests, 'request')} in all, lists included"
    else:
        cost = _count(report.requests, "request")
    return f"{report.name} ({task}): {standing(report, dry_run=dry_run)}; {cost}"


def _plan(report: FolderReport) -> Iterator[str]:
    """Every action, with its reason and its requests: they add up to the headline's."""
    looked = report.planned_requests - sum(a.requests for a in report.actions)
    if looked:
        yield _line("list", f"the task (to see what is there: {_count(looked, 'request')})")
    for action in report.actions:
        yield _line(action.what, f"{action.name} ({action.reason}: {_cost(action.requests)})")


def _cost(requests: int) -> str:
    return _count(requests, "request") if requests else "no request"


def _done(report: FolderReport, verbose: bool) -> Iterator[str]:
    yield from _folded("created", report.created, verbose)
    yield from _folded("replaced", report.replaced, verbose)
    yield from _folded("renamed", (f"{old} -> {new}" for old, new in report.renamed), verbose)
    yield from _folded("moved", report.reordered, verbose)
    yield from _folded("deleted", report.deleted, verbose)
    yield from _folded("adopted", report.adopted, verbose)


def _detached(report: FolderReport, dry_run: bool) -> Iterator[str]:
    stays = "would stay" if dry_run else "stays"
    return (f"{name} (no synced file any more: the attachment {stays})" for name in report.detached)


def _skipped(report: FolderReport, verbose: bool) -> Iterator[str]:
    """Counted by reason, since it may be many; named with -v."""
    if verbose:
        yield from (_line("skipped", f"{p.path} ({p.reason})") for p in report.skipped)
        return
    reasons: dict[str, list[str]] = {}
    for problem in report.skipped:
        reasons.setdefault(problem.reason, []).append(problem.path)
    for reason, paths in reasons.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield _line("skipped", f"{paths[0]}{more} ({reason})")


def _held(report: FolderReport) -> Iterator[str]:
    if not report.held:
        return
    for held in report.held:
        yield _line("held", _held_text(held))
    folder = shlex.quote(report.name)
    yield f"  `syncd approve` releases exactly these (`--folder {folder}` if others are held, too)"


def _held_text(held: Held) -> str:
    return f"{held.action} {held.name} (id {held.id}, {size_text(held.size)}): {held.reason}"


def _folded(word: str, names: Iterable[str], verbose: bool) -> Iterator[str]:
    found = list(names)
    shown = found if verbose or len(found) <= FOLD + 1 else found[:FOLD]
    yield from (_line(word, name) for name in shown)
    if len(shown) < len(found):
        yield _line(word, f"… and {len(found) - len(shown)} more (-v names them)")


def _line(word: str, text: str) -> str:
    return f"  {word:<9} {text}"


def _standing(reports: Sequence[FolderReport]) -> str:
    good = sum(1 for r in reports if r.in_sync)
    total = _count(len(reports), "folder")
    return f"{total} in sync" if good == len(reports) else f"{good} of {total} in sync"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
