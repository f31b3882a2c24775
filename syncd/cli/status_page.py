"""`syncd status --html FILE`: how everything stands, as one page for a browser."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.cli.read_only import ReadOnlyView
from syncd.errors import UsageError
from syncd.export.output_file import write_file
from syncd.export.outputs import Moment, Outputs
from syncd.overview.status import FolderStatus


def write_page(file: str, view: ReadOnlyView, folders: Sequence[FolderStatus]) -> None:
    """Raises OutputError, and UsageError for what is no file."""
    if file in ("", "-"):
        raise UsageError(f"--html {file!r} names no file: a page goes into one, not to stdout")
    moment = Moment(view.config, view.folders, tuple(folders), view.service, view.now)
    write_file(file, Outputs().page(moment, view.ledger, view.verdicts))
