"""git itself is the oracle of `ignore`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import which

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.local.ignore import Selection
from syncd.model import Rules

NAMES = ["a", "b", "ab", "a.b", "x", "#a", "!a", "a b"]
LONGER = ["abab", "aab", "x!aab", "baba"]
GLOBS = [
    "*a*b*",
    "**a*[!b]*",
    "*?*b",
    r"*\!*a*",
    "*",
    "**",
    "a*",
    "*b",
    "?",
    "[ab]",
    "[!a]",
    "*.b",
    r"\#a",
    r"\!a",
    *NAMES,
]

paths = st.lists(st.sampled_from(NAMES + LONGER), min_size=1, max_size=4).map("/".join)
patterns = st.builds(
    lambda negated, lead, middle, trail: f"{negated}{lead}{'/'.join(middle)}{trail}",
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/", "**/"]),
    st.lists(st.sampled_from(GLOBS), min_size=1, max_size=3),
    st.sampled_from(["", "", "/", "/**", " "]),
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if which("git") is None:
        pytest.skip("needs git")
    folder = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=st.lists(patterns, max_size=5), asked=st.lists(paths, min_size=1, max_size=12))
def test_a_file_is_ignored_exactly_if_git_ignores_it(
    repository: Path, lines: list[str], asked: list[str]
) -> None:
    (repository / ".git/info/exclude").write_text("\n".join(lines) + "\n")
    answer = subprocess.run(
        ["git", "-C", repository, "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(asked).encode(),
        stdout=subprocess.PIPE,
        check=False,
    )
    ignored = {part for part in answer.stdout.decode().split("\0") if part}
    found = Selection(Rules(recursive=True, ignore=tuple(lines)))
    assert {path for path in asked if found.ignores(path)} == ignored
