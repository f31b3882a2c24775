"""The service for tests: a real process against a real sandbox, waited for by conditions."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.sandbox.storage import Row
from tests.support.commands import KEY, Said
from tests.support.faults import Fault
from tests.support.faulty_server import Sandbox
from tests.support.quirks import Quirks

HOUSE = Path(__file__).parents[2]
RESCAN = 0.5
STATUS_DELAY = 1.2
"""Seconds within which the service writes a change of its status, and some."""
PATIENCE = 20.0
"""Seconds after which something that was waited for will not come."""


def until(condition: Callable[[], object], what: str = "", patience: float = PATIENCE) -> None:
    """Wait for a condition; never for a time."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)


class Journal:
    """A notify socket as systemd has one: keeps every message with the time it came."""

    def __init__(self, path: Path) -> None:
        self.messages: list[tuple[float, str]] = []
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                text = self._socket.recv(4096).decode()
                self.messages.append((time.monotonic(), text))

    def said(self, start: str) -> list[str]:
        return [text for _, text in self.messages if text.startswith(start)]

    def times(self, start: str) -> list[float]:
        return [at for at, text in self.messages if text.startswith(start)]

    def close(self) -> None:
        self._socket.close()


@dataclass
class Service:
    """`service.write("a.txt")`, `service.start()`, `service.settled()`, `service.calls()`.

    Folders are `service.folder("landing", 789)`; the first is there from the beginning. The
    settings make an idle service as quick as a test wants it: a quota that no test uses up, so
    that neither pacing nor stretched refreshes slow it down.
    """

    base: Path
    quirks: Quirks = field(default_factory=lambda: Quirks(quota=None))
    api: dict[str, object] = field(default_factory=dict)
    sync: dict[str, object] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = self.base / "landing"
        self.root.mkdir()
        self.state = self.base / "state"
        self.token = self.base / "token"
        self.set_key(KEY)
        self.sandbox = Sandbox(self.quirks).start()
        self.server = self.sandbox.api
        self.config = self.base / "config.yaml"
        self.errors = self.base / "stderr"
        self.errors.touch()
        self.entries: list[dict[str, object]] = [{"path": str(self.root), "task_id": 789}]
        self.configure()
        self.process: subprocess.Popen[bytes] | None = None
        self._journal: Journal | None = None
        self._seen = 0

    def __enter__(self) -> Service:
        return self

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
                self.process.kill()
            self.process.wait()
        self.sandbox.stop()
        if self._journal is not None:
            self._journal.close()
        if error is not None:
            print(f"--- the service said:\n{self.errors.read_text()}")
            for entry in self.server.log[-40:]:
                print(entry)

    # -- config, key and files ---------------------------------------------------------

    def configure(self, **sync: object) -> None:
        """Write the config anew; what is given stays for the next time."""
        self.sync |= sync
        api = {
            "url": self.sandbox.url,
            "organization_id": 123,
            "workspace_id": 456,
            "token_file": str(self.token),
            "timeout": "2s",
            "quota": 1_000_000,
        } | self.api
        api = {key: value for key, value in api.items() if value is not None}
        config = {
            "api": api,
            "state_dir": str(self.state),
            "sync": {"settle": "200ms", "rescan": f"{RESCAN}s"} | self.sync,
            "folders": self.entries,
        }
        self.config.write_text(json.dumps(config, indent=1))

    def set_key(self, key: str) -> None:
        fresh = self.base / "token.new"
        fresh.touch(mode=0o600)
        fresh.write_text(key + "\n")
        fresh.replace(self.token)

    def folder(self, name: str, task_id: int, **settings: object) -> Path:
        """One more folder of the config; made, if it is not there."""
        path = self.base / name
        path.mkdir(exist_ok=True)
        self.entries.append({"path": str(path), "task_id": task_id, **settings})
        self.configure()
        return path

    def write(self, name: str, content: str = "content") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def old(self, *names: str, content: str = "") -> None:
        """Files that were not just written: their ctime cannot be set, so wait for them."""
        for name in names:
            self.write(name, content or f"content of {name}")
        newest = max((os.stat(self.root / n).st_ctime for n in names), default=0.0)
        until(lambda: time.time() > newest + 0.25)

    # -- the process -------------------------------------------------------------------

    def start(self, *arguments: str, notify: bool = False, **env: str) -> Service:
        if notify:
            self._journal = Journal(self.base / "notify")
            env["NOTIFY_SOCKET"] = str(self._journal.path)
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "syncd", "-c", str(self.config), *arguments],
                cwd=HOUSE,
                env=environment({**self.env, **env}),
                stdout=errors,
                stderr=errors,
            )
        return self

    @property
    def journal(self) -> Journal:
        assert self._journal is not None
        return self._journal

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        """The exit status, once it has left."""
        assert self.process is not None
        return self.process.wait(patience)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def runs(self) -> bool:
        assert self.process is not None
        return self.process.poll() is None

    def lines(self, *parts: str) -> list[str]:
        """What it said on stderr, of lines that hold all these parts."""
        text = self.errors.read_text()
        return [line for line in text.splitlines() if all(part in line for part in parts)]

    def says(self, *parts: str) -> None:
        until(lambda: self.lines(*parts), f"a line with {parts}")

    def run(self, *arguments: str) -> Said:
        """Another syncd beside it."""
        done = subprocess.run(
            [sys.executable, "-m", "syncd", *arguments, "-c", str(self.config)],
            cwd=HOUSE,
            env=environment(self.env),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    # -- what is told, and what is true --------------------------------------------------

    def status(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            found = json.loads((self.state / "status.json").read_text())
            return found if isinstance(found, dict) else {}
        return {}

    def row(self, name: str = "landing") -> dict[str, Any]:
        """One folder's part of the status."""
        return next((f for f in self.status().get("folders", []) if f["name"] == name), {})

    def rows(self, task_id: int = 789) -> list[Row]:
        """What a task truly holds, in display order."""
        rows = self.server.rows((123, 456, task_id))
        return sorted(rows, key=lambda row: (row.display_order, row.id))

    def names(self, task_id: int = 789) -> list[str]:
        return [row.name for row in self.rows(task_id)]

    def contents(self, task_id: int = 789) -> dict[str, str]:
        return {row.name: row.sha256 for row in self.rows(task_id)}

    def holds(self, *names: str, task_id: int = 789) -> None:
        """Wait until a task holds exactly these names."""
        until(
            lambda: sorted(self.names(task_id)) == sorted(names),
            f"{sorted(names)}, not {sorted(self.names(task_id))}",
        )

    def in_sync(self, name: str = "landing") -> None:
        """Wait until the status says so, and was written since or had the time to be."""
        asked, file = time.time(), self.state / "status.json"

        def told() -> bool:
            written = file.stat().st_mtime if file.exists() else 0.0
            up_to_date = written > asked or time.time() > asked + STATUS_DELAY
            return up_to_date and self.row(name).get("state") == "in sync"

        until(told, f"{name}: {self.row(name)}")

    def settled(self, *names: str) -> None:
        """Started, in sync, and holding these; from here on `calls` counts."""
        self.holds(*names)
        self.in_sync()
        self.mark()

    def mark(self) -> None:
        """From here on `calls` counts."""
        self._seen = len(self.server.log)

    def calls(self) -> list[str]:
        """What came in since the mark: `POST bulk`, `GET list`, `PUT one`, …"""
        names = []
        for request in self.server.log[self._seen :]:
            kind = request.path.rsplit("/attachments", 1)[-1].strip("/").split("/")[-1]
            kind = kind or ("list" if request.method == "GET" else "single")
            names.append(f"{request.method} {'one' if kind.isdigit() else kind}")
        return names

    def rescanned(self, times: int = 2) -> None:
        """Wait until the service has had time for so many of its own looks."""
        end = time.monotonic() + times * RESCAN + 0.3
        until(lambda: time.monotonic() > end)

    def fault(self, kind: Any, **settings: Any) -> None:
        self.server.faults.append(Fault(kind, **settings))


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what a service manager or a shell may have put there."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**kept, "PYTHONUTF8": "1", **extra}
