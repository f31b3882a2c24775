"""Take out one guard at a time and see whether a test fails.

python -m tests.fault.guards            all of them
python -m tests.fault.guards quota key  those whose name holds one of the words

A guard is a line that keeps an attachment, a file's content or the key safe. Each row names it, the
file, the text to take out and what stands there instead, and the tests that have to notice.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.support.processes import environment

ROOT = Path(__file__).parents[2]
AT_ONCE = 2
PATIENCE = 300.0
"""Seconds after which tests that hang count as failed."""


class Guard(NamedTuple):
    name: str
    file: str
    old: str
    new: str
    tests: str
    """pytest's arguments, separated by spaces."""


UNIT, FAULT = "tests/unit/test_", "tests/fault/test_"
GUARDS = (
    Guard(
        "an entry without a file is not gone while its path is not synced",
        "core/matching.py",
        "    if not selects(path):\n        return False\n",
        "",
        f"{UNIT}reconcile.py",
    ),
    Guard(
        "an entry without a file waits while a file of its size is undecided",
        "core/matching.py",
        "return any(size in (None, entry.size) for size in others)",
        "return False",
        f"{FAULT}cycle_moved.py",
    ),
    Guard(
        "a racy fingerprint is not trusted",
        "core/matching.py",
        "if entry.fingerprint == file.fingerprint and not entry.racy:",
        "if entry.fingerprint == file.fingerprint:",
        f"{UNIT}reconcile.py {UNIT}matching.py",
    ),
    Guard(
        "an old version goes only once its newer version is shown",
        "core/removal.py",
        "        if s.is_shown(e.replaced_by) or",
        "        if True or",
        f"{UNIT}reconcile.py {UNIT}reconcile_trouble.py",
    ),
    Guard(
        "nothing is deleted under delete: never",
        "core/removal.py",
        '    if s.rules.delete == "never":\n        return []\n',
        "",
        f"{UNIT}reconcile.py",
    ),
    Guard(
        "a stranger made no create",
        "core/matching_creates.py",
        "(a for a in unknown if a.id not in strangers)",
        "unknown",
        f"{UNIT}matching_creates.py {UNIT}listing.py",
    ),
    Guard(
        "name and size decide only where as many are new as were sent",
        "core/matching_creates.py",
        "if len(by_name.get(key, [])) == len(in_doubt):",
        "if by_name.get(key, []):",
        f"{UNIT}matching_creates.py",
    ),
    Guard(
        "a create is lost only if a list taken 5 s later lacks it",
        "core/listing.py",
        "DOUBT = 5.0",
        "DOUBT = 0.0",
        f"{UNIT}listing.py {FAULT}cycle_faults.py",
    ),
    Guard(
        "a 201 is believed for ten minutes",
        "core/listing.py",
        "return not entry.listed and 0 <= now - entry.since < BELIEF",
        "return False",
        f"{UNIT}listing.py {FAULT}cycle_lists.py",
    ),
    Guard(
        "an attachment that is older than its file is not adopted",
        "core/adoption.py",
        "if s.adopt_any_age or not _is_older(",
        "if True or not _is_older(",
        f"{UNIT}adoption.py {UNIT}reconcile.py",
    ),
    Guard(
        "a remembered list is not enough for an adoption",
        "core/reconcile.py",
        "needs_list = not s.fresh and (adoption.adopted or adoption.older)",
        "needs_list = False",
        f"{UNIT}reconcile_trouble.py {UNIT}reconcile.py {UNIT}adoption.py",
    ),
    Guard(
        "more deletes than max_delete are held",
        "core/guard.py",
        "if total > s.rules.max_delete and not permission.allow_delete:",
        "if False:",
        f"{UNIT}guard.py",
    ),
    Guard(
        "more than half of ours are held",
        "core/guard.py",
        "return all_ours >= 4 and 2 * total > all_ours",
        "return False",
        f"{UNIT}guard.py",
    ),
    Guard(
        "an empty folder deletes nothing",
        "core/guard.py",
        "if not s.folder.files and _ours(s) >= 2:",
        "if False:",
        f"{UNIT}guard.py",
    ),
    Guard(
        "an approval releases exactly its set",
        "core/guard.py",
        "return ids <= permission.approved and not any(map(s.is_shown, others))",
        "return bool(permission.approved)",
        f"{UNIT}guard.py {FAULT}hostile_guard.py",
    ),
    Guard(
        "a new number is none that was used in the last day",
        "core/placement.py",
        "return assign(wanted, _used(s), s.rules.display_order_step)",
        "return assign(wanted, (), s.rules.display_order_step)",
        f"{UNIT}placement.py",
    ),
    Guard(
        "a sequence that the server keeps is left after two tries",
        "core/placement.py",
        "given_up = tried and not put_back and state.order_tries >= TIMES_A_DAY",
        "given_up = False",
        f"{UNIT}placement.py {FAULT}cycle_names.py",
    ),
    Guard(
        "unchanged bytes are created twice a day at most",
        "core/snapshot.py",
        'return self.created_counts.get((file.path, file.digest or ""), 0) >= TIMES_A_DAY',
        "return False",
        f"{UNIT}reconcile.py {UNIT}reconcile_trouble.py",
    ),
    Guard(
        "a list that misses ours is asked about",
        "engine/observe.py",
        "        self._look_for_missing(listing)\n",
        "",
        f"{FAULT}cycle_lists.py",
    ),
    Guard(
        "intents are committed before a request goes out",
        "engine/uploads.py",
        "intents = self._intend(batch)",
        "intents = ()",
        f"{FAULT}cycle_crash.py {FAULT}cycle_faults.py",
    ),
    Guard(
        "a create without a clear answer stays in doubt",
        "engine/uploads.py",
        "if isinstance(error, ApiError) and error.doubtful:",
        "if False:",
        f"{FAULT}cycle_faults.py",
    ),
    Guard(
        "nothing is sent after a failure",
        "engine/apply.py",
        "if outcome.ended or not run.affords(1 + reserve):",
        "if not run.affords(1 + reserve):",
        f"{FAULT}cycle_faults.py {FAULT}cycle_refusals.py",
    ),
    Guard(
        "sorting out a refused bulk takes at most eight requests",
        "engine/suspects.py",
        "self._spent < REQUESTS - 1",
        "True",
        f"{FAULT}cycle_refusals.py {FAULT}cycle_failing.py",
    ),
    Guard(
        "the quota's reserve is kept",
        "engine/cost.py",
        "room = max(left - len(finish) - reserve - owed, 0)",
        "room = max(left - len(finish), 0)",
        f"{UNIT}cost.py",
    ),
    Guard(
        "a sound ledger is not set aside for a read error",
        "state/ledger_file.py",
        "return _primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)",
        "return True",
        f"{UNIT}ledger_file.py {FAULT}hostile_state.py",
    ),
    Guard(
        "creates that were on their way when the process died are in doubt",
        "state/ledger.py",
        "\"UPDATE intents SET state = 'doubtful', ended_at = ? WHERE state = 'open'\"",
        "\"UPDATE intents SET ended_at = ? WHERE state = 'open'\"",
        f"{FAULT}cycle_crash.py {UNIT}ledger.py",
    ),
    Guard(
        "no transaction is written without its COMMIT",
        "state/database.py",
        '            self._db.execute("COMMIT")\n',
        "",
        f"{UNIT}task_ledger.py {UNIT}database.py",
    ),
    Guard(
        "a new entry changes nothing else in a config",
        "config/new_entry.py",
        "    if after != wanted:\n",
        "    if False:\n",
        f"{UNIT}config_new.py",
    ),
    Guard(
        "what a probe makes is recorded before it is sent",
        "probe/session.py",
        "            self.keep(self.probe._replace(sent=(*before, *new)))\n        except",
        "            pass\n        except",
        f"{UNIT}probe.py",
    ),
    Guard(
        "a probe sends at most 14 requests",
        "probe/session.py",
        "if self.requests >= REQUESTS:",
        "if False:",
        f"{UNIT}probe.py",
    ),
    Guard(
        "a probe takes nothing for its own that was in the task before",
        "probe/record.py",
        "known = {*self.before, *self.ids}\n        new = ",
        "known = {*self.ids}\n        new = ",
        f"{UNIT}probe.py",
    ),
    Guard(
        "names on the page stay text",
        "export/elements.py",
        "Markup(escape(sanitized(text)))",
        "Markup(sanitized(text))",
        f"{UNIT}export_page.py",
    ),
)


