"""`.syncd-order`: what it may hold, and what becomes of one that cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncd.local.manifest import MAX_BYTES, parse_manifest
from syncd.model import FolderSnapshot
from tests.support.folders import fill, look, names, told


class TestManifest:
    def order(self, folder: Path, content: bytes) -> FolderSnapshot:
        (folder / ".syncd-order").write_bytes(content)
        return look(folder, order="manifest", recursive=True)

    def test_lists_paths_and_reports_the_unknown(self, tmp_path: Path) -> None:
        fill(tmp_path, "a", "b", "sub/c", "#d", "e.tmp", "f ")
        content = "\ufeff# first\r\n./b\r\nsub/c\r\n\r\ngone\r\nb\r\n  a\r\n./#d\r\ne.tmp\r\nf \r\n"
        found = self.order(tmp_path, content.encode())
        assert found.manifest == ("b", "sub/c", "a", "#d", "f ")
        assert found.unknown_order_lines == ("gone", "e.tmp")
        assert names(found) == ["#d", "a", "b", "f ", "sub/c"]
        assert found.failed == ()

    def test_another_unicode_form_names_the_file(self) -> None:
        assert parse_manifest("\u00e9\n", ["e\u0301"]) == (("e\u0301",), ())
        assert parse_manifest("\u00e9\n", ["\u00e9"]) == (("\u00e9",), ())

    def test_odd_white_space_does_not_end_a_line(self) -> None:
        assert parse_manifest("a\u2028b\x0bc\rd", ["a\u2028b\x0bc\rd"])[1] == ()

    def test_a_missing_manifest_is_no_fault(self, tmp_path: Path) -> None:
        fill(tmp_path, "a")
        found = look(tmp_path, order="manifest")
        assert (found.manifest, found.unknown_order_lines, found.failed) == ((), (), ())

    def test_a_manifest_is_not_read_for_another_order(self, tmp_path: Path) -> None:
        (tmp_path / ".syncd-order").write_bytes(b"\xff")
        assert look(tmp_path).failed == ()

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"\xff\n", "not UTF-8"),
            (b"a" * (MAX_BYTES + 1), "larger than 1 MiB"),
        ],
        ids=["bytes", "size"],
    )
    def test_an_unreadable_manifest_is_listed_as_failed(
        self, tmp_path: Path, content: bytes, why: str
    ) -> None:
        found = self.order(tmp_path, content)
        assert told(found.failed) == [(".syncd-order", why)]

    def test_the_greatest_allowed_is_read(self, tmp_path: Path) -> None:
        fill(tmp_path, "a")
        found = self.order(tmp_path, b"a\n".ljust(MAX_BYTES, b"#"))
        assert found.manifest == ("a",)
        assert found.failed == ()

    @pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
    def test_a_manifest_that_is_no_file_is_listed_as_failed(
        self, tmp_path: Path, kind: str
    ) -> None:
        path = tmp_path / ".syncd-order"
        fill(tmp_path, "a")
        {"link": lambda: path.symlink_to("a"), "fifo": lambda: os.mkfifo(path)}.get(
            kind, path.mkdir
        )()
        found = look(tmp_path, order="manifest")
        why = "a symbolic link is not followed" if kind == "link" else "not a regular file"
        assert told(found.failed) == [(".syncd-order", why)]
