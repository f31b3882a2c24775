"""Observe both sides: scan the folder, list the task, and bring the ledger up to that list."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.core.listing import DOUBT, apply_list, is_believed, lacking
from syncd.core.reconcile import paths_to_read
from syncd.core.snapshot import Snapshot, honoured
from syncd.engine.blame import unreadable
from syncd.engine.contents import Contents
from syncd.engine.context import Context, Options
from syncd.errors import FileProblem, InvalidResponse, SyncdError, Throttled
from syncd.local.ignore import selection
from syncd.local.scan import scan
from syncd.model import DAY, NOTHING, Folder, FolderSnapshot, Listing, Problem
from syncd.state.task_ledger import TaskLedger
from syncd.task_state import LedgerEntry, Refusal, TaskState

VIEWS = 3
"""Attachments that `view` is asked about when a list misses ours."""


class OutOfQuota(SyncdError):
    """The next request would go into what is kept back, or is known to be refused."""


class Observer:
    """Takes the snapshots of one run; remembers what it read, and which files to leave alone."""

    def __init__(
        self, context: Context, options: Options, folder: Folder, ledger: TaskLedger
    ) -> None:
        self._context = context
        self._options = options
        self._folder = folder
        self._ledger = ledger
        self._selection = selection(folder.rules)
        self.contents = Contents(context.checkpoint)
        self.unreadable: dict[str, str] = {}
        """Files that could not be opened or read in this run, with the reason."""
        self.unsettled: set[str] = set()
        """Files that are still being written, or that kept changing in this run."""
        state = ledger.state
        self.needs_list = options.list_first or state.listed_at is None or bool(state.in_doubt)
        self.fresh = False
        """The list was taken in this run."""
        self.folder: FolderSnapshot | None = None
        """The last scan, without what cannot be read."""
        self.found: FolderSnapshot | None = None
        """All of it."""
        self.scanned_at = 0.0

    def observe(self, aside: Mapping[str, Refusal] = NOTHING) -> Snapshot:
        """Both sides as they are now; what is `aside`, by subject, is left alone.

        Raises FolderError, ApiError, OutOfQuota, StateError.
        """
        scanned_at = self.scanned_at = self._context.clock()
        folder = self.folder = self._scan()
        if not self._options.once:
            self.unsettled |= still_written(folder, scanned_at, self._options.settle)
        if self.needs_list:
            self._list()
        snapshot = Snapshot(
            folder=folder,
            state=self._with_aside(aside),
            rules=self._folder.rules,
            selects=self._selection.selects,
            now=self._context.clock(),
            scanned_at=scanned_at,
            fresh=self.fresh,
            adopt_any_age=self._options.adopt_any_age,
            unsettled=frozenset(self.unsettled),
        )
        return self._with_digests(snapshot)

    def _with_aside(self, aside: Mapping[str, Refusal]) -> TaskState:
        state, now = self._ledger.state, self._context.clock()
        if not aside:
            return state
        held = {s: r._replace(attempts=20, not_before=now + DAY) for s, r in aside.items()}
        return state._replace(refusals={**state.refusals, **held})

    def _scan(self) -> FolderSnapshot:
        state = self._ledger.state
        folder = scan(self._folder.path, self._folder.rules, state.attached_paths)
        self.found = folder
        return without_unread(folder, state, self._context.clock(), self.unreadable)

    def _with_digests(self, s: Snapshot) -> Snapshot:
        """Read what must be read to decide. What cannot be read is taken out of the files."""
        while wanted := paths_to_read(s):
            found: dict[str, str] = {}
            failed: dict[str, str] = {}
            for file in s.folder.files:
                if file.path not in wanted:
                    continue
                try:
                    found[file.path] = self.contents.digest(
                        s.folder.root, file.path, file.fingerprint
                    )
                except FileProblem as problem:
                    if problem.changed:
                        self.unsettled.add(file.path)
                        continue
                    failed[file.path] = problem.reason
                    if problem.unread:
                        now = self._context.clock()
                        refusal = unreadable(self._ledger.state, file, problem.reason, now)
                        self._ledger.record_refusals([refusal])
            self.unreadable |= failed
            files = tuple(f._replace(digest=found.get(f.path, f.digest)) for f in s.folder.files)
            folder = _without(s.folder._replace(files=files), failed)
            s = s._replace(folder=folder, unsettled=frozenset(self.unsettled))
        return s

    def _list(self) -> None:
        """List the task and record what that changes, if the list can be believed."""
        ledger, task = self._ledger, self._folder.task
        ledger.write()
        self._heed_throttle()
        self._await_doubt()
        superseded = any(e.role == "superseded" for e in ledger.state.entries.values())
        self._afford(0 if ledger.state.in_doubt or superseded else self._context.quota.reserve)
        taken_at = self._context.clock()
        listing = self._context.remote.list(task, self._folder.rules.max_files)
        self._look_for_missing(listing)
        ledger.record_list(apply_list(ledger.state, listing, self._context.clock(), taken_at))
        self.needs_list, self.fresh = False, True

    def _heed_throttle(self) -> None:
        """What a 429 asked for holds for later runs, too, but for a day at most."""
        asked = self._ledger.state.refusals.get("")
        if asked is not None:
            left = asked.not_before - self._context.clock()
            if 0 < left <= DAY:
                raise Throttled(asked.error, retry_after=left)

    def _await_doubt(self) -> None:
        """Wait until a list can tell what became of the creates that failed just now."""
        ends = [i.ended_at for i in self._ledger.state.in_doubt if i.state == "doubtful"]
        patience = max((at for at in ends if at), default=0.0) + DOUBT - self._context.clock()
        if 0 < patience <= DOUBT and not self._options.dry_run:
            self._context.sleep(patience)

    def _look_for_missing(self, listing: Listing) -> None:
        """If a list misses attachments of ours, ask about some of them one by one.

        If one is there that a list has shown before, this list is not believed. One that no list
        has shown yet may be there, since lists may lag; if it is not, its 201 counts no longer, and
        if none of those asked about is there, no other one's does.
        """
        task, now = self._folder.task, self._context.clock()
        absent = sorted(
            lacking(self._ledger.state, listing), key=lambda entry: is_believed(entry, now)
        )
        gone: list[LedgerEntry] = []
        for entry in absent[:VIEWS]:
            self._afford(0)
            if self._context.remote.view(task, entry.id) is None:
                gone.append(entry)
            elif not is_believed(entry, now):
                raise InvalidResponse(
                    f"the list of {task} lacks attachment {entry.id} ({entry.path!r}), which is "
                    "there when asked for: not believed, nothing was sent"
                )
        for entry in absent if len(gone) == VIEWS else gone:
            self._ledger.record_not_found(entry.id)

    def _afford(self, reserve: int) -> None:
        left = self._context.quota.left(self._folder.task.organization_id)
        if left is not None and left - reserve < 1:
            raise OutOfQuota("the quota is used up")


def still_written(folder: FolderSnapshot, now: float, settle: float) -> frozenset[str]:
    """Files that were not quiet for `settle` seconds, by their ctime, which nobody can set.

    A ctime in the future (a file server's clock) tells nothing.
    """
    return frozenset(
        f.path for f in folder.files if 0 <= now - f.fingerprint.ctime_ns / 1e9 < settle
    )


def without_unread(
    folder: FolderSnapshot, state: TaskState, now: float, unreadable: Mapping[str, str] = NOTHING
) -> FolderSnapshot:
    """The folder with those files failed that could not be read lately, or are `unreadable`."""
    waits = honoured(state, now)
    unread = {
        f.path: r.error
        for f in folder.files
        if (r := waits.get(f.path)) and r.unread and r.fingerprint == f.fingerprint
    }
    return _without(folder, unread | {**unreadable})


def _without(folder: FolderSnapshot, unreadable: dict[str, str]) -> FolderSnapshot:
    """The folder with these files failed: there, but not to be synced."""
    sizes = {f.path: f.size for f in folder.files if f.path in unreadable}
    if not sizes:
        return folder
    return folder._replace(
        files=tuple(f for f in folder.files if f.path not in sizes),
        failed=(*folder.failed, *(Problem(p, unreadable[p]) for p in sorted(sizes))),
        occupied=folder.occupied | sizes.keys(),
        undecided={**folder.undecided, **sizes},
    )
