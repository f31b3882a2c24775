"""What probes have sent and not yet deleted again, kept in `probe.json` under state_dir.

It is written before each create is sent, so that whatever ends a probe, the next one can find what
it made.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from syncd.errors import StateError
from syncd.model import DAY, Attachment, TaskKey
from syncd.state.whole_file import replace_file

_LOOKED_FOR = DAY
"""Seconds for which an attachment that was never seen is looked for."""
PREFIX = "syncd-probe-"


class Sent(NamedTuple):
    """One file of a create that may have been carried out."""

    orders: tuple[int, ...]
    """The display orders that it carried."""
    size: int
    id: int | None = None
    """None = not known yet."""
    answered: bool = False
    """The create got its 201."""
    missed: bool = False
    """Its answer was lost, and no list shows it."""


class Probe(NamedTuple):
    """What one probe has made in a task."""

    task: TaskKey
    token: str
    """A random part of every name that it gives."""
    at: float
    """Seconds since the epoch."""
    before: frozenset[int] = frozenset()
    """The ids that its first list has shown, and those that it has deleted: none is its own."""
    sent: tuple[Sent, ...] = ()

    @classmethod
    def new(cls, task: TaskKey, now: float) -> Probe:
        return cls(task, PREFIX + secrets.token_hex(4), now)

    @property
    def ids(self) -> tuple[int, ...]:
        """Of what is in the task, as far as they are known."""
        return tuple(sent.id for sent in self.sent if sent.id is not None)

    @property
    def unknown(self) -> bool:
        """Whether something is in the task, or may soon be, whose id is not known."""
        return any(sent.id is None and not sent.missed for sent in self.sent)

    @property
    def pending(self) -> int:
        """How many there are to delete, as far as is known."""
        return sum(not sent.missed for sent in self.sent)

    def seen(self, rows: Iterable[Attachment], *, by_size: bool = False) -> Probe:
        """With the ids of those attachments in a list that are this probe's.

        Its name holds the token, or it has size and display order of a file that was sent.
        `by_size`: the size, which is random, is enough; only while the probe is at work.
        """
        known = {*self.before, *self.ids}
        new = [row for row in rows if row.id not in known]
        sent = list(self.sent)
        for row in new:
            is_named = self.token in row.name.casefold()
            places = [i for i, s in enumerate(sent) if s.id is None and s.size == row.size]
            if not is_named:
                same = [other for other in new if other.size == row.size]
                sure = by_size and len(same) == 1
                places = [i for i in places if sure or row.display_order in sent[i].orders]
            if places:
                sent[places[0]] = sent[places[0]]._replace(id=row.id, missed=False)
            elif is_named:
                sent.append(Sent((), row.size, row.id))
        return self._replace(sent=tuple(sent))

    def suspects(self, rows: Iterable[Attachment]) -> tuple[Attachment, ...]:
        """What may be this probe's, by its size alone, of a create that got its 201."""
        sizes = {s.size for s in self.sent if s.answered and s.id is None}
        known = {*self.before, *self.ids}
        return tuple(row for row in rows if row.id not in known and row.size in sizes)

    def without(self, attachment_id: int) -> Probe:
        """After one was deleted."""
        sent = tuple(s for s in self.sent if s.id != attachment_id)
        return self._replace(sent=sent, before=self.before | {attachment_id})

    def without_unseen(self) -> Probe:
        """What has no id yet counts as missed; a list may show it late."""
        sent = (s if s.id is not None else s._replace(missed=True) for s in self.sent)
        return self._replace(sent=tuple(sent))

    def to_json(self) -> dict[str, Any]:
        sent = [s._asdict() for s in self.sent]
        return {**self._asdict(), "before": sorted(self.before), "sent": sent}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Probe:
        sent = (Sent(**{**s, "orders": tuple(s["orders"])}) for s in value["sent"])
        task, before = TaskKey(*value["task"]), frozenset(value["before"])
        return cls(task, value["token"], value["at"], before, tuple(sent))


class Record:
    """The file of all probes that have something left. Raises StateError if it cannot be used."""

    def __init__(self, state_dir: str, now: float) -> None:
        self.path = os.path.join(state_dir, "probe.json")
        self._probes: dict[str, Probe] = {}
        for probe in self._read():
            if probe.ids or 0 <= now - probe.at < _LOOKED_FOR:
                self._probes[probe.token] = probe

    def of(self, task: TaskKey) -> list[Probe]:
        """Earlier probes of this task, oldest first."""
        return [probe for probe in self._probes.values() if probe.task == task]

    def keep(self, probe: Probe) -> None:
        """Write it before it counts; one that has nothing left is forgotten."""
        self._probes.pop(probe.token, None)
        if probe.sent:
            self._probes[probe.token] = probe
        self._write()

    def _read(self) -> list[Probe]:
        try:
            with open(self.path, encoding="utf-8") as file:
                return [Probe.from_json(value) for value in json.load(file)["probes"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is damaged"
            hint = (
                f"delete what is named {PREFIX}… in the tasks that you have probed, and this file"
            )
            raise StateError(
                f"{self.path} cannot be read ({why}); nothing was sent: {hint}"
            ) from None

    def _write(self) -> None:
        document = {"version": 1, "probes": [p.to_json() for p in self._probes.values()]}
        try:
            if self._probes:
                replace_file(self.path, json.dumps(document).encode(), sync=True)
            else:
                Path(self.path).unlink(missing_ok=True)
        except OSError as error:
            why = f"{error.strerror}; make room, or make its directory writable"
            raise StateError(f"{self.path} cannot be written: {why}") from None
