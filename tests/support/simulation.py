"""Whole cycles without a network and without waiting, watched by somebody who knows the truth.

`Simulation` is a server, a clock and one or more `Syncd`s: real files, a real ledger, the real
engine. The server is the sandbox's rules, in-process. Time is simulated, that of the files
too: a file system of any coarseness, which gives a freed inode to the next file at once.

The watcher (`Syncd.before`, `Simulation.look`) rests on nothing that syncd says: it sees each
request before it goes out and each row that changes, and knows every file's content.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import requests

import syncd.engine.uploads
import syncd.focus.upload
import syncd.local.digest
import syncd.local.scan
from syncd.core.ignore import selection
from syncd.core.ordering import wanted_sequence
from syncd.engine.cycle import Cycle
from syncd.engine.meter import Meter
from syncd.engine.report import FolderReport
from syncd.engine.tools import Options, Silent, Tools
from syncd.errors import StateError
from syncd.focus.client import FocusClient
from syncd.focus.transport import HttpTransport
from syncd.model import Fingerprint, Folder, LocalFile, Rules, TaskKey
from syncd.sandbox.faults import Fault
from syncd.sandbox.quirks import Quirks
from syncd.sandbox.rules import FocusRules
from syncd.sandbox.storage import Row
from syncd.state.ledger import Ledger
from tests.support.sandbox import TASK, URL, InProcess

KEY = "toggl_sk_0123456789abcdef0123456789abcdef"
START = 1_800_000_000.0
DOUBT, BELIEF = 5.0, 600.0
"""What the contract says, not what the code does."""
MOST = 300
"""Requests of one run; a dozen files take a fraction of them."""
WINDOW = 3700.0
"""After so many seconds whatever was spent of a quota is there again."""
SUFFIX = re.compile(r"( \(\d+\))+\Z")
"""What a server appends to names that are taken."""


class Killed(BaseException):
    """As if the process had died here: nothing of ours catches it."""


def sha(content: bytes) -> str:
    return sha256(content).hexdigest()


@dataclass
class Clock:
    now: float = START

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert 0 <= seconds <= 3700, f"sleeps {seconds} s"
        self.now += seconds


# -- files ------------------------------------------------------------------------------------


class Disk:
    """A folder whose times and inodes are simulated; `files` is what it holds."""

    def __init__(self, root: Path, clock: Clock, tick: float) -> None:
        root.mkdir()
        self.root = root
        self.files: dict[str, bytes] = {}
        self.manifest: list[str] = []
        self._clock = clock
        self._tick = tick
        self._stamps: dict[int, tuple[int, int]] = {}
        """Real inode -> simulated inode and ctime."""
        self._free: list[int] = []
        self._next = 1

    def write(self, path: str, content: bytes, *, anew: bool = False, mtime: int | None = None):
        """Write a file in place, or `anew` (another inode); `mtime` in ns, else now."""
        target = self.root / path
        if anew and path in self.files:
            self.delete(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.files[path] = content
        self._touched(path, self._now_ns() if mtime is None else mtime)

    def touch(self, path: str, mtime: int | None = None) -> None:
        self._touched(path, self._now_ns() if mtime is None else mtime)

    def mtime(self, path: str) -> int:
        return os.stat(self.root / path).st_mtime_ns

    def rename(self, old: str, new: str) -> None:
        if old == new:
            return
        if new in self.files:
            self.delete(new)
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        os.rename(self.root / old, self.root / new)
        self.files[new] = self.files.pop(old)
        self._touched(new, self.mtime(new))
        self._tidy(old)

    def delete(self, path: str) -> None:
        inode = os.stat(self.root / path).st_ino
        self._free.append(self._stamps.pop(inode)[0])
        os.unlink(self.root / path)
        del self.files[path]
        self._tidy(path)

    def order(self, paths: Iterable[str]) -> None:
        self.manifest = list(paths)
        (self.root / ".syncd-order").write_text("\n".join(self.manifest))

    def fingerprint(self, status: os.stat_result) -> Fingerprint:
        """What a stat of this disk would say."""
        inode, ctime = self._stamps[status.st_ino]
        return Fingerprint(status.st_size, status.st_mtime_ns, ctime, inode)

    def _touched(self, path: str, mtime: int) -> None:
        os.utime(self.root / path, ns=(mtime, mtime))
        real = os.stat(self.root / path).st_ino
        if real in self._stamps:
            inode = self._stamps[real][0]
        elif self._free:
            inode = self._free.pop()  # as ext4 does
        else:
            inode, self._next = self._next, self._next + 1
        self._stamps[real] = (inode, self._now_ns())

    def _now_ns(self) -> int:
        ticks = int(self._clock() / self._tick)
        return round(ticks * self._tick * 1000) * 1_000_000

    def _tidy(self, path: str) -> None:
        folder = (self.root / path).parent
        if folder != self.root and not any(folder.iterdir()):
            folder.rmdir()


class OneByOne:
    """An executor that runs what was submitted when somebody waits, in a known order."""

    backwards = False
    waiting: deque[tuple[Any, Callable[[], Any]]]

    def __init__(self, max_workers: int) -> None:
        self.waiting = deque()

    def __enter__(self) -> OneByOne:
        OneByOne.current = self  # type: ignore[attr-defined]
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, Killed):
            self.run()  # what has been submitted goes out, whatever becomes of the rest

    def submit(self, call: Callable[..., Any], *args: Any) -> Any:
        future = _Done()
        self.waiting.append((future, lambda: call(*args)))
        return future

    def run(self) -> list[Any]:
        done = []
        while self.waiting:
            future, call = self.waiting.pop() if self.backwards else self.waiting.popleft()
            try:
                future.value = call()
            except Exception as error:
                future.error = error
            done.append(future)
        return done


class _Done:
    value: Any = None
    error: Exception | None = None

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


@dataclass
class _Waited:
    done: list[Any]


def _wait(running: Any, **_: Any) -> _Waited:
    return _Waited(OneByOne.current.run())  # type: ignore[attr-defined]


# -- one installation -------------------------------------------------------------------------


@dataclass
class Sent:
    """One file of one POST, and what its sender could know of it."""

    path: str
    sha: str
    size: int
    at: float
    state: str = "lost"
    """lost: the answer is unknown · done: 201 · refused: not done."""
    listed_late: bool = False
    """A list was answered that was asked for late enough to tell."""


@dataclass
class Crash:
    """Where the process dies: at the n-th moment from the start of a run."""

    at: int
    kind: str = "before"
    """A request on which it dies is lost (`before`), carried out (`after`), or carried out
    `seconds` later (`way`). `full`: it does not die, but the ledger can no longer be written."""
    seconds: float = 2.0


class Syncd:
    """One folder, one ledger, one key; others may work on the same task."""

    def __init__(self, sim: Simulation, name: str, rules: Rules, **options: Any) -> None:
        self.sim = sim
        self.name = name
        self.rules = rules
        self.options = options
        base = sim.base / name
        base.mkdir(parents=True)
        self.state = base / "state"
        self.state.mkdir()
        self.disk = Disk(base / "folder", sim.clock, sim.tick)
        self.owned: dict[int, str] = {}
        """What is truly ours: id -> the path that it stands for."""
        self.followed: dict[int, str] = {}
        """The path that an attachment may stand for since a run that died or failed: a file with
        its content was there then. What the task shows of it is another matter."""
        self.been: dict[int, set[str]] = defaultdict(set)
        """All those paths, one after the other."""
        self.versions: dict[str, list[str]] = defaultdict(list)
        """path -> its contents as runs with a list found them, the last one last."""
        self.assumed: dict[int, str] = {}
        """Of an adopted attachment: the content that its file had then."""
        self.sent: list[Sent] = []
        self.forgetful = False
        """The ledger was lost or is an old copy: what is not in it is nobody's."""
        self.forgotten: set[tuple[str, int]] = set()
        """Name and size of what was sent when it was lost, and that no list had shown yet."""
        self.awaited: set[tuple[str, str]] = set()
        """Path and content of what an old copy of the ledger takes for sent."""
        self.strangers: set[int] = set()
        """What was there then, and is not in it."""
        self._kept: tuple[set[int], dict[int, str], list[Sent]] = (set(), {}, [])
        """What was ours, `assumed`, and sent, when the copy was made."""
        self._approved: frozenset[int] = frozenset()
        self._moments = 0
        self._crash: Crash | None = None
        self._gone: set[int] = set()
        self._listed_at = 0.0
        self._at_list: frozenset[int] | None = None
        """What was ours by the last list, before anything was sent; None = nothing was."""
        self._standing: frozenset[int] = frozenset()
        """The same, of the list before the first of them went in a run."""
        self._full = False

    # -- running -----------------------------------------------------------------------------

    def run(
        self,
        *faults: Fault,
        crash: Crash | None = None,
        approve: bool = False,
        **options: bool,
    ) -> FolderReport | None:
        """One `--once`; None = it died, or could not write its ledger."""
        sim = self.sim
        sim.server.faults[:] = faults
        sim.log.clear()
        self._moments, self._crash, self._full = 0, crash, False
        self._gone, self._listed_at = set(), 0.0
        approved = self._approved if approve else frozenset()
        try:
            with self._patched():
                report = self._run(approved, options)
        except (Killed, StateError):
            report = None
        finally:
            sim.server.faults.clear()
        sim.look()
        self._release()
        self.look_into_ledger()
        if report is not None:
            self._approved = frozenset(h.id for h in report.held)
            self._judge(report, approved, options)
        sim.judge()
        return report

    def _run(self, approved: frozenset[int], options: dict[str, bool]) -> FolderReport:
        sim = self.sim
        clock = sim.clock
        ledger = Ledger.open(str(self.state), clock)
        try:
            meter = Meter(URL, ledger, clock, configured=None, reserve=5)
            transport = HttpTransport(URL, KEY, timeout=30, connections=2, adapter=Wire(self))
            client = FocusClient(
                transport,
                on_answer=meter.answered,
                on_request=meter.sending,
                clock=clock,
                sleep=clock.sleep,
            )
            meter.know(sim.task.organization_id)
            tools = Tools(
                client,
                ledger,
                meter,
                clock,
                clock.sleep,
                Silent(),
                self.options.get("connections", 1),
                self.options.get("max_batch_bytes", 1 << 20),
            )
            folder = Folder(self.name, str(self.disk.root), sim.task, self.rules)
            return Cycle(tools, Options(**options), folder, approved).run()
        finally:
            ledger.close()

    @contextmanager
    def _patched(self) -> Iterator[None]:
        honest = Ledger.transaction
        syncd_ = self

        @contextmanager
        def transaction(ledger: Ledger) -> Iterator[None]:
            syncd_._moment("ledger")
            if syncd_._full:
                raise StateError("disk full")
            with honest(ledger):
                yield
            syncd_._moment("committed")

        uploads = syncd.engine.uploads
        with ExitStack() as stack:
            for owner, name, stand_in in (
                (Ledger, "transaction", transaction),
                (syncd.local.scan, "fingerprint", self.disk.fingerprint),
                (syncd.local.digest, "fingerprint", self.disk.fingerprint),
                (syncd.focus.upload, "_fingerprint", self.disk.fingerprint),
                (uploads, "ThreadPoolExecutor", OneByOne),
                (uploads, "wait", _wait),
                (OneByOne, "backwards", self.options.get("backwards", False)),
            ):
                stack.enter_context(patch.object(owner, name, stand_in))
            yield

    def _moment(self, where: str) -> bool:
        """Count a place to die at; True = a request is to be carried out, and then it dies."""
        self._moments += 1
        crash = self._crash
        if crash is None or self._moments <= crash.at or self._full:
            return False
        if crash.kind == "full":
            if where == "ledger":
                self._full = True
            return False
        if where == "request" and crash.kind != "before":
            if crash.kind == "way":
                number = len(self.sim.server.log) + 1
                late = Fault("late_commit", at_request=number, seconds=crash.seconds)
                self.sim.server.faults.insert(0, late)
            return True
        raise Killed

    def _follow(self) -> None:
        """Note where the files of attachments have gone: a run learns it with its list, and may get
        no further."""
        files = self.synced()
        for path, data in files.items():
            if sha(data) in self.versions[path]:
                self.versions[path].remove(sha(data))
            self.versions[path].append(sha(data))
        for id_, row in self.live().items():
            path, content = self.owned[id_], self.content(row)
            if path not in files or sha(files[path]) != content:
                for found in (p for p, c in files.items() if c and sha(c) == content):
                    self.followed[id_] = found
                    self.been[id_].add(found)

    # -- what files there are ----------------------------------------------------------------

    def synced(self) -> dict[str, bytes]:
        """Today's files to sync."""
        selects = selection(self.rules).selects
        limit = self.rules.max_file_size
        return {
            path: content
            for path, content in sorted(self.disk.files.items())
            if selects(path) and not 0 < limit < len(content)
        }

    def is_gone(self, path: str) -> bool:
        return path not in self.disk.files and selection(self.rules).selects(path)

    def in_order(self) -> list[str]:
        files = [
            LocalFile(path, Fingerprint(len(content), self.disk.mtime(path), 0, 0))
            for path, content in self.synced().items()
        ]
        there = {file.path for file in files}
        listed = [p for p in self.disk.manifest if p in there]
        return wanted_sequence(files, self.rules, listed)

    def _release(self) -> None:
        """With `delete: never`, what was replaced is nobody's once a run is over."""
        if self.rules.delete == "never":
            known = {i for i, (role, _) in self._entries().items() if role != "tombstone"}
            newest = {path: id_ for id_, path in sorted(self.owned.items()) if id_ in known}
            for id_, path in list(self.owned.items()):
                if id_ not in known and newest.get(path, 0) > id_:
                    del self.owned[id_]
                    self.assumed.pop(id_, None)

    # -- what is ours ------------------------------------------------------------------------

    def live(self) -> dict[int, Row]:
        """Our attachments that are not deleted."""
        return {
            id_: row
            for id_ in self.owned
            if (row := self.sim.rows.get(id_)) is not None and row.deleted_at is None
        }

    def _listed(self) -> dict[int, Row]:
        """Ours as far as the last list could tell: what people deleted since, it still showed."""
        lag = self.sim.server.quirks.list_lag
        rows = {id_: self.sim.rows[id_] for id_ in self.owned if id_ in self.sim.rows}
        return {
            id_: row
            for id_, row in rows.items()
            if row.deleted_at is None
            or (id_ in self.sim.removed and row.deleted_at > self._listed_at - lag)
        }

    def _believed(self) -> dict[int, Row]:
        """What people deleted so soon that a 201 was all that was ever heard of it, or after the
        last list."""
        now, rows = self.sim.clock(), self.sim.rows
        return {
            id_: row
            for id_, row in rows.items()
            if id_ in self.owned
            and id_ in self.sim.removed
            and (row.created_at > now - BELIEF or (row.deleted_at or 0.0) >= self._listed_at)
        }

    def content(self, row: Row) -> str:
        """The content that an attachment of ours stands for."""
        return self.assumed.get(row.id, row.sha256)

    def lose_ledger(self) -> None:
        (self.state / "ledger.db").unlink(missing_ok=True)
        self._forget({})

    def keep_ledger(self) -> None:
        if (self.state / "ledger.db").exists():
            shutil.copy(self.state / "ledger.db", self.state / "ledger.copy")
            self._kept = (set(self.owned), dict(self.assumed), list(self.sent))

    def restore_ledger(self) -> bool:
        if not (self.state / "ledger.copy").exists():
            return False
        shutil.copy(self.state / "ledger.copy", self.state / "ledger.db")
        owned, assumed, sent = self._kept
        self.sent = [*sent, *(s for s in self.sent if not any(s is other for other in sent))]
        self.owned |= dict.fromkeys(owned, "")
        self.assumed = dict(assumed)
        self._forget(self._entries())
        return True

    def _forget(self, known: dict[int, tuple[str, str]]) -> None:
        self.forgetful = True
        unlisted = self.sim.clock() - self.sim.server.quirks.list_lag
        self.forgotten |= {
            (s.path, s.size)
            for s in self.sent
            if s.at > unlisted or (s.state == "lost" and not s.listed_late)
        }
        self.owned = {id_: path for id_, (_, path) in known.items() if id_ in self.owned}
        self.been = defaultdict(set, {id_: {path} for id_, (_, path) in known.items()})
        self.assumed = {id_: s for id_, s in self.assumed.items() if id_ in known}
        # What is on its way in an old copy's intents may still come, and be known.
        self.awaited = set(self._rows("SELECT path, digest FROM intents"))
        under_way = {path for path, _ in self.awaited}
        self.sent = [s for s in self.sent if s.path in under_way and s.state != "refused"]
        self._approved = frozenset()
        for row in self.sim.live():
            if row.id not in known:
                self.strangers.add(row.id)
            self._recognise(row)

    def _recognise(self, row: Row) -> bool:
        """Take as ours what an intent of ours has made."""
        for sent in self.sent:
            if self.sim.is_form_of(row.name, sent.path) and sent.sha == row.sha256:
                self.owned[row.id] = sent.path
                return True
        return False

    def _entries(self) -> dict[int, tuple[str, str]]:
        """id -> role, path"""
        rows = self._rows("SELECT id, role, path FROM attachments")
        return {id_: (role, path) for id_, role, path in rows}

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        path = self.state / "ledger.db"
        if not path.exists() or not path.stat().st_size:
            return []
        db = sqlite3.connect(path)
        try:
            if not db.execute("PRAGMA user_version").fetchone()[0]:
                return []
            return db.execute(query).fetchall()
        finally:
            db.close()

    def look_into_ledger(self) -> None:
        """What it claims beyond what is ours must be what it may adopt."""
        for id_, (role, _) in self._entries().items():
            if role != "tombstone" and id_ not in self.owned:
                self._claim(id_, "the ledger holds")
        if self.forgetful:
            self._mistake()

    def _mistake(self) -> None:
        """What comes to light after its create was forgotten, is the next send of that path and
        size for all that anybody can tell; or it is adopted, as what was there before may be."""
        sent = {(s.path, s.size, s.sha) for s in self.sent if s.state != "refused"}
        query = "SELECT id, path, digest FROM attachments WHERE digest NOT NULL"
        for id_, path, digest in self._rows(query):
            row = self.sim.rows[id_]
            # A list that lags may show the name from before a rename.
            shown_as = path if self.sim.server.quirks.list_lag else row.name
            what = (self.owned.get(id_, ""), row.size)
            adoptable = self._adoptable(row, shown_as) == digest
            if (what in self.forgotten and ((*what, digest) in sent or adoptable)) or (
                id_ in self.strangers and adoptable
            ):
                self.assumed[id_] = digest

    def _adoptable(self, row: Row, name: str) -> str | None:
        """The content of the file that may be taken to be what is attached."""
        content = self.synced().get(name)
        if content is None or row.size != len(content):
            return None
        created = round(row.created_at, 6)
        latest = created if self.sim.server.quirks.created_fraction else int(created) + 1
        return sha(content) if latest >= self.disk.mtime(name) / 1e9 else None

    def _claim(self, id_: int, what: str) -> bool:
        """An attachment that is not ours is treated as if it were: it must be adoptable."""
        row = self.sim.rows.get(id_)
        if row is None:
            self.sim.wrong(f"{self.name}: {what} {id_}, which never was")
            return False
        if self._recognise(row):
            return True
        if content := self._adoptable(row, row.name):
            self.owned[id_], self.assumed[id_] = row.name, content
            return True
        for sent in self.sent:
            if (sent.path, sent.size) == (row.name, row.size) and sent.state != "refused":
                # It would have been adopted, had it been there before.
                self.owned[id_], self.assumed[id_] = row.name, sent.sha
                return True
        # As a fruit of a create of ours whose traces the watcher lost with an old ledger.
        if self.forgetful and id_ in self.sim.made_by and self.sim.made_by[id_][0] == self.name:
            self.owned[id_] = self.sim.made_by[id_][1]
            return True
        self.sim.wrong(f"{self.name}: {what} {id_} ({row.name!r}), which is not ours")
        return False

    # -- watching requests -------------------------------------------------------------------

    def before(self, method: str, tail: str, request: requests.PreparedRequest) -> list[Sent]:
        """A request is about to go out: is it one that may?"""
        if method == "GET":
            return []
        under_way = method == "POST" and self.options.get("connections", 1) > 1
        if self._at_list is None:
            roles = {i: role for i, (role, _) in self._entries().items()}
            standing = {i for i, role in roles.items() if role in ("current", "detached")}
            self._at_list = frozenset(standing & (self.live() | self._believed()).keys())
        if self._full and not under_way:
            self.sim.wrong(f"{method} {tail} although the ledger cannot be written")
        if method == "POST":
            return self._before_post(request)
        self.look_into_ledger()
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

    def _may_mirror(self, id_: int, method: str) -> bool:
        if method != "DELETE" or self.rules.delete != "mirror":
            return False
        there = Counter(self.content(r) for r in (self.live() | self._believed()).values())
        free = {
            (r.name, r.size) for i, r in self.sim.rows.items() if i not in self.owned and i != id_
        }
        wanted = Counter(sha(c) for p, c in self.synced().items() if (p, len(c)) not in free)
        if missing := wanted - there:
            self.sim.wrong(f"foreign {id_} deleted while {missing} are not in the task")
        return True

    def _unsent(self) -> list[str]:
        rows = self.live() | self._believed()
        entries = self._entries()
        there = Counter((self._stands_for(i, entries), self.content(r)) for i, r in rows.items())
        return [p for p, c in self.synced().items() if not there[p, sha(c)]]

    def _before_delete(self, row: Row) -> None:
        """The attachment stands for one path, or for another that its file went to meanwhile."""
        if self.rules.delete == "never":
            self.sim.wrong(f"{self.name}: DELETE of {row.id} with `delete: never`")
        path = self.owned[row.id]
        entries = self._entries()
        noted = self._stands_for(row.id, entries)
        paths = dict.fromkeys((path, self.followed.get(row.id, path), noted))
        found = [self._wrong_to_delete(row, path) for path in paths]
        for text in min(found, key=len):
            self.sim.wrong(f"{self.name}: DELETE of {row.id} ({row.name!r}), {text}")
        others = [i for i in self._listed() if i != row.id]
        rest = {p for i in others for p in (self.owned[i], *self.been[i])}
        rest |= {self._stands_for(i, entries) for i in others}
        if rest.isdisjoint(paths) and all(map(self.is_gone, paths)):
            if not self._gone:
                self._standing = self._at_list or frozenset()
            self._gone.add(row.id)

    def _unknown(self) -> set[int]:
        """What was sent when the process died was not read to its end: who knows its content?"""
        return {i for (i,) in self._rows("SELECT id FROM attachments WHERE digest IS NULL")}

    def _replaced(self, row: Row, path: str) -> bool:
        """Whether another attachment of ours stands for the path: one that was renamed to it, or
        that has a later version, by what is known of both; else one that came later."""
        known, mine = self.versions[path], self.content(row)
        for id_, other in self._listed().items():
            theirs = self.content(other)
            if mine in known and theirs in known and mine != theirs:
                # Wherever its file has gone since, it is a version of this one.
                if known.index(theirs) > known.index(mine):
                    return True
                later = False
            else:
                later = id_ > row.id
            if id_ != row.id and (path in self.been[id_] or (self.owned[id_] == path and later)):
                return True
        return False

    def _wrong_to_delete(self, row: Row, path: str) -> list[str]:
        """Why an attachment that stands for this path must not go."""
        files, wrong = self.synced(), []
        left = {self.content(r) for i, r in self._listed().items() if i != row.id}
        newer = self._replaced(row, path)
        twin = self.content(row) in left
        if path in files and sha(files[path]) not in left and not newer and not twin:
            wrong.append(f"for {path!r}: no later version of its file is in the task")
        same = [p for p, c in files.items() if c and sha(c) == self.content(row)]
        if same and not twin and row.id not in self._unknown():
            wrong.append(f"the only attachment with the content of {same}")
        if path not in files and not self.is_gone(path) and not newer and not twin:
            wrong.append(f"for {path!r}: its file is not gone, only not synced (detached)")
        return wrong

    def _before_put(self, row: Row, body: dict[str, Any]) -> None:
        files, path, name = self.synced(), self.owned[row.id], body.get("name")
        what = f"{self.name}: PUT of {row.id} ({row.name!r}, for {path!r}) as {name!r}"
        set_aside = self.sim.quirks.unique_names == "refuse" and f"(old {row.id})" in str(name)
        stands_for = self._stands_for(row.id, self._entries())
        if set_aside and not files.keys().isdisjoint((path, stands_for, row.name)):
            return  # out of the way of a new version, or of another file
        noted = not row.size and name == stands_for  # only the disk knows of empty ones
        followed = name in self.been[row.id] or noted
        if path not in files and not self.is_gone(path) and not followed:
            self.sim.wrong(f"{what}: it is detached")
        if name == row.name and name not in files:
            return  # only moved, under the server's form of its name
        if name not in files:
            self.sim.wrong(f"{what}: no such file")
        elif sha(files[name]) != self.content(row):
            self.sim.wrong(f"{what}: its content is not that file's")
        else:
            self.owned[row.id] = name

    def _before_post(self, request: requests.PreparedRequest) -> list[Sent]:
        query = dict(parse_qsl(urlsplit(request.url or "").query, keep_blank_values=True))
        names = [v for k, v in query.items() if k == "name" or k.startswith("names[")]
        files, now = self.synced(), self.sim.clock()
        sending = []
        for name in names:
            if name not in files:
                self.sim.wrong(f"{self.name}: POST of {name!r}, which is not to be synced")
                continue
            sending.append(Sent(name, sha(files[name]), len(files[name]), now))
            self._before_upload(name, sha(files[name]), len(files[name]))
        return sending

    def _before_upload(self, path: str, content: str, size: int) -> None:
        sim = self.sim
        what = f"{self.name}: POST of {path!r}"
        for earlier in self.sent:
            lost = (earlier.path, earlier.sha, earlier.state) == (path, content, "lost")
            if lost and not earlier.listed_late:
                sim.wrong(f"{what} again, with no list {DOUBT} s after its answer was lost")
        lag = sim.server.quirks.list_lag
        released = self.owned.keys() - self._entries() if self.rules.delete == "never" else set()
        released |= {i for i, (role, _) in self._entries().items() if role == "superseded"}
        if any(role != "tombstone" and p == path for role, p in self._entries().values()):
            # What an old copy of the ledger takes for a file's attachment leaves none to adopt.
            released |= self.strangers - self._entries().keys()
        unknown = self._unknown() | released
        same = [r for i, r in self.live().items() if i not in unknown]
        same = [r for r in same if self.content(r) == content]
        if len(same) < [sha(c) for c in self.synced().values()].count(content):
            return  # more files than attachments of it: one has to be sent
        lost = {s.sha for s in self.sent if (s.path, s.state) == (path, "lost")}
        taken_for = dict(self._rows("SELECT id, digest FROM attachments"))
        for row in same:
            if self.owned[row.id] != path or row.id in self.assumed:
                continue
            taken = taken_for.get(row.id)
            if content in lost and taken != content:
                continue  # of two sends in doubt of one path and size nobody can tell which arrived
            still_awaited = taken in lost or (path, taken) in self.awaited
            if row.id in self.strangers and taken != content and still_awaited:
                continue  # nor whether it is what an old copy of the ledger still waits for
            if (path, size) in self.forgotten:
                continue  # nor which one came late, if the ledger was lost over it
            if not size and self._entries().get(row.id, ("", path))[1] != path:
                continue  # only the disk knows where an empty file went, and syncd asks it
            if row.created_at <= self._listed_at - lag:
                sim.wrong(f"{what}, although {row.id} is that, and was listed")

    def after(self, sending: list[Sent], method: str, tail: str, status: int | None) -> None:
        """What came back, as far as its sender can know; None = nothing."""
        now = self.sim.clock()
        if method == "GET" and tail == "" and status == 200:
            self._listed_at = now
            self._at_list = None
            self.sim.look()
            self._follow()
            for one in self.sent:
                one.listed_late = one.listed_late or now >= one.at + DOUBT
        for one in sending:
            one.at = now
            if status == 201:
                one.state = "done"
            elif status is not None and 400 <= status < 500:
                one.state = "refused"
        self.sent += sending

    # -- judging -----------------------------------------------------------------------------

    def _judge(self, report: FolderReport, approved: frozenset[int], options: Any) -> None:
        """The guard's limits, and that a report never says more than is true."""
        ours = len(self._standing | self._gone)  # what came late was ours, too
        if self._gone and not approved and not options.get("allow_delete"):
            if len(self._gone) > self.rules.max_delete:
                self.sim.wrong(f"{self.name}: {len(self._gone)} deletes in a run")
            if ours >= 4 and 2 * len(self._gone) > ours:
                self.sim.wrong(f"{self.name}: {len(self._gone)} of {ours} deleted in a run")
            if not self.synced() and len(self._standing) >= 2:
                self.sim.wrong(f"{self.name}: deletes although no file is left")
        if report.in_sync:
            if report.exit_code() != 0:
                self.sim.wrong(f"{self.name}: in sync with exit {report.exit_code()}")
            missing = self._unsent()
            if missing and self.sim.server.quirks.list_lag == 0:
                self.sim.wrong(f"{self.name}: says in sync, but {missing} are not in the task")

    def _stands_for(self, id_: int, entries: dict[int, tuple[str, str]]) -> str:
        """Its path; if a rename was noted and never reached the task, the new one."""
        noted = entries.get(id_, ("", ""))[1]
        empty = not self.sim.rows[id_].size  # Only the disk knows where an empty file went.
        return noted if noted in self.been[id_] or (empty and noted) else self.owned[id_]

    def assert_settled(self, report: FolderReport) -> None:
        """Task and folder are the same, for this installation."""
        sim, files = self.sim, self.synced()
        entries = self._entries()
        rows = self.live()
        if self.rules.delete == "never" or self.forgetful:
            # What was replaced, or cannot be known any more, is foreign by now.
            rows = {
                i: r for i, r in rows.items() if entries.get(i, ("tombstone",))[0] != "tombstone"
            }
        stands_for = {i: self._stands_for(i, entries) for i in rows}
        detached = {i: r for i, r in rows.items() if stands_for[i] not in files}
        for id_, row in detached.items():
            gone = self.is_gone(stands_for[id_]) and self.rules.delete != "never"
            assert not gone, f"{row} stands for a file that is gone"
            assert stands_for[id_] in report.detached, f"{row} is not reported as detached"
        ours = sorted(
            (r for i, r in rows.items() if i not in detached),
            key=lambda r: (r.display_order, r.id),
        )
        paths = [stands_for[r.id] for r in ours]
        assert sorted(paths) == sorted(files), f"attached {sorted(paths)}, files {sorted(files)}"
        for row, path in zip(ours, paths, strict=True):
            assert self.content(row) == sha(files[path]), f"{row} has not the content of {path!r}"
            assert row.size == len(files[path]), row
            assert sim.is_form_of(row.name, path), f"{row} is not named as {path!r}"
        if sim.server.quirks.orders != "ignored":
            numbers = [r.display_order for r in ours]
            assert len(set(numbers)) == len(numbers), f"ties: {numbers}"
            assert paths == self.in_order(), f"stand as {paths}, wanted {self.in_order()}"
        known = {i for i, (role, _) in entries.items() if role != "tombstone"}
        foreign = [r.name for i, r in sim.rows.items() if r.deleted_at is None and i not in known]
        assert sorted(report.foreign) == sorted(foreign), (report.foreign, foreign)


