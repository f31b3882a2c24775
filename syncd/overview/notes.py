"""What a person should know besides how the folders stand."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.overview.folders import Folders
from syncd.overview.words import clock_text
from syncd.state.damaged_ledgers import ledgers_set_aside


def notes(folders: Folders, state_dir: str, now: float) -> Iterator[str]:
    """Folders that left the config, and damaged ledgers that were set aside and not deleted yet."""
    yield from map(str, folders.removed)
    for aside in ledgers_set_aside(state_dir):
        yield (
            f"a damaged ledger was set aside {clock_text(aside.at, now)} as {aside.path}: "
            "attachments that match no file by name and size count as foreign since then "
            "(`syncd list` shows them); delete that file to be told no more"
        )
