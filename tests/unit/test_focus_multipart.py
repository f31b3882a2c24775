"""The format of a multipart body."""

from __future__ import annotations

import pytest

from syncd.focus import multipart
from syncd.focus.uploads import Upload
from syncd.model import Fingerprint


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ('a"b.txt', "a%22b.txt"),
        ("a\\b", "a%5Cb"),
        ("a\r\nX: y", "a%0D%0AX: y"),
        ("tab\tesc\x1b\x7f\x85", "tab%09esc%1B%7F%C2%85"),
        ("100%22.txt", "100%22.txt"),
        (" ü 🎉 e\u0301 ; ", " ü 🎉 e\u0301 ; "),
        ("dir/sub/a.txt", "a.txt"),
    ],
)
def test_file_names_cannot_break_out_of_their_header(name: str, escaped: str) -> None:
    upload = Upload("/file", name, 1, Fingerprint(0, 0, 0, 0))
    head = multipart._file_headers("b", "file", upload).decode()
    assert f'filename="{escaped}"\r\n' in head
    assert head.count("\r\n") == 4


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.png", "image/png"),
        ("a.TXT", "text/plain"),
        ("a.tar.gz", "application/gzip"),
        ("a.svgz", "application/gzip"),
        ("a.txt.bz2", "application/x-bzip2"),
        ("a.xz", "application/x-xz"),
        ("data:text/html,x", "application/octet-stream"),
        ("http://x/a.png", "image/png"),
        ("Makefile", "application/octet-stream"),
    ],
)
def test_the_content_type_follows_the_name(name: str, kind: str) -> None:
    assert multipart.content_type(name) == kind