class Wire(InProcess):
    """The way from one installation to the server; it is seen by the watcher, and may be cut."""

    def __init__(self, syncd_: Syncd) -> None:
        super().__init__(syncd_.sim.server)
        self.syncd = syncd_

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        one, sim = self.syncd, self.syncd.sim
        sim.clock.now += sim.latency
        method = request.method or ""
        tail = urlsplit(request.url or "").path.rsplit("/attachments", 1)[1].strip("/")
        sim.log.append(f"{method} {tail}".strip())
        if len(sim.log) > MOST:
            sim.wrong(f"{one.name}: a run without an end")
            raise Killed
        sim.look()
        dies = one._moment("request")
        sending = one.before(method, tail, request)
        sim.sending = (one, sending)
        status: int | None = None
        try:
            response = super().send(request)
            status = response.status_code
        except requests.ReadTimeout:
            sim.clock.now += 30
            raise
        except requests.ConnectionError:
            if sim.server.log[-1].size == 0 and method == "POST":
                status = 499  # nothing of the body was read: surely not done
            raise
        finally:
            one.after(sending, method, tail, None if dies else status)
            sim.look()
            sim.sending = None
        if dies:
            raise Killed
        one._moment("answer")
        return response


# -- all of it --------------------------------------------------------------------------------


