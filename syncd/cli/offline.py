"""See a folder as its next cycle will, without a request: by the remembered list."""

from __future__ import annotations

from syncd.cli.assembly import SANDBOX_KEY, Hooks, connect
from syncd.cli.read_only import ReadOnlyView
from syncd.engine.context import Options
from syncd.engine.observe import Observer
from syncd.overview.folders import Target
from syncd.overview.verdict import Verdicts

_NOWHERE = "http://127.0.0.1:9"


def judge_offline(view: ReadOnlyView, target: Target) -> Verdicts:
    """The verdicts on a folder and its attachments. Raises FolderError."""
    once, folder = view.service is None, target.folder
    context, transport = connect(view.config, view.ledger, SANDBOX_KEY, _NOWHERE, Hooks())
    try:
        options = Options(once=once, dry_run=True)
        observer = Observer(context, options, folder, view.ledger.task(folder.task))
        observer.needs_list = False
        snapshot = observer.observe()
    finally:
        transport.close()
    return Verdicts(snapshot, 0 if once else snapshot.deleted_lately)
