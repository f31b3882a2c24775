"""Plans a folder's cycle without a single request, from the remembered list."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.cli.reading import Reading
from syncd.cli.wiring import SANDBOX_KEY, Hooks, equip
from syncd.core.plan import Held
from syncd.engine.cycle import Cycle
from syncd.engine.tools import Options
from syncd.errors import Stopped
from syncd.service.folders import Target

_NOWHERE = "http://127.0.0.1:9"


def held_now(reading: Reading, target: Target) -> Sequence[Held] | None:
    """What the next cycle would hold back; None = only a list could tell.

    Mirror deletes never rest on a remembered list, so such a folder cannot be planned here.
    """
    if target.folder.rules.delete == "mirror":
        return None
    tools, transport = equip(
        reading.config, reading.ledger, SANDBOX_KEY, _NOWHERE, Hooks(before_request=_never)
    )
    try:
        options = Options(once=reading.service is None, dry_run=True, list_first=False)
        cycle = Cycle(tools, options, target.folder)
        report = cycle.run()
    except Stopped:
        return None
    finally:
        transport.close()
    return None if report.error is not None else report.held


def _never() -> None:
    raise Stopped("a list would be needed")