@dataclass
class Simulation:
    """`sim.a.disk.write(…)`, `sim.a.run(fault, crash=…)`, `sim.settle()`."""

    base: Path
    rules: Rules = field(default_factory=lambda: Rules(max_delete=5))
    quirks: Quirks = field(default_factory=lambda: Quirks(quota=None))
    tick: float = 0.004
    """Coarseness of the file system's times, in seconds."""
    latency: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.task = TaskKey(URL, *TASK)
        self.server = FocusRules(self.quirks, clock=self.clock, sleep=self.clock.sleep)
        self.rows: dict[int, Row] = {}
        self.log: list[str] = []
        """What the last run sent."""
        self.wrongs: list[str] = []
        self.sending: tuple[Syncd, list[Sent]] | None = None
        self.made_by: dict[int, tuple[str, str]] = {}
        self.removed: set[int] = set()
        """What people deleted."""
        self.a = Syncd(self, "a", self.rules, **self.options)
        self.others: list[Syncd] = []

    @property
    def everybody(self) -> list[Syncd]:
        return [self.a, *self.others]

    def other(self) -> Syncd:
        """A second installation, with another folder for the same task."""
        if not self.others:
            self.others.append(Syncd(self, "other", replace(self.rules), **self.options))
        return self.others[0]

    # -- somebody in the task ----------------------------------------------------------------

    def live(self) -> list[Row]:
        return [r for r in self.rows.values() if r.deleted_at is None]

    def seed(self, name: str, content: bytes, order: int = 5) -> Row:
        self.look()
        row = self.server.seed(TASK, name, content, order)
        self.rows[row.id] = row
        return row

    def meddle(self, id_: int, **changes: Any) -> None:
        self.look()
        row = replace(self.rows[id_], **changes)
        self.server.put(row)
        self.rows[id_] = row
        if row.deleted_at is not None:
            self.removed.add(id_)

    # -- watching ----------------------------------------------------------------------------

    def wrong(self, text: str) -> None:
        self.wrongs.append(text)

    def judge(self) -> None:
        wrongs, self.wrongs = self.wrongs, []
        assert not wrongs, "\n".join([*wrongs, f"log: {self.log}"])

    def look(self) -> None:
        """Take in every row that has changed, and see whose it is."""
        for row in self.server.rows(TASK, deleted=True):
            before = self.rows.get(row.id)
            if before == row:
                continue
            self.rows[row.id] = row
            if before is None:
                self._made(row)
            elif not self._is_anybodys(row.id) and not self._only_renumbered(before, row):
                self.wrong(f"{before.id} ({before.name!r}) is foreign, and was changed")

    def _is_anybodys(self, id_: int) -> bool:
        if id_ in self.made_by and (self.a.rules.delete == "never" or self.a.forgetful):
            return True  # released or forgotten, and what was sent before comes late
        return any(id_ in s.owned for s in self.everybody) or self.a.rules.delete == "mirror"

    def _only_renumbered(self, before: Row, row: Row) -> bool:
        return (
            self.quirks.orders == "renumbered"
            and replace(before, display_order=row.display_order) == row
        )

    def _made(self, row: Row) -> None:
        """A new row: the fruit of a POST under way, or of one from earlier."""
        now = [(self.sending[0], s) for s in self.sending[1]] if self.sending else []
        before = [(one, s) for one in self.everybody for s in one.sent]
        for one, s in (*now, *before):
            if s.sha == row.sha256 and self.is_form_of(row.name, s.path):
                one.owned[row.id] = s.path
                self.made_by[row.id] = (one.name, s.path)
                return

    def is_form_of(self, name: str, path: str) -> bool:
        """Whether the server may have made this name of a path."""
        form = (self.quirks.rewrite_name or str)(path)
        numbered = self.quirks.unique_names == "suffix" and SUFFIX.sub("", name) in (form, path)
        return numbered or name in (form, path)

    # -- calm --------------------------------------------------------------------------------

    def settle(self, patience: int = 8) -> None:
        """No more trouble: after a few runs task and folder are the same, and rest costs one
        list. Held deletes are approved, as their user would."""
        self.quirks.list_lag = 0.0
        self.quirks.quota = None
        late = max((moment for moment, _ in self.server._late), default=0.0)
        self.clock.now = max(self.clock.now, late) + BELIEF + 1
        for _ in range(patience):
            restless = []
            for one in self.everybody:
                self.clock.now += WINDOW
                report = one.run(retry=True, approve=True)
                assert report is not None
                if self.log != ["GET"] or not report.in_sync:
                    restless.append(f"{one.name} finds no rest: {self.log}, {report}")
            if not restless:
                break
        else:
            raise AssertionError("\n".join(restless))
        for one in self.everybody:
            self.clock.now += WINDOW
            report = one.run()
            assert report is not None
            assert self.log == ["GET"], f"{one.name}: rest costs {self.log}"
            assert (report.exit_code(), report.in_sync) == (0, True), report
            one.assert_settled(report)
