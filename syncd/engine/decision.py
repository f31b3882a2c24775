"""What follows from a cycle, as data: the run carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from syncd.engine.report import Trouble
from syncd.task_state import Refusal


@dataclass(frozen=True)
class Decision:
    """Without a trouble a new cycle follows."""

    trouble: Trouble | None = None
    """The run ends with it."""
    needs_list: bool = False
    wait: float = 0.0
    """Seconds before the new cycle."""
    why: str = ""
    """What happened, for the log."""
    refusals: tuple[Refusal, ...] = ()
    """To be remembered."""
    aside: tuple[Refusal, ...] = ()
    """To be left alone for this run."""
    released: frozenset[str] = frozenset()
    """Subjects that are not left alone any more."""
    not_found: int | None = None
    """An attachment of which a 404 was the answer."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Path -> reason."""
    unsettled: frozenset[str] = frozenset()


AGAIN = Decision()
LIST_AGAIN = Decision(needs_list=True)
