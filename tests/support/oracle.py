"""What one installation may send, judged by somebody who knows every file's and row's content.

It rests on nothing that syncd says; where several things are right, the ledger says which it took.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import requests

from syncd.core.ordering import wanted_sequence
from syncd.engine.report import FolderReport
from syncd.local.ignore import selection
from syncd.model import Fingerprint, LocalFile
from syncd.sandbox.storage import Row
from tests.support.simulated_disk import sha

if TYPE_CHECKING:
    from tests.support.simulated_run import Syncd
    from tests.support.simulation import Simulation

DOUBT, BELIEF = 5.0, 600.0
"""What the contract says, not what the code does."""


@dataclass
class Sent:
    """One file of one POST, and what its sender could know of it."""

    path: str
    sha: str
    at: float
    state: str = "lost"
    """lost: the answer is unknown · done: 201 · refused: not done."""
    listed_late: bool = False
    """A list was answered that was asked for late enough to tell."""


class Oracle:
    """Notes what is wrong with `sim.wrong`; the simulation fails for it at the end of a run."""

    def __init__(self, sim: Simulation, syncd: Syncd) -> None:
        self.sim = sim
        self.syncd = syncd
        self.owned: dict[int, str] = {}
        """What is truly ours: id -> the path of its last POST or PUT."""
        self.been: dict[int, set[str]] = defaultdict(set)
        """id -> paths where a run, with a list, could find its content; it may note that and get
        no further."""
        self.assumed: dict[int, str] = {}
        """id of an adopted attachment -> the content that its file had then."""
        self._beside: dict[int, set[int]] = defaultdict(set)
        """id -> attachments that a list showed beside it, for one file."""
        self.sent: list[Sent] = []
        self.forgetful = False
        """The ledger was lost or is an old copy: what is not in it is nobody's."""
        self._strangers: set[int] = set()
        """What was in the task then."""
        self._gone: set[int] = set()
        """Deleted in this run, since its file is gone."""
        self._listed_at = 0.0
        self._at_list: set[int] | None = None
        """What was ours by the last list, before anything was sent; None = nothing was."""
        self._standing: set[int] = set()
        """The same, by the list before the first of `_gone`."""

    # -- what files there are ----------------------------------------------------------------

    def synced(self) -> dict[str, bytes]:
        """Today's files to sync."""
        selects = selection(self.syncd.rules).selects
        limit = self.syncd.rules.max_file_size
        return {
            path: content
            for path, content in sorted(self.syncd.disk.files.items())
            if selects(path) and not 0 < limit < len(content)
        }

    def _is_gone(self, path: str) -> bool:
        return path not in self.syncd.disk.files and selection(self.syncd.rules).selects(path)

    def _in_order(self) -> list[str]:
        disk = self.syncd.disk
        files = [
            LocalFile(path, Fingerprint(len(content), disk.mtime(path), 0, 0))
            for path, content in self.synced().items()
        ]
        there = {file.path for file in files}
        return wanted_sequence(files, self.syncd.rules, [p for p in disk.manifest if p in there])

    # -- what is ours ------------------------------------------------------------------------

    def entries(self) -> dict[int, tuple[str, str]]:
        """id -> role, path of what the ledger counts as ours."""
        query = "SELECT id, role, path FROM attachments"
        rows = self.syncd.ledger_rows(f"{query} WHERE role NOT IN ('tombstone', 'released')")
        return {id_: (role, path) for id_, role, path in rows}

    def live(self) -> dict[int, Row]:
        """Our attachments that are not deleted."""
        return {r.id: r for r in self.sim.live() if r.id in self.owned}

    def _known(self) -> dict[int, Row]:
        """Ours as far as syncd can tell: with what people deleted since its last list, or so soon
        that a 201 is believed."""
        listed_at = self._listed_at - self.sim.quirks.list_lag
        believed = self.sim.clock() - BELIEF
        deleted = [self.sim.rows[id_] for id_ in self.sim.removed & self.owned.keys()]
        unseen = (r for r in deleted if r.created_at > believed or (r.deleted_at or 0) >= listed_at)
        return self.live() | {r.id: r for r in unseen}

    def _content(self, row: Row) -> str:
        """The content that an attachment of ours stands for."""
        return self.assumed.get(row.id, row.sha256)

    def _paths(self, id_: int) -> set[str]:
        return {self.owned[id_], *self.been[id_]}

    def _stands_for(self, id_: int, entries: dict[int, tuple[str, str]]) -> str:
        """Its path; if a rename was noted and never reached the task, the new one."""
        noted = entries.get(id_, ("", ""))[1]
        empty = not self.sim.rows[id_].size  # Only the disk knows where an empty file went.
        return noted if noted in self._paths(id_) or (empty and noted) else self.owned[id_]

    def _follow(self) -> None:
        """Note where the contents of attachments are by now."""
        places = defaultdict(set)
        for path, content in self.synced().items():
            if content:
                places[sha(content)].add(path)
        for id_, row in self._known().items():
            if self.owned[id_] not in places[self._content(row)]:
                self.been[id_] |= places[self._content(row)]
        live = self.live()
        for id_ in live:
            same = (i for i in live if not self._paths(i).isdisjoint(self._paths(id_)))
            self._beside[id_].update(i for i in same if i != id_)

    def made(self, row: Row, path: str) -> None:
        """A POST of ours has made this attachment for this path."""
        self.owned[row.id] = path

    def forget(self) -> None:
        """The ledger is gone, or an old copy: only what is in it is ours."""
        known = self.entries()
        self.forgetful = True
        self._strangers |= {row.id for row in self.sim.live()} - known.keys()
        self.owned = {id_: path for id_, (_, path) in known.items() if id_ in self.sim.rows}
        self.been.clear()
        self.assumed = {id_: s for id_, s in self.assumed.items() if id_ in known}
        self.sent.clear()

    # -- runs --------------------------------------------------------------------------------

    def begin_run(self) -> None:
        self._gone, self._listed_at, self._at_list = set(), 0.0, None

    def end_run(self) -> None:
        if self.syncd.rules.delete == "never":
            # What was replaced is nobody's once a run is over.
            known = self.entries().keys()
            newest = {path: id_ for id_, path in sorted(self.owned.items()) if id_ in known}
            for id_, path in list(self.owned.items()):
                if id_ not in known and newest.get(path, 0) > id_:
                    del self.owned[id_]
                    self.assumed.pop(id_, None)
        self._look_into_ledger()

    def judge_run(self, report: FolderReport, *, released: bool) -> None:
        """The guard's limits, and that a report never says more than is true."""
        name, rules = self.syncd.name, self.syncd.rules
        ours = len(self._standing | self._gone)  # what came late was ours, too
        if self._gone and not released:
            if len(self._gone) > rules.max_delete:
                self.sim.wrong(f"{name}: {len(self._gone)} deletes in a run")
            if ours >= 4 and 2 * len(self._gone) > ours:
                self.sim.wrong(f"{name}: {len(self._gone)} of {ours} deleted in a run")
            if not self.synced() and len(self._standing) >= 2:
                self.sim.wrong(f"{name}: deletes although no file is left")
        if report.in_sync and report.exit_code != 0:
            self.sim.wrong(f"{name}: in sync with exit {report.exit_code}")
        if report.in_sync and not self.sim.quirks.list_lag:
            entries = self.entries()
            there = Counter(
                (self._stands_for(i, entries), self._content(r)) for i, r in self._known().items()
            )
            missing = [p for p, c in self.synced().items() if not there[p, sha(c)]]
            if missing:
                self.sim.wrong(f"{name}: says in sync, but {missing} are not in the task")

    def assert_settled(self, report: FolderReport) -> None:
        """Task and folder are the same, for this installation."""
        sim, files = self.sim, self.synced()
        entries, rows = self.entries(), self.live()
        keeps_old = self.syncd.rules.delete == "never"
        if keeps_old or self.forgetful or not sim.keeps_numbers:
            # What was replaced, or cannot be recognised, is foreign by now.
            rows = {i: r for i, r in rows.items() if i in entries}
        stands_for = {i: self._stands_for(i, entries) for i in rows}
        detached = {i: r for i, r in rows.items() if stands_for[i] not in files}
        for id_, row in detached.items():
            gone = self._is_gone(stands_for[id_]) and not keeps_old
            assert not gone, f"{row} stands for a file that is gone"
            assert stands_for[id_] in report.detached, f"{row} is not reported as detached"
        ours = sorted(
            (r for i, r in rows.items() if i not in detached),
            key=lambda r: (r.display_order, r.id),
        )
        paths = [stands_for[r.id] for r in ours]
        assert sorted(paths) == sorted(files), f"attached {sorted(paths)}, files {sorted(files)}"
        for row, path in zip(ours, paths, strict=True):
            assert self._content(row) == sha(files[path]), f"{row} has another content than {path}"
            assert row.size == len(files[path]), row
            assert sim.is_form_of(row.name, path), f"{row} is not named as {path!r}"
        if sim.quirks.orders == "kept" or not any("order of its own" in h for h in report.hints):
            numbers = [r.display_order for r in ours]
            assert len(set(numbers)) == len(numbers), f"ties: {numbers}"
            assert paths == self._in_order(), f"stand as {paths}, wanted {self._in_order()}"
        foreign = [r.name for r in sim.live() if r.id not in entries]
        assert sorted(report.foreign) == sorted(foreign), (report.foreign, foreign)

    # -- what the ledger claims ----------------------------------------------------------------

    def _look_into_ledger(self) -> None:
        """What it claims beyond what is ours must be what it may adopt."""
        for id_ in self.entries():
            if id_ not in self.owned:
                self._claim(id_, "the ledger holds")
        if self.forgetful:
            for id_, digest in self.syncd.ledger_rows("SELECT id, digest FROM attachments"):
                if digest and id_ in self._strangers and self._adoptable(id_) == digest:
                    self.owned[id_], self.assumed[id_] = self.sim.rows[id_].name, digest

    def _claim(self, id_: int, what: str) -> bool:
        """An attachment that is not ours is treated as if it were: it must be adoptable."""
        name, row = self.syncd.name, self.sim.rows.get(id_)
        if row is not None and self.sim.made_by.get(id_, ("", ""))[0] == name:
            self.owned[id_] = self.sim.made_by[id_][1]
        elif content := self._adoptable(id_):
            self.owned[id_], self.assumed[id_] = self.sim.rows[id_].name, content
        else:
            self.sim.wrong(f"{name}: {what} {row or id_}, which is not ours")
            return False
        return True

    def _adoptable(self, id_: int) -> str | None:
        """The content of the file that may be taken to be what is attached."""
        row = self.sim.rows.get(id_)
        content = None if row is None else self.synced().get(row.name)
        if row is None or content is None or row.size != len(content):
            return None
        created = round(row.created_at, 6)
        latest = created if self.sim.quirks.created_fraction else int(created) + 1
        return sha(content) if latest >= self.syncd.disk.mtime(row.name) / 1e9 else None

    # -- requests ----------------------------------------------------------------------------

    def before(self, method: str, tail: str, request: requests.PreparedRequest) -> list[Sent]:
        """A request is about to go out: is it one that may?"""
        if method == "GET":
            return []
        under_way = method == "POST" and self.syncd.options.get("connections", 1) > 1
        if self._at_list is None:
            standing = {i for i, (role, _) in self.entries().items() if role != "superseded"}
            self._at_list = standing & self._known().keys()
        if self.syncd.disk_full and not under_way:
            self.sim.wrong(f"{method} {tail} although the ledger cannot be written")
        if method == "POST":
            return self._before_post(request)
        self._look_into_ledger()
        id_ = int(tail)
        if id_ not in self.owned and not (
            self._may_mirror(id_, method) or self._claim(id_, f"{method} of")
        ):
            return []
        row = self.sim.rows[id_]
        if row.deleted_at is None and id_ in self.owned:
            if method == "DELETE":
                self._before_delete(row)
            else:
                self._before_put(row, json.loads(request.body or b"{}"))
        return []

    def after(self, sending: list[Sent], method: str, tail: str, status: int | None) -> None:
        """What came back, as far as its sender can know; None = nothing."""
        now = self.sim.clock()
        if method == "GET" and tail == "" and status == 200:
            self._listed_at, self._at_list = now, None
            self.sim.look()
            self._follow()
            for one in self.sent:
                one.listed_late = one.listed_late or now >= one.at + DOUBT
        for one in sending:
            one.at = now
            if status == 201 or 400 <= (status or 0) < 500:
                one.state = "done" if status == 201 else "refused"
        self.sent += sending

    def _may_mirror(self, id_: int, method: str) -> bool:
        """A foreign one goes only when all files are in the task."""
        if method != "DELETE" or self.syncd.rules.delete != "mirror":
            return False
        there = Counter(self._content(r) for r in self._known().values())
        free = {
            (r.name, r.size) for i, r in self.sim.rows.items() if i not in self.owned and i != id_
        }
        wanted = Counter(sha(c) for p, c in self.synced().items() if (p, len(c)) not in free)
        if missing := wanted - there:
            self.sim.wrong(f"foreign {id_} deleted while {missing} are not in the task")
        return True

    def _before_delete(self, row: Row) -> None:
        """The attachment stands for one of its paths."""
        if self.syncd.rules.delete == "never":
            self.sim.wrong(f"{self.syncd.name}: DELETE of {row.id} with `delete: never`")
        entries = self.entries()
        paths = self._paths(row.id) | {self._stands_for(row.id, entries)}
        found = [self._wrong_to_delete(row, path, entries) for path in sorted(paths)]
        for text in min(found, key=len):
            self.sim.wrong(f"{self.syncd.name}: DELETE of {row.id} ({row.name!r}), {text}")
        old = self._old_versions(entries)
        rest = {p for i in self._known() if i != row.id and i not in old for p in self._paths(i)}
        if row.id not in old and rest.isdisjoint(paths) and all(map(self._is_gone, paths)):
            if not self._gone:
                self._standing = self._at_list or set()
            self._gone.add(row.id)

    def _old_versions(self, entries: dict[int, tuple[str, str]]) -> set[int]:
        """What is left of replacements: the file is gone with its newer version, not with these."""
        old = {i for i, (role, _) in entries.items() if role == "superseded"}
        return {i for i in old if self._beside[i] - self.sim.removed}

    def _wrong_to_delete(
        self, row: Row, path: str, entries: dict[int, tuple[str, str]]
    ) -> list[str]:
        """Why an attachment that stands for this path must not go."""
        files, wrong = self.synced(), []
        others = {i: r for i, r in self._known().items() if i != row.id}
        twin = self._content(row) in map(self._content, others.values())
        replaced = any(newer > row.id for newer in self._beside[row.id]) or any(
            path in self._paths(i) | {self._stands_for(i, entries)} for i in others
        )
        if path in files and not replaced and not twin:
            wrong.append(f"for {path!r}: no other version of its file is in the task")
        same = [p for p, c in files.items() if c and sha(c) == self._content(row)]
        unread = "SELECT id FROM attachments WHERE digest IS NULL"  # A crash lost it.
        if same and not twin and (row.id,) not in self.syncd.ledger_rows(unread):
            wrong.append(f"the only attachment with the content of {same}")
        if path not in files and not self._is_gone(path) and not replaced and not twin:
            wrong.append(f"for {path!r}: its file is not gone, only not synced (detached)")
        return wrong

    def _before_put(self, row: Row, body: dict[str, Any]) -> None:
        files, path, name = self.synced(), self.owned[row.id], body.get("name")
        what = f"{self.syncd.name}: PUT of {row.id} ({row.name!r}, for {path!r}) as {name!r}"
        stands_for = self._stands_for(row.id, self.entries())
        set_aside = self.sim.quirks.unique_names == "refuse" and f"(old {row.id})" in str(name)
        if set_aside and not files.keys().isdisjoint((path, stands_for, row.name)):
            return  # out of the way of a new version, or of another file
        followed = name == stands_for or name in self.been[row.id]
        if path not in files and not self._is_gone(path) and not followed:
            self.sim.wrong(f"{what}: it is detached")
        if name == row.name and name not in files:
            return  # only moved, under the server's form of its name
        if name not in files:
            self.sim.wrong(f"{what}: no such file")
        elif sha(files[name]) != self._content(row):
            self.sim.wrong(f"{what}: its content is not that file's")
        else:
            self.owned[row.id] = name

    def _before_post(self, request: requests.PreparedRequest) -> list[Sent]:
        query = dict(parse_qsl(urlsplit(request.url or "").query, keep_blank_values=True))
        names = [v for k, v in query.items() if k == "name" or k.startswith("names[")]
        files, now = self.synced(), self.sim.clock()
        for name in names:
            if name in files:
                self._before_upload(name, sha(files[name]))
            else:
                self.sim.wrong(f"{self.syncd.name}: POST of {name!r}, which is not to be synced")
        return [Sent(name, sha(files[name]), now) for name in names if name in files]

    def _before_upload(self, path: str, content: str) -> None:
        what = f"{self.syncd.name}: POST of {path!r}"
        for earlier in self.sent:
            lost = (earlier.path, earlier.sha, earlier.state) == (path, content, "lost")
            if lost and not earlier.listed_late:
                self.sim.wrong(f"{what} again, with no list {DOUBT} s after its answer was lost")
        if self.forgetful or not self.sim.keeps_numbers or self.syncd.rules.delete == "never":
            return  # What is not recognised, or was released, is sent again.
        same = {i: r for i, r in self.live().items() if self._content(r) == content}
        if len(same) < [sha(c) for c in self.synced().values()].count(content):
            return  # More files than attachments of it: one has to be sent.
        listed = self._listed_at - self.sim.quirks.list_lag
        for row in same.values():
            mine = self.owned[row.id] == path and row.id not in self.assumed
            if mine and row.size and row.created_at <= listed:
                self.sim.wrong(f"{what}, although {row.id} is that, and was listed")
