"""A world or a scene per test, closed afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from syncd.model import Rules
from tests.support.quirks import Quirks
from tests.support.scene import Scene
from tests.support.world import World

NewWorld = Callable[..., World]
NewScene = Callable[..., Scene]


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[NewWorld]:
    """`new_world(rules={"delete": "never"}, reserve=0, **quirks)`; no quota unless given."""
    with ExitStack() as stack:

        def make(
            *,
            rules: dict[str, Any] | None = None,
            timeout: float = 2.0,
            limit: int | None = None,
            reserve: int = 5,
            create_params: str = "both",
            **quirks: Any,
        ) -> World:
            quirks.setdefault("quota", None)
            base = tmp_path / f"world{len(list(tmp_path.iterdir()))}"
            base.mkdir()
            return stack.enter_context(
                World(
                    base,
                    Quirks(**quirks),
                    Rules(**(rules or {})),
                    timeout=timeout,
                    quota=limit,
                    reserve=reserve,
                    create_params=create_params,
                )
            )

        yield make


@pytest.fixture
def new_scene() -> Iterator[NewScene]:
    """`new_scene(Quirks(…), timeout="1s", max_delete=3)`: for real processes, as anybody."""
    with TemporaryDirectory(prefix="syncd-scene-") as base, ExitStack() as stack:
        os.chmod(base, 0o755)  # pytest's own are closed to other users

        def make(*arguments: Any, **options: Any) -> Scene:
            number = len(list(Path(base).iterdir()))
            return stack.enter_context(Scene(Path(base) / f"scene{number}", *arguments, **options))

        yield make
