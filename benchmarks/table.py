"""One table of all that was measured, with the bars and whether they were met."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measuring import Sample

HEADS = (
    "work",
    "median",
    "min",
    "max",
    "CPU",
    "MiB",
    "requests",
    "peer",
    "its median",
    "its CPU",
    "ratio",
    "bar",
)


@dataclass(frozen=True)
class Bar:
    """A bar and whether it was met."""

    text: str
    met: bool

    def __str__(self) -> str:
        return f"{self.text} {'met' if self.met else 'MISSED'}"


@dataclass(frozen=True)
class Row:
    work: str
    values: tuple[float, ...]
    unit: str = "s"
    cpu: float | None = None
    """Seconds, the median."""
    mib: float | None = None
    requests: int | None = None
    peers: tuple[tuple[str, float, float | None], ...] = ()
    """Name, median in the same unit, and CPU seconds."""
    bars: tuple[Bar, ...] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.values)


def at_most(value: float, limit: float, unit: str = "s") -> Bar:
    return Bar(f"≤ {limit:g} {unit}", value <= limit)


def row(
    work: str,
    samples: Mapping[str, Sequence[Sample]],
    seconds: float | None = None,
    mib: float | None = None,
    bar_peer: str = "",
    times: float = 1.0,
) -> Row:
    """The row of a contest that syncd was in. Bars: `seconds` and `mib` at most, or at most
    `times` as long as `bar_peer`."""
    ours = samples["syncd"]
    values = tuple(s.seconds for s in ours)
    peers = {
        name: (
            statistics.median(s.seconds for s in theirs),
            statistics.median(s.cpu for s in theirs),
        )
        for name, theirs in samples.items()
        if name != "syncd"
    }
    middle, most = statistics.median(values), max(s.mib for s in ours)
    bars = []
    if seconds is not None:
        bars.append(at_most(middle, seconds))
    if bar_peer in peers:
        text = f"≤ {bar_peer}" if times == 1 else f"≤ {times:g} × {bar_peer}"
        bars.append(Bar(text, middle <= times * peers[bar_peer][0]))
    if mib is not None:
        bars.append(at_most(most, mib, "MiB"))
    requests = ours[-1].requests or None
    cpu = statistics.median(s.cpu for s in ours)
    compared = tuple((name, *theirs) for name, theirs in peers.items())
    return Row(work, values, "s", cpu, most, requests, compared, tuple(bars))


def text(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table, in columns that line up."""
    lines: list[tuple[str, ...]] = [HEADS]
    for r in rows:
        lines += _lines(r)
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def _lines(r: Row) -> list[tuple[str, ...]]:
    """A line with the first peer, and one more for each of the others."""
    compared = [
        (
            name,
            _number(theirs, r.unit),
            f"{cpu:.2f}" if cpu is not None else "",
            f"{r.median / theirs:.2f}" if theirs else "",
        )
        for name, theirs, cpu in r.peers
    ] or [("",) * 4]
    first = (
        r.work,
        _number(r.median, r.unit),
        _number(min(r.values), r.unit),
        _number(max(r.values), r.unit),
        f"{r.cpu:.2f}" if r.cpu is not None else "",
        f"{r.mib:.0f}" if r.mib is not None else "",
        f"{r.requests:,}" if r.requests is not None else "",
        *compared[0],
        ", ".join(map(str, r.bars)),
    )
    return [first, *(("",) * 7 + peer + ("",) for peer in compared[1:])]


def _number(value: float, unit: str) -> str:
    if unit == "":
        return f"{value:g}"
    return f"{value:.{1 if value >= 100 else 2 if value >= 1 else 3}f} {unit}"
