"""What applying a plan leaves behind, as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncd.core.plan import Create
from syncd.engine.actions import Action
from syncd.errors import Stopped, SyncdError
from syncd.focus.uploads import SentFile
from syncd.model import LocalFile


@dataclass(frozen=True)
class Failure:
    """What ended the applying: the error, and what was being done."""

    error: SyncdError
    creates: tuple[Create, ...] = ()
    attachment_id: int | None = None
    name: str = ""
    file: LocalFile | None = None
    """The one among the creates that could not be opened or read."""


@dataclass
class Outcome:
    """Grows while a plan is applied."""

    done: list[Action] = field(default_factory=list)
    """The confirmed actions."""
    sent: list[tuple[tuple[Create, ...], tuple[SentFile, ...]]] = field(default_factory=list)
    """The confirmed requests to create, with what went over the wire."""
    unlisted: bool = False
    """Something was created of which only the next list tells the id."""
    reordered: int = 0
    """Moves carried out."""
    failures: list[Failure] = field(default_factory=list)
    stopped: Stopped | None = None

    @property
    def ended(self) -> bool:
        return bool(self.failures) or self.stopped is not None
