"""What the service makes for others, if its config names it; else nothing of it is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncd.config import Config
from syncd.overview.folders import Folders
from syncd.overview.status import FolderStatus
from syncd.overview.status_file import Status

if TYPE_CHECKING:
    from syncd.export.background import Background


class Exports:
    """Hands on to `syncd.export.background`."""

    def __init__(self) -> None:
        self._background: Background | None = None

    def show(self, config: Config, folders: Folders, status: Status, now: float) -> None:
        """Page and metrics are to show this."""
        if not config.has_outputs:
            return
        from syncd.export.outputs import Moment

        moment = Moment(config, folders, status.folders, status.pid, now)
        self._started(config).show(moment)

    def tell(self, config: Config, status: FolderStatus) -> None:
        """A folder has come to this state by a cycle."""
        if config.on_problem:
            self._started(config).tell(config, status)

    def found(self, config: Config, folders: Folders) -> None:
        """These are the folders now, and what cannot be synced."""
        if config.on_problem:
            self._started(config).found(config, folders)

    def stop(self) -> None:
        if self._background is not None:
            self._background.stop()

    def _started(self, config: Config) -> Background:
        if self._background is None:
            from syncd.export.background import Background

            self._background = Background(config)
        return self._background
