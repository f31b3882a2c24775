"""The page of `syncd status --html` and `status_page`: what it tells, and that names stay text."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from syncd.export.elements import Markup, element
from syncd.export.timeline import timeline
from syncd.export.view import QuotaView
from syncd.model import LoggedCycle
from tests.support.browser import browser, show
from tests.support.commands import Shell

HOSTILE = (
    "<script>alert(1)<script>.txt",
    "<img src=x onerror=alert(1)>.txt",
    "\"quoted\" & 'single'.txt",
    "right\u202eleft.txt",
    "two\nlines.txt",
)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        yield shell


class Read(HTMLParser):
    """The text of a page, and its elements with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if self.open[-1:] != ["style"] else ""

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == tag]


def page_of(shell: Shell, code: int = 75) -> Read:
    file = shell.base / "status.html"
    said = shell.syncd("status", "--html", str(file))
    assert said.code == code, said.err
    read = Read(file.read_text(encoding="utf-8"))
    assert read.open == []
    return read


def test_hostile_names_stay_text_in_a_real_browser_which_reports_no_error(shell: Shell) -> None:
    for name in HOSTILE:
        shell.write(name, name)
    Path(os.fsdecode(os.fsencode(shell.root) + b"/bytes\xff.txt")).write_text("x")
    shell.seed("<b>theirs</b>.txt", b"theirs")
    assert shell.syncd("--once").code == 1
    page = page_of(shell)
    shown_names = [*HOSTILE[:3], "right\\u202eleft.txt", "two\\nlines.txt", "bytes\\xff.txt"]
    assert all(name in page.text for name in (*shown_names, "<b>theirs</b>.txt"))
    if (program := browser()) is None:
        pytest.skip("no chromium is installed: the page was not seen by a browser")
    dom, console = show(program, shell.base / "status.html", shell.base)
    assert console == []
    rendered = Read(dom)
    assert all(name in rendered.text for name in shown_names)
    assert not {"script", "img", "b"} & {tag for tag, _ in rendered.elements}
    assert {tag for tag, _ in rendered.elements} == {tag for tag, _ in page.elements}


def test_each_file_stands_in_order_with_its_state_and_each_attachment_of_others(
    shell: Shell,
) -> None:
    shell.write("10 last.txt", "last")
    shell.write("2 first.txt", "first")
    shell.seed("theirs.docx")
    shell.syncd("--once")
    shell.write("2 first.txt", "changed")
    before = shell.requests()
    text = page_of(shell).text
    assert shell.requests() == before
    assert re.search(r"2 first\.txt.*changed.*10 last\.txt.*in sync.*theirs\.docx.*foreign", text)
    assert "1 change since the last cycle" in text
    assert "The folder is not in sync yet" in text
    assert "created" in text
    assert "No service is running" in text


def test_what_is_held_is_named_with_the_command_that_releases_it(shell: Shell) -> None:
    for name in "ab":
        shell.write(name, name)
    shell.syncd("--once")
    for name in "ab":
        (shell.root / name).unlink()
    shell.syncd("--once")
    page = page_of(shell)
    assert f"syncd approve --folder landing -c {shell.config}" in page.text
    assert "The folder needs you" in page.text
    assert page.text.count("delete a (id ") == 1


def test_the_page_loads_nothing_runs_nothing_and_can_be_read_without_colours(shell: Shell) -> None:
    shell.write("a.txt")
    shell.syncd("--once")
    page = page_of(shell)
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    sources = [a[k] for _, a in page.elements for k in ("src", "href") if k in a]
    assert all(s and s.startswith(("#", "data:")) for s in sources)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert len(page.all("table")) == len(page.all("caption")) > 1
    assert all(heading["scope"] in ("row", "col") for heading in page.all("th"))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert {s["aria-labelledby"] for s in page.all("section")} <= set(ids)
    assert len(ids) == len(set(ids))


def test_a_page_is_its_owners_alone_and_keeps_the_permissions_it_has(shell: Shell) -> None:
    file = shell.base / "status.html"
    page_of(shell)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    (shell.base / "link.html").symlink_to(file)
    shell.syncd("status", "--html", str(shell.base / "link.html"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert (shell.base / "link.html").is_symlink()


@pytest.mark.parametrize(
    ("file", "code", "told"),
    [
        ("missing/status.html", 1, "cannot be written: No such file or directory"),
        ("landing", 1, "cannot be written: it is a directory"),
        ("pipe", 1, "cannot be written: it is no regular file"),
        ("-", 2, "names no file"),
    ],
)
def test_a_page_that_cannot_be_written_is_one_line(
    shell: Shell, file: str, code: int, told: str
) -> None:
    os.mkfifo(shell.base / "pipe")
    said = shell.syncd("status", "--html", file if file == "-" else str(shell.base / file))
    assert (said.code, said.out) == (code, "")
    assert told in said.err
    assert len(said.err.splitlines()) == 1


def test_once_writes_the_page_and_a_failing_write_stops_nothing(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    shell.write("a.txt")
    text, file = shell.config.read_text(), shell.base / "page.html"
    shell.config.write_text(f"{text}status_page: {file}\n")
    assert shell.syncd("--once", "--dry-run").code == 0
    assert not file.exists()
    assert shell.syncd("--once").code == 0
    assert "The folder is in sync" in file.read_text()
    shell.config.write_text(f"{text}status_page: {shell.base}/missing/page.html\n")
    shell.write("b.txt")
    with caplog.at_level(logging.WARNING):
        assert shell.syncd("--once").code == 0
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == [
        f"status_page: {shell.base}/missing/page.html cannot be written: No such file or "
        "directory; syncing goes on"
    ]


def test_the_timeline_tells_requests_and_troubles_by_the_hour_in_words_too() -> None:
    now = 1_800_000_000.0
    cycles = [("landing", LoggedCycle(now - 3600 * n, n % 2, 1, 3, 20)) for n in range(30)]
    read = Read(timeline(QuotaView(1, 20, 30, None), cycles, now))
    assert "24 cycles and 72 requests in the last 24 hours; the busiest hour had 3 of 30" in (
        read.text
    )
    assert len(read.all("tr")) == 25
    assert len(read.all("rect")) == 48


def test_only_markup_is_not_escaped() -> None:
    assert element("p", "<b>", Markup("<i>"), None, class_='"x"') == (
        '<p class="&quot;x&quot;">&lt;b&gt;<i></p>'
    )
    key = "toggl_sk_0123456789abcdef0123456789abcdef"
    assert key not in element("p", key)
