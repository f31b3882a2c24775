"""What `--once` makes for others at its end: page, metrics, `on_problem`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from syncd.cli.read_only import ReadOnlyView
from syncd.config import Config
from syncd.export.outputs import Moment, Outputs
from syncd.export.problems import Problems, without_task
from syncd.overview.folders import Folders
from syncd.overview.status import FolderStatus
from syncd.overview.status_file import read_status
from syncd.state.ledger import Ledger

log = logging.getLogger("syncd.once")


def export(
    config: Config,
    ledger: Ledger,
    folders: Folders,
    run: Sequence[FolderStatus],
    now: float,
    is_stopped: Callable[[], bool],
) -> None:
    """`run`: the folders of this run. Raises StateError."""
    if config.has_outputs:
        ledger.write_waiting()
        view = ReadOnlyView(config, ledger, folders, read_status(config.state_dir), None, now)
        Outputs().write(Moment(config, folders, tuple(view.statuses()), None, now), ledger)
    if not config.on_problem:
        return
    problems = Problems(config, is_stopped)
    problems.forget_others(folders)
    rows = {status.path: status for status in (*without_task(folders), *run)}
    for status in rows.values():
        if is_stopped():
            return
        problems.tell(status, config)
        if problems.stuck:
            log.warning("on_problem: what else there is to tell is left to the next run")
            return
