"""What applying a plan leaves behind, and what follows from a cycle, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from syncd.core.plan import Create
from syncd.engine.actions import Action
from syncd.engine.report import Trouble
from syncd.errors import ApiError, FileProblem, Stopped
from syncd.focus.uploads import SentFile
from syncd.model import NOTHING, LocalFile
from syncd.task_state import Refusal


class Failure(NamedTuple):
    """What ended the applying: the error, and what was being done."""

    error: ApiError | FileProblem
    creates: tuple[Create, ...] = ()
    attachment_id: int | None = None
    name: str = ""
    file: LocalFile | None = None
    """The one among the creates that could not be opened or read."""


class Outcome:
    """Grows while a plan is applied."""

    def __init__(self) -> None:
        self.done: list[Action] = []
        """The confirmed actions."""
        self.sent: list[tuple[tuple[Create, ...], tuple[SentFile, ...]]] = []
        """The confirmed requests to create, with what went over the wire."""
        self.unlisted = False
        """Something was created of which only the next list tells the id."""
        self.reordered = 0
        """Moves carried out."""
        self.failures: list[Failure] = []
        self.stopped: Stopped | None = None

    @property
    def ended(self) -> bool:
        return bool(self.failures) or self.stopped is not None


class Decision(NamedTuple):
    """What the run carries out next; without a trouble a new cycle follows."""

    trouble: Trouble | None = None
    """The run ends with it."""
    needs_list: bool = False
    wait: float = 0.0
    """Seconds before the new cycle."""
    why: str = ""
    """What happened, for the log."""
    refusals: tuple[Refusal, ...] = ()
    """To be remembered."""
    not_found: int | None = None
    """An attachment of which a 404 was the answer."""
    unreadable: Mapping[str, str] = NOTHING
    """Path -> reason."""
    unsettled: frozenset[str] = frozenset()


AGAIN = Decision()
LIST_AGAIN = Decision(needs_list=True)
