"""Looks at both sides: scans the folder, lists the task, settles the books."""

from __future__ import annotations

from dataclasses import replace

from syncd.core.books import DAY, DOUBT, in_doubt, missing, settle
from syncd.core.ignore import selection
from syncd.core.reconcile import digests
from syncd.core.situation import Situation, honoured
from syncd.engine.refusals import refusal
from syncd.engine.tools import Options, Tools
from syncd.errors import ApiError, FileProblem, SyncdError, Throttled, Unbelievable
from syncd.local.digest import digest
from syncd.local.scan import scan
from syncd.model import (
    Fingerprint,
    Folder,
    FolderSnapshot,
    Listing,
    LocalFile,
    Past,
    Problem,
    Refusal,
)

VIEWS = 3
"""Attachments that `view` is asked about when a list misses ours."""


class OutOfQuota(SyncdError):
    """The next request would go into what is kept back, or is known to be refused."""


class Look:
    """What one run knows of one folder and its task; renewed in parts, round by round."""

    def __init__(self, tools: Tools, options: Options, folder: Folder) -> None:
        self._tools = tools
        self._options = options
        self._folder = folder
        self._selection = selection(folder.rules)
        self._read: dict[str, tuple[Fingerprint, str]] = {}
        self.unreadable: dict[str, str] = {}
        """Files that could not be opened in this run, with the reason."""
        self.unsettled: set[str] = set()
        """Files that kept changing in this run, or are still being written."""
        self.aside: dict[str, Refusal] = {}
        """What the server failed on, by subject: for the rest of this run as if it were refused."""
        self.listing: Listing | None = None
        """What the task holds, as far as is known; None = a list is needed."""
        self.listed_at = 0.0
        self.fresh = False
        """The list was taken in this run."""
        self.folder: FolderSnapshot | None = None
        """The last scan, without what cannot be read."""
        self.found: FolderSnapshot | None = None
        """All that it found."""
        self.scanned_at = 0.0

    def recall(self) -> None:
        """Begin with the remembered list, if there is one and no create is in doubt."""
        remembered = self._tools.ledger.remembered(self._folder.task)
        if remembered is not None and not in_doubt(self._past()):
            self.listing, self.listed_at = remembered

    def know(self, path: str, fingerprint: Fingerprint, content: str) -> None:
        """A file was read for its upload: it need not be read again in this run."""
        self._read[path] = (fingerprint, content)

    def content(self, file: LocalFile) -> str | None:
        """The digest of a file, if it is still the planned one."""
        if file.digest is not None:
            return file.digest
        assert self.folder is not None
        try:
            return self._digest(self.folder.root, file.path, file.fingerprint)
        except FileProblem:
            return None

    def unread(self, file: LocalFile) -> str | None:
        """Why a file cannot be read to its end; None = it can, or is another one by now."""
        assert self.folder is not None
        try:
            self._read.pop(file.path, None)
            self._digest(self.folder.root, file.path, file.fingerprint)
        except FileProblem as problem:
            return problem.reason if problem.unread else None
        return None

    def cannot_be_read(self, file: LocalFile, reason: str) -> None:
        """It was read to no end twice: left alone for a while, as if the server refused it."""
        self.unreadable[file.path] = reason
        found = refusal(self._past(), file.path, file, reason, self._tools.clock(), digest="")
        self._tools.ledger.refuse(self._folder.task, [found])

    def situation(self) -> Situation:
        """Both sides as they are now. Raises FolderError, ApiError, OutOfQuota, StateError."""
        scanned_at = self.scanned_at = self._tools.clock()
        folder = self.folder = self._scan()
        if not self._options.once:
            self.unsettled |= still_written(folder, scanned_at, self._options.settle)
        if self.listing is None:
            self._list()
        assert self.listing is not None
        situation = Situation(
            folder=folder,
            listing=self.listing,
            past=self._with_aside(self._past()),
            rules=self._folder.rules,
            selects=self._selection.selects,
            now=self._tools.clock(),
            scanned_at=scanned_at,
            fresh=self.fresh,
            adopt_any_age=self._options.adopt_any_age,
            unsettled=frozenset(self.unsettled),
        )
        return self._digested(situation)

    def set_aside(self, subject: str, error: ApiError, file: LocalFile | None = None) -> None:
        """Leave a file or a change to an attachment alone for the rest of this run."""
        now = self._tools.clock()
        fingerprint = file.fingerprint if file else None
        self.aside[subject] = Refusal(subject, str(error), fingerprint, 20, now + DAY)

    def _with_aside(self, past: Past) -> Past:
        return replace(past, refusals=(*past.refusals, *self.aside.values()))

    def _past(self) -> Past:
        return self._tools.ledger.past(self._folder.task, self._tools.clock())

    def _scan(self) -> FolderSnapshot:
        rules = self._folder.rules
        past = self._past()
        known = [e.path for e in past.entries if e.role in ("current", "detached")]
        folder = self.found = scan(
            self._folder.path,
            self._selection,
            recursive=rules.recursive,
            max_file_size=rules.max_file_size,
            max_files=rules.max_files,
            known=known,
            manifest=rules.order == "manifest",
        )
        waits = honoured(past, self._tools.clock())
        unread = {
            f.path: r.error
            for f in folder.files
            if (r := waits.get(f.path)) and r.unread and r.fingerprint == f.fingerprint
        }
        return _without(folder, unread | self.unreadable)

    def _digested(self, s: Situation) -> Situation:
        """Read what must be read to decide. What cannot be read is taken out of the files."""
        while wanted := digests(s):
            found: dict[str, str] = {}
            failed: dict[str, str] = {}
            for file in s.folder.files:
                if file.path not in wanted:
                    continue
                try:
                    found[file.path] = self._digest(s.folder.root, file.path, file.fingerprint)
                except FileProblem as problem:
                    if problem.changed:
                        self.unsettled.add(file.path)
                        continue
                    failed[file.path] = self.unreadable[file.path] = problem.reason
                    if problem.unread:
                        self.cannot_be_read(file, problem.reason)
            files = tuple(replace(f, digest=found.get(f.path, f.digest)) for f in s.folder.files)
            folder = _without(replace(s.folder, files=files), failed)
            s = replace(s, folder=folder, unsettled=frozenset(self.unsettled))
        return s

    def _digest(self, root: str, path: str, fingerprint: Fingerprint) -> str:
        known = self._read.get(path)
        if known is None or known[0] != fingerprint:
            try:
                content, _ = digest(root, path, fingerprint, lambda _: self._tools.checkpoint())
            except FileProblem as problem:
                if not problem.unread:
                    raise
                # Once may be chance: twice, and the file the same, is the file's failure.
                content, _ = digest(root, path, fingerprint, lambda _: self._tools.checkpoint())
            known = self._read[path] = (fingerprint, content)
        return known[1]

    def _list(self) -> None:
        """List the task and settle the books by it, if the list can be believed."""
        task, ledger = self._folder.task, self._tools.ledger
        before = self._past()
        self._heed_throttle(before)
        self._await_doubt(before)
        unfinished = in_doubt(before) or any(e.role == "superseded" for e in before.entries)
        self._afford(0 if unfinished else self._tools.meter.reserve)
        taken_at = self._tools.clock()
        listing = self._tools.client.list(task, self._folder.rules.max_files)
        self._believe(before, listing)
        now = self._tools.clock()
        after = settle(before, listing, self._folder.rules.delete, now, taken_at)
        ledger.record(task, before, after)
        self._tools.meter.save()
        self.listing, self.listed_at, self.fresh = listing, taken_at, True

    def _heed_throttle(self, past: Past) -> None:
        """What a 429 asked for holds for later runs, too; a clock set back makes it no longer."""
        for asked in past.refusals:
            left = asked.not_before - self._tools.clock()
            if not asked.subject and 0 < left <= DAY:
                raise Throttled(asked.error, retry_after=left)

    def _await_doubt(self, past: Past) -> None:
        """Let a create in doubt come to its end: an earlier list could not tell, and costs."""
        ends = [i.ended_at for i in in_doubt(past) if i.state == "doubtful" and i.ended_at]
        patience = max(ends, default=0.0) + DOUBT - self._tools.clock()
        if 0 < patience <= DOUBT and not self._options.dry_run:
            self._tools.sleep(patience)

    def _believe(self, past: Past, listing: Listing) -> None:
        """If attachments of ours are missing, ask about some of them one by one."""
        lacking = missing(past, listing, self._tools.clock())
        for entry in lacking[:VIEWS]:
            self._afford(0)
            if self._tools.client.view(self._folder.task, entry.id) is not None:
                raise Unbelievable(
                    f"the list of {self._folder.task} lacks attachment {entry.id} "
                    f"({entry.path!r}), which is there when asked for: not believed, "
                    "nothing was sent"
                )

    def _afford(self, reserve: int) -> None:
        left = self._tools.meter.left(self._folder.task.organization_id)
        if left is not None and left - reserve < 1:
            raise OutOfQuota("the quota is used up")


def still_written(folder: FolderSnapshot, now: float, settle: float) -> frozenset[str]:
    """The files that the service leaves alone until they were quiet for `settle` seconds.

    By the ctime, which nobody can set; one in the future (a server's clock) says nothing.
    """
    return frozenset(
        f.path for f in folder.files if 0 <= now - f.fingerprint.ctime_ns / 1e9 < settle
    )


def _without(folder: FolderSnapshot, unreadable: dict[str, str]) -> FolderSnapshot:
    """A snapshot in which these files stand as failed: there, but not to be synced."""
    sizes = {f.path: f.size for f in folder.files if f.path in unreadable}
    if not sizes:
        return folder
    return replace(
        folder,
        files=tuple(f for f in folder.files if f.path not in sizes),
        failed=(*folder.failed, *(Problem(p, unreadable[p]) for p in sorted(sizes))),
        occupied=folder.occupied | sizes.keys(),
        undecided={**folder.undecided, **sizes},
    )
