"""Folders for tests: filled, scanned, and seen by a user whom permissions bind."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from syncd.errors import FileProblem, FolderError
from syncd.local.scan import scan
from syncd.model import FolderSnapshot, Problem, Rules

NOBODY = 65534


def look(folder: Path | str, known: tuple[str, ...] = (), **rules: Any) -> FolderSnapshot:
    return scan(str(folder), Rules(**rules), known)


def names(snapshot: FolderSnapshot) -> list[str]:
    return [file.path for file in snapshot.files]


def told(problems: Iterable[Problem]) -> list[tuple[str, str]]:
    return [(problem.path, problem.reason) for problem in problems]


def fill(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)


def unprivileged(call: Callable[[], Any]) -> Any:
    """The result of `call` for a user whom permissions bind."""
    if os.geteuid() != 0:
        return call()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setegid(NOBODY)
            os.seteuid(NOBODY)
            try:
                answer = call()
            except FolderError as error:
                answer = error
            except FileProblem as error:
                answer = (error.path, error.reason, error.changed)
            os.write(writer, pickle.dumps(answer))
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        answer = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    if isinstance(answer, FolderError):
        raise answer
    if type(answer) is tuple:
        raise FileProblem(answer[0], answer[1], changed=answer[2])
    return answer
