"""Deletes what probes have made in a task: what can be proved to be theirs, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from syncd.errors import (
    Doubtful,
    InvalidResponse,
    QuotaSpent,
    Refused,
    StateError,
    SyncdError,
    TaskRefused,
    Throttled,
    Unreachable,
)
from syncd.model import Attachment
from syncd.probe.session import REQUESTS, Session, Spent

_PAUSES = (0.0, 2.0, 5.0)
"""Seconds before each attempt to delete."""
_LONGEST = 60.0
"""Seconds that a 402 or a 429 may ask for to be waited for."""
_ABOUT_ONE = (Doubtful, InvalidResponse, TaskRefused, Unreachable, Refused, StateError)
"""Failures after which the other deletes are worth trying."""


class Cleanup:
    """For one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._deleted: set[int] = set()
        """Ids whose DELETE was confirmed."""
        self._not_found: set[int] = set()
        """Ids whose DELETE got a 404."""

    def of_earlier_probes(self) -> Sequence[Attachment]:
        """List the task, and delete what earlier probes have left; returns the others."""
        session = self._session
        rows = session.listing()
        for probe in session.record.of(session.task):
            found = probe.seen(rows)
            session.suspects += found.suspects(rows)
            session.keep(found.without_unseen())
        self._delete_known()
        session.probe = session.probe._replace(before=frozenset(row.id for row in rows))
        return [row for row in rows if row.id not in self._deleted]

    def run(self) -> None:
        """Delete what is left, and look whether that is all; what fails stays on record."""
        session = self._session
        for pause in _PAUSES:
            if not (session.probe.unknown or session.left_behind):
                break
            session.wait(pause)
            for step in (self._find, self._delete_known, self._verify):
                try:
                    step()
                except Spent as error:
                    return session.cleaning_errors.append(error)
                except SyncdError as error:
                    session.cleaning_errors.append(error)
                    if isinstance(error, Throttled | QuotaSpent) and error.retry_after:
                        session.wait(error.retry_after if error.retry_after <= _LONGEST else 0.0)
        return None

    def _find(self) -> None:
        if self._session.probe.unknown:
            self._session.look()

    def _delete_known(self) -> None:
        """Delete everything once. Raises the last error, those that concern the rest at once."""
        session = self._session
        failed: SyncdError | None = None
        for probe in session.record.of(session.task):
            for id_ in probe.ids:
                try:
                    self._delete(probe.token, id_)
                except _ABOUT_ONE as error:
                    failed = error
        if failed is not None:
            raise failed

    def _delete(self, token: str, id_: int) -> None:
        """Delete one; a 404 is believed if a list lacks it, too."""
        session = self._session
        try:
            session.client.delete(session.task, id_)
        except TaskRefused as error:
            if error.status != 404:
                raise
            self._not_found.add(id_)
            if not self._is_gone(token, id_):
                raise
        else:
            self._deleted.add(id_)
        session.keep(session.probes[token].without(id_))
        untold = session.findings.view_shows_deleted is None
        if untold and id_ in self._deleted and session.affords(1):
            with suppress(Refused, TaskRefused, Doubtful, InvalidResponse):
                session.found(view_shows_deleted=session.client.shows(session.task, id_))

    def _is_gone(self, token: str, id_: int) -> bool:
        """Whether lists confirm a 404: they lack it, and not because they lag behind its create."""
        session = self._session
        is_late = token == session.probe.token and id_ not in session.ever_listed
        return id_ not in session.listed and not is_late

    def _verify(self) -> None:
        """Look at the task once more when all seems to be deleted, if a request is left."""
        session = self._session
        if session.requests >= REQUESTS or not self._not_found.issuperset(session.left_behind):
            return
        rows = session.list_once()
        if self._deleted & session.listed:
            session.found(list_lags=True)
        for probe in session.record.of(session.task):
            for id_ in self._not_found.intersection(probe.ids):
                if self._is_gone(probe.token, id_):
                    session.keep(session.probes[probe.token].without(id_))
        session.keep(session.probe.seen(rows))
        self._delete_known()
