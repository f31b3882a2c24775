"""What the commands that only read have in common: they take no lock and write no ledger."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from syncd.config import Config, find_config, load_config
from syncd.engine.quota import QuotaMeter
from syncd.overview.folders import Folders, Target, find_folders
from syncd.overview.status import FolderStatus, quota_meter, task_text
from syncd.overview.status_file import Status, read_status, running_service
from syncd.state.ledger import Ledger

if TYPE_CHECKING:
    from syncd.overview.verdict import Verdicts

_NOWHERE = "http://127.0.0.1:9"


class ReadOnlyView(NamedTuple):
    """What config, ledger and status file hold at one moment."""

    config: Config
    ledger: Ledger
    """A copy in memory."""
    folders: Folders
    status: Status
    service: int | None
    """The pid of the service, if it runs."""
    now: float

    def status_of(self, target: Target) -> FolderStatus:
        """How a folder stands by the last report on it."""
        folder, key = target.folder, task_text(target.folder.task)
        for found in self.status.folders:
            same_task = found.task == key or (
                found.task is None and found.task_id == folder.task.task_id
            )
            if found.path == folder.path and same_task:
                return self._as_of_now(found._replace(name=folder.name))
        return FolderStatus(folder.name, folder.path, folder.task.task_id)

    def statuses(self) -> list[FolderStatus]:
        """How every folder of the config stands, synced yet or not."""
        known = {found.path: self._as_of_now(found) for found in self.status.folders}
        statuses = [self.status_of(target) for target in self.folders.targets]
        for report in self.folders.errors:
            found = known.get(report.path) or FolderStatus.of(report, None, last_cycle=None)
            found = found._replace(name=report.name, task_id=report.task_id, state="error")
            statuses.append(found._replace(reason=report.error, error=report.error))
        return statuses

    def verdicts(self, target: Target) -> Verdicts:
        """A folder as its next cycle will see it, by the remembered list. Raises FolderError."""
        from syncd.cli.assembly import SANDBOX_KEY, Hooks, connect  # `status` needs none of these
        from syncd.engine.context import Options
        from syncd.engine.observe import Observer
        from syncd.overview.verdict import Verdicts

        once, folder = self.service is None, target.folder
        context, transport = connect(self.config, self.ledger, SANDBOX_KEY, _NOWHERE, Hooks())
        try:
            options = Options(once=once, dry_run=True)
            observer = Observer(context, options, folder, self.ledger.task(folder.task))
            observer.needs_list = False
            snapshot = observer.observe()
        finally:
            transport.close()
        return Verdicts(snapshot, 0 if once else snapshot.deleted_lately)

    def _as_of_now(self, status: FolderStatus) -> FolderStatus:
        return status.without_service(self.now) if self.service is None else status

    def meter(self) -> QuotaMeter:
        """The quotas as the ledger knows them."""
        return quota_meter(self.config.api, self.ledger, lambda: self.now)


@contextmanager
def open_read_only(arguments: argparse.Namespace) -> Iterator[ReadOnlyView]:
    """Read config, ledger and status file; the key is not looked at, nothing is sent."""
    config = load_config(find_config(arguments.config), with_key=False)
    now = time.time()
    ledger = Ledger.snapshot(config.state_dir)
    try:
        status = read_status(config.state_dir)
        service = running_service(config.state_dir, status)
        folders = find_folders(config, ledger)
        yield ReadOnlyView(config, ledger, folders, status, service, now)
    finally:
        ledger.close()
