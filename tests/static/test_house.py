"""The house rules, read from the imports: who may know whom, and who owns which library."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYNCD = ROOT / "syncd"

LEAVES = {"errors", "hosts", "text", "version"}
"""What everybody may know; `version` is `from syncd import __version__`."""
VALUES = {"model", "task_state", *LEAVES}
BELOW_ENGINE = {"core", *VALUES}
BELOW_SERVICE = {"engine", "local", "focus", "state", *BELOW_ENGINE}
BELOW_CLI = {
    *("overview", "export", "service", "config", "secrets", "log", "sandbox", "probe"),
    "packaged_files",
    *BELOW_SERVICE,
}
MAY_KNOW: dict[str, set[str]] = {
    "version": set(),
    "text": set(),
    "errors": {"text"},
    "hidden_paths": set(),
    "hosts": set(),
    "model": set(),
    "packaged_files": set(),
    "task_state": {"model"},
    "core": VALUES,
    "local": {"hidden_paths", *BELOW_ENGINE},
    "focus": VALUES,
    "state": VALUES,
    "engine": BELOW_SERVICE,
    "probe": {"focus", "state", *VALUES},
    "overview": {"config", "secrets", *BELOW_SERVICE},
    "export": {"overview", "config", "packaged_files", *BELOW_SERVICE},
    "service": {"overview", "export", "config", "secrets", "log", *BELOW_SERVICE},
    "cli": BELOW_CLI,
    "__main__": {"cli"},
    # Beside the line: config and its keys, the log, and the server to try things on.
    "secrets": {"errors", "hidden_paths", "text"},
    "config": {"local", "packaged_files", "secrets", *BELOW_ENGINE},
    "log": {"text"},
    "sandbox": {"errors", "model", "version"},
}
OWNERS: dict[str, tuple[str, ...]] = {
    "watchdog": ("syncd.local",),
    "requests": ("syncd.focus",),
    "urllib3": ("syncd.focus",),
    "truststore": ("syncd.focus",),
    "sqlite3": ("syncd.state",),
    "yaml": ("syncd.config",),
    "apscheduler": ("syncd.service",),
    "natsort": ("syncd.core",),
    "pathspec": ("syncd.local",),
    "rich": ("syncd.cli",),
    "shtab": ("syncd.cli.completion",),
    "python_multipart": ("syncd.sandbox",),
}
PROJECTS = {"yaml": "PyYAML", "apscheduler": "APScheduler", "python_multipart": "python-multipart"}
"""Libraries that are installed by another name."""
PURE = {
    *("__future__", "abc", "bisect", "collections", "dataclasses", "enum", "fractions"),
    *("functools", "hashlib", "heapq", "itertools", "math", "operator", "re", "string"),
    *("types", "typing", "unicodedata"),
}
"""The standard library that core may use: it asks neither the system nor the time."""
IMPURE_CALLS = {"open", "print", "input", "breakpoint"}
LINES, FUNCTION_LINES = 250, 40


def faults(module: str, source: str, file: str) -> list[str]:
    """What in a module breaks the rules, each with file and line."""
    return [f"{file}:{line}: {text}" for line, text in _faults(module, ast.parse(source, file))]


def _faults(module: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in _imported(node):
                if text := _wrong_import(module, name):
                    yield node.lineno, text
            if isinstance(node, ast.ImportFrom) and node.level:
                yield node.lineno, "imports are absolute here"
        elif isinstance(node, ast.Call) and (text := _wrong_call(module, node.func)):
            yield node.lineno, text


def _wrong_call(module: str, function: ast.expr) -> str | None:
    name = getattr(function, "attr", getattr(function, "id", None))
    if name in ("__import__", "import_module") and room_of(module) != "cli":  # it may know all
        return f"{name}() hides what is imported"
    if room_of(module) == "core" and isinstance(function, ast.Name) and name in IMPURE_CALLS:
        return f"core is pure: no {name}()"
    return None


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif node.module == "syncd" and not node.level:
        yield from (f"syncd.{alias.name}" for alias in node.names)
    elif not node.level:
        yield node.module or ""


def _wrong_import(module: str, name: str) -> str | None:
    top = name.partition(".")[0]
    if top == "syncd":
        return _wrong_room(room_of(module), room_of(name))
    if room_of(module) == "core" and top in sys.stdlib_module_names and top not in PURE:
        return f"core is pure: it may not import {name}"
    if top in OWNERS:
        if not any(f"{module}.".startswith(f"{owner}.") for owner in OWNERS[top]):
            return f"{top} belongs to {' and '.join(OWNERS[top])}, not to {module}"
        return None
    return None if top in sys.stdlib_module_names else f"{top} has no owner in OWNERS"


def _wrong_room(here: str, there: str) -> str | None:
    if here not in MAY_KNOW:
        return f"{here} is no room that MAY_KNOW tells of"
    if there == here or there in MAY_KNOW[here]:
        return None
    return f"{here} may not import {there}"


def room_of(module: str) -> str:
    """`syncd.core.plan` -> `core`; what stands in `syncd` itself is its version."""
    room = module.split(".")[1] if "." in module else "version"
    return "version" if room == "__version__" else room


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def too_long(file: str, lines: int) -> str | None:
    """Why a file is too long, if it is."""
    return f"syncd/{file}:{LINES}: {lines} lines; split it" if lines > LINES else None


FILES = sorted(SYNCD.rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(SYNCD).as_posix()


def test_there_is_something_to_read() -> None:
    assert {module_of(path) for path in FILES} >= {"syncd", "syncd.model", "syncd.core.reconcile"}


@pytest.mark.parametrize("path", FILES, ids=named)
def test_imports_run_one_way_and_libraries_have_one_owner(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    found = faults(module_of(path), source, path.relative_to(ROOT).as_posix())
    assert not found, "\n".join(found)


def test_files_stay_short() -> None:
    lengths = {named(p): len(p.read_text(encoding="utf-8").splitlines()) for p in FILES}
    found = [text for file, lines in lengths.items() if (text := too_long(file, lines))]
    assert not found, "\n".join(found)


def long_functions(source: str) -> list[str]:
    """Those of more than FUNCTION_LINES lines, their docstrings counted."""
    functions = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef))
    lengths = ((f.name, (f.end_lineno or 0) - f.lineno + 1) for f in functions)
    return [f"{name}: {lines} lines" for name, lines in lengths if lines > FUNCTION_LINES]


def test_functions_stay_short() -> None:
    assert long_functions("def f():\n" + "    g()\n" * FUNCTION_LINES) == ["f: 41 lines"]
    found = {named(p): long_functions(p.read_text(encoding="utf-8")) for p in FILES}
    assert not {file: functions for file, functions in found.items() if functions}


def test_every_folder_of_the_package_is_a_package() -> None:
    bare = {p.parent for p in FILES if not (p.parent / "__init__.py").is_file()}
    assert not bare, f"without __init__.py: {sorted(map(str, bare))}"


def test_every_library_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=!~ ;\[]", d)[0].lower() for d in project["dependencies"]}
    used = {
        PROJECTS.get(top, top).lower()
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _imported(node)
        if (top := name.partition(".")[0]) not in sys.stdlib_module_names | {"syncd"}
    }
    assert used == declared


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("syncd.core.plan", "import os", "core is pure: it may not import os"),
        ("syncd.core.plan", "import datetime", "core is pure: it may not import datetime"),
        ("syncd.core.plan", "from time import time", "core is pure: it may not import time"),
        ("syncd.core.plan", "import logging", "core is pure: it may not import logging"),
        ("syncd.core.plan", "import random", "core is pure: it may not import random"),
        ("syncd.core.plan", "import threading", "core is pure: it may not import threading"),
        ("syncd.core.plan", "import os.path as p", "core is pure: it may not import os.path"),
        ("syncd.core.plan", "import sqlite3", "core is pure: it may not import sqlite3"),
        ("syncd.core.plan", "import requests", "requests belongs to syncd.focus, not to"),
        ("syncd.core.plan", "x = open('y')", "core is pure: no open()"),
        ("syncd.core.plan", "from syncd.local.scan import scan", "core may not import local"),
        ("syncd.core.plan", "import syncd.state.load", "core may not import state"),
        ("syncd.core.plan", "from syncd.focus.client import x", "core may not import focus"),
        ("syncd.model", "import syncd.core.plan", "model may not import core"),
        ("syncd.model", "from syncd.task_state import Intent", "model may not import task_state"),
        ("syncd.errors", "from syncd.model import Folder", "errors may not import model"),
        ("syncd.local.scan", "import syncd.focus.client", "local may not import focus"),
        ("syncd.local.scan", "from syncd import state", "local may not import state"),
        ("syncd.focus.client", "from syncd.state.ledger import Ledger", "may not import state"),
        ("syncd.focus.client", "import syncd.core.plan", "focus may not import core"),
        ("syncd.state.ledger", "import syncd.core.listing", "state may not import core"),
        ("syncd.state.ledger", "from syncd.local import scan", "state may not import local"),
        (
            "syncd.state.ledger",
            "from syncd.engine.quota import QuotaMeter",
            "may not import engine",
        ),
        ("syncd.engine.cycle", "from syncd.config import Config", "engine may not import config"),
        ("syncd.engine.cycle", "from syncd.secrets import redact", "may not import secrets"),
        ("syncd.engine.cycle", "from syncd.service import worker", "may not import service"),
        ("syncd.engine.cycle", "import syncd.sandbox.server", "may not import sandbox"),
        ("syncd.service.daemon", "import syncd.cli.main", "service may not import cli"),
        ("syncd.overview.folders", "import syncd.service.worker", "may not import service"),
        ("syncd.service.daemon", "import rich.table", "rich belongs to syncd.cli, not to"),
        ("syncd.sandbox.server", "from syncd.text import printable", "may not import text"),
        ("syncd.sandbox.server", "import syncd.focus", "sandbox may not import focus"),
        ("syncd.config.load", "import syncd.engine.cycle", "config may not import engine"),
        ("syncd.focus.client", "import watchdog.events", "watchdog belongs to syncd.local"),
        ("syncd.focusing", "import requests", "requests belongs to syncd.focus, not to"),
        ("syncd.core.plan", "import pathspec", "pathspec belongs to syncd.local, not to"),
        ("syncd.local.scan", "import numpy", "numpy has no owner in OWNERS"),
        ("syncd.attic", "from syncd.core import plan", "attic is no room that MAY_KNOW tells of"),
        ("syncd.core.plan", "from . import guard", "imports are absolute here"),
        ("syncd.service.x", "import importlib\nimportlib.import_module('x')", "() hides what"),
        ("syncd.core.plan", "__import__('x')", "__import__() hides"),
        ("syncd.core.plan", "def f():\n    import os", "core is pure: it may not import os"),
        ("syncd.core.plan", "if TYPE_CHECKING:\n    import syncd.focus", "may not import focus"),
    ],
)
def test_a_broken_rule_is_found(module: str, source: str, fault: str) -> None:
    found = faults(module, source, "made/up.py")
    assert [f for f in found if fault in f], found
    line = source.count("\n") + 1
    assert any(f.startswith(f"made/up.py:{line}: ") for f in found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("syncd.core.plan", "import re\nfrom syncd.model import Folder\nimport syncd.core.guard"),
        ("syncd.local.ignore", "from pathspec.patterns import x"),
        ("syncd.focus.client", "from syncd import __version__\nimport requests, urllib3.util"),
        ("syncd.state.ledger", "import sqlite3\nfrom syncd.task_state import Attribute"),
        ("syncd.engine.cycle", "from syncd.local import scan\nfrom syncd.state import ledger"),
        (
            "syncd.cli.assembly",
            "from syncd.sandbox.server import Sandbox\nimport rich.progress",
        ),
        ("syncd.sandbox.server", "from syncd import __version__\nimport syncd.errors"),
        ("syncd.local.scan", "with open('x') as f: pass"),
        ("syncd.cli.main", "import_module('syncd.cli.once')"),
        ("syncd.__main__", "from syncd.cli.main import entry_point"),
        ("syncd", "__version__ = '1'"),
    ],
)
def test_code_that_keeps_the_rules_is_left_alone(module: str, source: str) -> None:
    assert faults(module, source, "made/up.py") == []


def test_a_long_file_is_found() -> None:
    assert too_long("cli/new.py", LINES) is None
    assert "split it" in str(too_long("cli/new.py", LINES + 1))
