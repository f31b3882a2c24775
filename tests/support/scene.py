"""A folder, a config and a server, and real processes between them.

What `Witness` asks of a world is here, too: it judges these runs as well.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from syncd.model import Rules, TaskKey
from syncd.sandbox.messages import LoggedRequest, Request, Response
from syncd.sandbox.storage import Row
from tests.support.commands import KEY, Said
from tests.support.faulty_api import FaultyApi, Trouble
from tests.support.faulty_server import Sandbox
from tests.support.processes import Hook, ended, launcher, python_m_syncd
from tests.support.quirks import Quirks

IDS = (123, 456, 789)


class StrikingRules(FaultyApi):
    """Calls `strike` when the n-th request from now arrives, or once it is carried out."""

    def __init__(self, quirks: Quirks) -> None:
        super().__init__(quirks)
        self._counting = threading.Lock()
        self._left = 0
        self._after = False
        self._strike: Callable[[], None] | None = None

    def strike_at(
        self, number: int, when: Literal["before", "after"], strike: Callable[[], None]
    ) -> None:
        self._left, self._after, self._strike = number, when == "after", strike

    def spare(self) -> None:
        """Whom it was meant for is gone."""
        self._strike = None

    def handle(self, request: Request) -> Response:
        with self._counting:
            self._left -= 1
            strike = self._strike if self._left == 0 else None
        if strike is None:
            return super().handle(request)
        if self._after:
            super().handle(request)
        strike()
        return Trouble(0, drop="reset")


class Scene:
    """`scene.write("a", "…")`, `scene.once()`, `scene.rows()`."""

    def __init__(
        self,
        base: Path,
        quirks: Quirks | None = None,
        *,
        timeout: str = "5s",
        create_params: str = "both",
        **sync: object,
    ) -> None:
        self.base = base
        self.base.mkdir(parents=True, exist_ok=True)
        self.root = base / "folder"
        self.root.mkdir()
        self.state = base / "state"
        self.server = StrikingRules(quirks or Quirks(quota=None))
        self.sandbox = Sandbox(api=self.server).start()
        self.task = TaskKey(self.sandbox.url, *IDS)
        self.token = base / "token"
        self.token.write_text(KEY + "\n")
        self.token.chmod(0o600)
        self.config = base / "config.yaml"
        self.rules = Rules()
        self.timeout = timeout
        self.configure(**sync)
        self._seen = 0

    def configure(self, *folders: str, url: str | None = None, **sync: object) -> None:
        """Write the config; without `folders` the one folder is task 789."""
        self.rules = Rules(**sync)  # type: ignore[arg-type]
        entries = folders or (f"{{path: '{self.root}', task_id: 789}}",)
        self.config.write_text(
            f"api: {{url: '{url or self.sandbox.url}', organization_id: 123, workspace_id: 456,"
            f" token_file: '{self.token}', timeout: {self.timeout}}}\n"
            f"state_dir: '{self.state}'\nsync: {json.dumps(sync)}\nfolders:\n"
            + "".join(f"  - {entry}\n" for entry in entries)
        )

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.stop()

    def write(self, name: str, content: bytes | str = b"", *, age: float = 60.0) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (time.time() - age, time.time() - age))
        return path

    def syncd(self, *argv: str, hook: Hook | None = None, user: int | None = None) -> Said:
        """One command, in a process of its own."""
        self._seen = len(self.server.log)
        return launcher().start(*argv, "-c", str(self.config), hook=hook, user=user).wait()

    def once(self, *argv: str, hook: Hook | None = None, user: int | None = None) -> Said:
        return self.syncd("--once", *argv, hook=hook, user=user)

    def python(
        self, *argv: str, env: dict[str, str] | None = None, before: tuple[str, ...] = ()
    ) -> Said:
        """The same by `python -m syncd`, nothing between."""
        self._seen = len(self.server.log)
        return ended(python_m_syncd(*argv, "-c", str(self.config), env=env, before=before))

    def sent(self) -> list[LoggedRequest]:
        """What the last run has sent."""
        return self.server.log[self._seen :]

    def calls(self) -> list[str]:
        return [request.method for request in self.sent()]

    def rows(self) -> list[Row]:
        """What the task truly holds, in display order."""
        return sorted(self.server.rows(IDS), key=lambda row: (row.display_order, row.id))

    def names(self) -> list[str]:
        return [row.name for row in self.rows()]
