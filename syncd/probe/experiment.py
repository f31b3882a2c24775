"""Finds out, with files of its own, what a server does where the documentation is silent."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence

from syncd.errors import Doubtful, InvalidResponse, Refused
from syncd.focus.uploads import Receipt, Upload
from syncd.model import Attachment, Fingerprint
from syncd.probe import findings
from syncd.probe.cleanup import Cleanup
from syncd.probe.findings import PLACES, Label
from syncd.probe.session import Session

_SIZES = (8 << 10, 64 << 10)
"""Bytes of a file, at random: the size tells whose an attachment is."""
_ROOM = 10_000
_LARGEST = 2**31 - 1
_SIDE = 5000
"""How far from the first file's display order those of the other two are."""
_ABOUT_ONE_CALL = (Refused, Doubtful, InvalidResponse)
"""Errors after which other calls are still worth trying."""


class Experiment:
    """One probe of one task; `session` has what it found."""

    def __init__(
        self,
        session: Session,
        directory: str,
        check_quota: Callable[[], None],
        stopping: Callable[[], None],
    ) -> None:
        """`directory`: an empty one for the files; `check_quota` is called before anything is
        made, and raises what says that too few requests are left; `stopping` after a Ctrl-C."""
        self._session = session
        self._cleanup = Cleanup(session)
        self._check_quota = check_quota
        self._stopping = stopping
        sizes = random.sample(range(*_SIZES), 3)
        self._files = [_write(directory, number, size) for number, size in enumerate(sizes)]
        self._made: list[tuple[Label, int]] = []
        """What was said of each file that is in the task, and its id."""
        self._rows: dict[int, Attachment] = {}
        """As they were seen last, by id."""

    def run(self) -> None:
        """Find out, and delete what was made; only a second KeyboardInterrupt prevents that.

        Raises what has ended it early.
        """
        end = _end_of(self._find_out)
        if not isinstance(end, KeyboardInterrupt):
            end = _end_of(self._cleanup.run) or end
        if isinstance(end, KeyboardInterrupt):
            self._stopping()
            self._cleanup.run()
        if end is not None:
            raise end

    def _find_out(self) -> None:
        session = self._session
        others = self._cleanup.of_earlier_probes()
        self._check_quota()
        highest = max((row.display_order for row in others), default=0)
        number = (highest if 0 <= highest < _LARGEST - 2 * _ROOM else 0) + _ROOM
        for step in (self._create_one, self._create_two, self._update):
            try:
                step(number)
            except _ABOUT_ONE_CALL as error:
                session.errors.append(error)
            finally:
                self._evaluate()

    def _create_one(self, number: int) -> None:
        """Query, form and file say different things of one file."""
        session = self._session
        names = [f"{session.probe.token}-{place} ü.txt" for place in PLACES]
        receipt = self._create([Label(names, (number, number + 1))])
        if receipt is not None:
            session.found(create_answers_with_ids=receipt.attachments is not None)
        if first := self._first():
            session.found(name_from=findings.name_from(first[0], first[1].name))

    def _create_two(self, number: int) -> None:
        """In bulk; the second has the name of the first file. The orders in the query would put
        them on other sides of it than those in the form."""
        session, token, first = self._session, self._session.probe.token, self._first()
        if not session.affords(2, files=2):
            return
        fresh = [f"{token}-two ü.txt", f"{token}-three ü.txt"]
        place = session.findings.name_from
        same = first[0].names[PLACES.index(place)] if first and place in PLACES else fresh[0]
        low, high = number - _SIDE, number + _SIDE
        if first and (now := first[1].display_order) not in first[0].orders:
            self._made[0] = (first[0]._replace(orders=(now, now)), first[1].id)
            low, high = max(now - 1, 0), max(now, 0) + _SIDE
        orders, unique = ((high, low), (low, high)), False
        try:
            receipt = self._create(
                [Label([n] * 3, o) for n, o in zip((fresh[0], same), orders, strict=True)]
            )
        except Refused:
            if not session.affords(2, files=2):
                raise
            unique = low > 0  # else it may be the 0 that is refused
            low = low or 1
            orders = ((high, low), (low, high))
            receipt = self._create([Label([n] * 3, o) for n, o in zip(fresh, orders, strict=True)])
            same = ""
        if receipt is not None:
            session.found(bulk_answers_with_ids=receipt.attachments is not None)
        if unique:
            session.found(names_unique=True)
        elif place != "other":
            twins = [self._rows[id_].name for label, id_ in self._made if same in label.names]
            if len(twins) == 2:
                session.found(names_unique=twins[0] != twins[1])

    def _create(self, labels: Sequence[Label]) -> Receipt | None:
        """Create a file for each label, and see what became of them. Raises ApiError."""
        session = self._session
        files = self._files[:1] if len(labels) == 1 else self._files[1:]
        uploads = [
            Upload(file, label.names[2], label.orders[0], Fingerprint.of(os.stat(file)))
            for file, label in zip(files, labels, strict=True)
        ]
        query, form = ([(la.names[at], la.orders[at]) for la in labels] for at in (0, 1))
        receipt = session.create(uploads, query, form)
        rows = session.look()
        self._rows |= {row.id: row for row in (receipt and receipt.attachments) or ()}
        self._rows |= {row.id: row for row in rows}
        ids = [sent.id for sent in session.probe.sent[-len(labels) :]]
        self._made += [(la, i) for la, i in zip(labels, ids, strict=True) if i in self._rows]
        return receipt

    def _first(self) -> tuple[Label, Attachment] | None:
        """The one file of which different things were said, if it is in the task."""
        found = ((la, self._rows[i]) for la, i in self._made if la.names[0] != la.names[1])
        return next(found, None)

    def _update(self, _: int) -> None:
        """A PUT of one field; if it is refused, one of both."""
        session, first = self._session, self._first()
        if first is None or not session.affords(1):
            return
        task, client, row = session.task, session.client, first[1]
        name = f"{session.probe.token}-renamed.txt"
        try:
            client.update_name_only(task, row.id, name)
        except Refused as error:
            session.notes["update_keeps_other_field"] = f"refused ({error.status})"
            if session.affords(1):
                client.update(task, row.id, name, row.display_order)
            return
        if session.affords(1) and (now := client.view(task, row.id)):
            session.found(update_keeps_other_field=now.display_order == row.display_order)

    def _evaluate(self) -> None:
        """What all attachments that are there by now tell together."""
        if not self._made:
            return
        labels = [label for label, _ in self._made]
        rows = [self._rows[id_] for _, id_ in self._made]
        order_from, orders = findings.orders(labels, rows)
        unique = self._session.findings.names_unique
        named = labels[:-1] if unique and len(labels) == 3 else labels
        names = findings.names(named, [row.name for row in rows[: len(named)]])
        self._session.found(order_from=order_from, orders=orders, names=names)


def _end_of(step: Callable[[], None]) -> BaseException | None:
    """What has ended a step before its end."""
    try:
        step()
    except BaseException as error:
        return error
    return None


def _write(directory: str, number: int, size: int) -> str:
    """A file of this many bytes; text, so that no server takes it for something else."""
    path = os.path.join(directory, f"{number}.txt")
    with open(path, "wb") as file:
        file.write((b"syncd probe\n" * (size // 12 + 1))[:size])
    return path