def attempt(guard: Guard) -> str | None:
    """The test that fails without the guard, or hangs; None = there is none."""
    with tempfile.TemporaryDirectory(prefix="syncd-without-") as base:
        copy = Path(base) / "syncd"
        litter = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build")
        shutil.copytree(ROOT, copy, ignore=litter)
        file = copy / "syncd" / guard.file
        file.write_text(file.read_text().replace(guard.old, guard.new))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        try:
            found = subprocess.run(
                [*command, *guard.tests.split()],
                cwd=copy,
                env=environment(PYTHONPATH=str(copy)),
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return "a test that hangs"
    if found.returncode == 0:
        return None
    assert found.returncode == 1, found.stdout + found.stderr
    lines = [ln for ln in found.stdout.splitlines() if ln.startswith(("FAILED", "ERROR"))]
    return lines[0].split(" - ")[0].split(" ", 1)[1]


def main(words: list[str]) -> int:
    """1 if a guard can be taken out and no test fails."""
    started, unseen = time.monotonic(), 0
    chosen = [g for g in GUARDS if not words or any(word in g.name for word in words)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for guard, failed in zip(chosen, pool.map(attempt, chosen), strict=True):
            unseen += failed is None
            print(f"{'seen by ' + failed if failed else 'UNSEEN'}: {guard.name}", flush=True)
    took = time.monotonic() - started
    print(f"{len(chosen)} guards taken out, {unseen} unseen, in {took:.0f} s")
    return bool(unseen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
