"""What `linear` makes of a regex matches what the regex matches, and no slash in a bracket."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from syncd.core.globs import linear

pieces = st.sampled_from(["*", "*", "?", "a", "b", "ab", ".", "[ab]", "[!a]", r"\*", "(?:", "**"])
names = st.lists(pieces, min_size=1, max_size=6).map("".join)
patterns = st.builds(
    lambda segments, end: "/" + "/".join(segments) + end,
    st.lists(st.one_of(names, st.just("**")), min_size=1, max_size=5),
    st.sampled_from(["", "/"]),
)
components = st.text(alphabet="ab.*(?:", min_size=1, max_size=7)
paths = st.builds(
    lambda parts, end: "/".join(parts) + end,
    st.lists(components, min_size=1, max_size=6),
    st.sampled_from(["", "/"]),
)


@settings(max_examples=400, deadline=None)
@given(pattern=patterns, asked=st.lists(paths, min_size=1, max_size=10))
def test_it_matches_the_same(pattern: str, asked: list[str]) -> None:
    regex = GitIgnoreSpecPattern(pattern).regex
    if regex is None:
        return
    within_names = re.compile(regex.pattern.replace("[^a]", "[^a/]"))
    quick = re.compile(linear(regex.pattern))
    for path in asked:
        expected = within_names.fullmatch(path)
        assert bool(expected) == bool(quick.fullmatch(path)), (path, quick.pattern)
