"""The command line for tests: a config, a folder or more, and a real sandbox over HTTP."""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.cli.main import main
from syncd.sandbox.storage import Row
from tests.support.faulty_server import Sandbox
from tests.support.quirks import Quirks

KEY = "toggl_sk_0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Said:
    """What one command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


def bare(*arguments: str) -> Said:
    """A command line without `-c`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return Said(code, out.getvalue(), err.getvalue())


@dataclass
class Shell:
    """`shell.write("a.txt")`, `shell.syncd("--once")`, `shell.json("list")`."""

    base: Path
    quirks: Quirks = field(default_factory=lambda: Quirks(quota=None))

    def __post_init__(self) -> None:
        self.root = self.base / "landing"
        self.root.mkdir()
        self.state = self.base / "state"
        self.token = self.base / "token"
        self.token.write_text(KEY + "\n")
        self.token.chmod(0o600)
        self.sandbox = Sandbox(self.quirks).start()
        self.server = self.sandbox.api
        self.config = self.base / "config.yaml"
        self.configure()

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.stop()

    def configure(self, *folders: str, url: str | None = None, **sync: object) -> None:
        """Write the config; without `folders` the one folder is task 789."""
        entries = folders or (f"{{path: {self.root}, task_id: 789}}",)
        self.config.write_text(
            "\n".join(
                [
                    f"api: {{url: '{url or self.sandbox.url}', organization_id: 123,"
                    f" workspace_id: 456, token_file: {self.token}, timeout: 2s}}",
                    f"state_dir: {self.state}",
                    f"sync: {json.dumps(sync)}",
                    "folders:",
                    *(f"  - {entry}" for entry in entries),
                ]
            )
            + "\n"
        )

    def write(self, name: str, content: str = "content", *, age: float = 60.0) -> Path:
        path = self.base / name if "/" in name else self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        os.utime(path, (time.time() - age, time.time() - age))
        return path

    def seed(self, name: str, content: bytes = b"theirs", order: int = 5) -> Row:
        """An attachment that is somebody else's."""
        return self.server.seed((123, 456, 789), name, content, order)

    def syncd(self, *arguments: str) -> Said:
        return bare("-c", str(self.config), *arguments)

    def json(self, *arguments: str) -> Any:
        return self.syncd(*arguments, "--json").json

    def requests(self) -> int:
        """How many the server has seen."""
        return len(self.server.log)
