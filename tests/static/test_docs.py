"""The docs quote messages that the program has, and link to what is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
QUOTE = re.compile(r"^> (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SHORT = 4
"""A part of a quote that is shorter, between two that differ, proves nothing."""


def texts() -> Iterator[str]:
    """Every text in the code; of a formatted one its constant parts, `…` between them."""
    for path in (ROOT / "syncd").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub("%s", "…", node.value)


def quotes() -> list[str]:
    return QUOTE.findall((ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8"))


def test_the_troubleshooting_quotes_messages() -> None:
    assert len(quotes()) > 25


@cache
def program() -> str:
    return "\n".join(texts())


@pytest.mark.parametrize("quote", quotes())
def test_a_quoted_message_is_one_of_the_program(quote: str) -> None:
    for part in re.split(r" ?… ?", quote):
        assert len(part) < SHORT or part in program(), part


def anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_a_link_leads_to_something(path: Path) -> None:
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        file, _, fragment = link.partition("#")
        target = (path.parent / file) if file else path
        assert target.exists(), link
        if fragment:
            headings = HEADING.findall(target.read_text(encoding="utf-8"))
            assert fragment in {anchor(heading) for heading in headings}, link


def test_the_files_and_functions_that_contributing_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_]+/[a-z_]+\.py)`(?:\s+\(`([A-Za-z_.]+)`)?", text)
    assert len(named) > 15
    for file, name in named:
        path = next(p for p in (ROOT / "syncd" / file, ROOT / file) if p.is_file())
        source = path.read_text(encoding="utf-8")
        assert name.rpartition(".")[2] in source, (file, name)
