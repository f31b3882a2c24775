"""Write `status_page` and `metrics_file`; the service and `--once` use it, where they are named."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from syncd.config import Config
from syncd.errors import FolderError, SyncdError
from syncd.export.elements import Markup
from syncd.export.folder_section import folder_section
from syncd.export.metrics import MODE, metrics_text
from syncd.export.output_file import write_file
from syncd.export.page import anchor, page
from syncd.export.view import FolderView, PageView, QuotaView, folder_view, verdicts_of
from syncd.overview.folders import Folders, Target
from syncd.overview.notes import notes
from syncd.overview.status import FolderStatus, quota_meter
from syncd.overview.verdict import Verdicts
from syncd.state.ledger import Ledger

log = logging.getLogger("syncd.service")

REFRESH = 60
"""Seconds after which a browser loads the page of the service again."""
_ACTIONS = 50
"""So many of the last actions are shown."""


Part = tuple[FolderStatus, Markup]


class Moment(NamedTuple):
    """What is known at one moment."""

    config: Config
    folders: Folders
    statuses: tuple[FolderStatus, ...]
    pid: int | None
    """The service, if it runs."""
    now: float


class Outputs:
    """Remembers the parts of the page that have not changed, and what it warned of."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[object, Part]] = {}
        self._warned: set[str] = set()

    def write(self, moment: Moment, ledger: Ledger) -> None:
        """Write what the config names; what fails is one warning, until it works again."""
        config = moment.config
        if config.metrics_file is not None:
            self._try("metrics_file", lambda: self._write_metrics(moment, ledger))
        if config.status_page is not None:
            self._try("status_page", lambda: self._write_page(moment, ledger))

    def _try(self, key: str, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception as error:
            log.debug("traceback", exc_info=True)
            text = str(error) if isinstance(error, SyncdError) else f"unexpected {error!r}"
            if key not in self._warned:
                log.warning("%s: %s; syncing goes on", key, text)
            self._warned.add(key)
        else:
            self._warned.discard(key)

    def _write_metrics(self, moment: Moment, ledger: Ledger) -> None:
        assert moment.config.metrics_file is not None
        left = {q.organization: q.left for q in quotas(moment, ledger) if q.left is not None}
        text = metrics_text(moment.statuses, left, ledger.counters())
        write_file(moment.config.metrics_file, text, mode=MODE)

    def _write_page(self, moment: Moment, ledger: Ledger) -> None:
        assert moment.config.status_page is not None

        def look(target: Target) -> Verdicts:
            state = ledger.state(target.folder.task)
            return verdicts_of(target, state, moment.now, service=moment.pid is not None)

        refresh = REFRESH if moment.pid is not None else None
        text = self.page(moment, ledger, look, refresh)
        write_file(moment.config.status_page, text)

    def page(
        self,
        moment: Moment,
        ledger: Ledger,
        look: Callable[[Target], Verdicts],
        refresh: int | None = None,
    ) -> str:
        """The page; only folders whose status is new are looked at again."""
        targets = {t.folder.path: t for t in moment.folders.targets}
        names = {t.folder.task: t.folder.name for t in targets.values()}
        parts = [
            self._part(number, status, targets.get(status.path), moment, look)
            for number, status in enumerate(moment.statuses)
        ]
        view = PageView(
            moment.now,
            moment.pid,
            moment.config.file,
            tuple(status for status, _ in parts),
            tuple(quotas(moment, ledger)),
            tuple((t, names[t], cycle) for t, cycle in ledger.cycles() if t in names),
            tuple(action for _, action in reversed(ledger.actions(_ACTIONS))),
            tuple(notes(moment.folders, moment.config.state_dir, moment.now)),
            refresh,
        )
        return page(view, [section for _, section in parts])

    def _part(
        self,
        number: int,
        status: FolderStatus,
        target: Target | None,
        moment: Moment,
        look: Callable[[Target], Verdicts],
    ) -> Part:
        """How a folder stands now, and its section."""
        today = datetime.fromtimestamp(moment.now).date()  # times of today have no date
        key, known = (status, target, today), self._parts.get(number)
        if known is not None and known[0] == key:
            return known[1]
        view = FolderView(status)
        if target is not None:
            try:
                view = folder_view(status, lambda: look(target))
            except FolderError as error:
                view = FolderView(status, unseen=None if status.error else str(error))
        view = view.as_seen()
        part = view.status, folder_section(view, anchor(number), moment.config.file, moment.now)
        self._parts[number] = (key, part)
        return part


def quotas(moment: Moment, ledger: Ledger) -> Iterator[QuotaView]:
    """The quota of each organization, as the ledger knows it."""
    meter = quota_meter(moment.config.api, ledger, lambda: moment.now)
    for organization in dict.fromkeys(
        t.folder.task.organization_id for t in moment.folders.targets
    ):
        yield QuotaView(
            organization,
            meter.left(organization),
            meter.limit(organization),
            meter.resumes_at(organization),
        )
