"""A folder of real files whose times and inodes are simulated."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from syncd.model import Fingerprint

START = 1_800_000_000.0


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


class Disk:
    """`files` is what the folder holds; a freed inode goes to the next file at once."""

    def __init__(self, root: Path, clock: Clock, tick: float) -> None:
        """`tick` is how coarse the file system's times are, in seconds."""
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
        self.touch(path, mtime)

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
        self.touch(new, self.mtime(new))
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

    def touch(self, path: str, mtime: int | None = None) -> None:
        """Stamp what was written or moved; `mtime` in ns, else now."""
        mtime = self._now_ns() if mtime is None else mtime
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
