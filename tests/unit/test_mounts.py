"""Which file systems are watched, and where a root really is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncd.local.mounts import Mount, Place, locate, mounts
from syncd.local.watcher import Watcher
from tests.support.watching import Bell, inotify_instances, watch


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


LINE = "36 27 0:32 / {point} rw,relatime shared:1 - {kind} source rw"


def table(*lines: tuple[str, str]) -> str:
    pairs = [("/", "ext4"), *lines]
    return "\n".join(LINE.format(point=point, kind=kind) for point, kind in pairs) + "\n"


@pytest.mark.parametrize(
    "kind",
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "fuse",
        "fuse.sshfs",
        "9p",
        "sshfs",
        "afs",
        "ceph",
        "glusterfs",
    ],
)
def test_network_and_fuse_file_systems_are_scanned_without_being_asked(
    kind: str, root: Path
) -> None:
    path = root.parent / "mountinfo"
    path.write_text(table((str(root), kind)), encoding="utf-8")
    watcher = Watcher(Bell(), mount_table=str(path))
    state = watch(watcher, "a", root)
    assert (state.mode, state.reason) == (
        "scanning",
        f"on {kind}, which does not tell of every change",
    )
    assert inotify_instances() == 0
    path.write_text(table((str(root), kind), (str(root), "ext4")), encoding="utf-8")
    assert watcher.check() == ["a"]
    path.write_text(table((str(root), kind)), encoding="utf-8")
    assert watcher.check() == []
    assert watcher.state("a").mode == "scanning"
    watcher.stop()


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "zfs", "overlay", "fuseblk"])
def test_local_file_systems_are_watched(kind: str, root: Path) -> None:
    assert isinstance(locate(str(root), True, [Mount(str(root), kind)]), Place)


def test_the_longest_mount_point_counts_and_a_like_name_does_not(root: Path) -> None:
    near = [Mount("/", "nfs4"), Mount(str(root.parent), "ext4"), Mount(str(root)[:-1], "cifs")]
    assert isinstance(locate(str(root), False, near), Place)
    assert locate(str(root), False, near[::2]) == "on nfs4, which does not tell of every change"


def test_a_link_into_a_network_file_system_is_seen_through(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert "on nfs" in str(locate(str(link), False, [Mount(str(root), "nfs")]))


def test_a_dead_server_is_not_asked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "stat", pytest.fail)
    monkeypatch.setattr(os, "lstat", pytest.fail)
    assert "on nfs" in str(locate(str(root / "x"), False, [Mount(str(root), "nfs")]))


def test_a_network_file_system_below_matters_to_a_recursive_folder_only(root: Path) -> None:
    below = [Mount("/", "ext4"), Mount(str(root / "share"), "nfs4")]
    assert isinstance(locate(str(root), False, below), Place)
    assert locate(str(root), True, below) == f"nfs4 is mounted below it, at {root}/share"


def test_the_mount_table_is_read_with_its_escapes_and_without_faith(tmp_path: Path) -> None:
    path = tmp_path / "mountinfo"
    text = LINE.format(point="/mnt/M\\303\\274 \\134x".replace(" ", "\\040"), kind="nfs4")
    path.write_text(f"{text}\nrubbish\n\n1 2 3 - \n", encoding="utf-8")
    assert mounts(str(path)) == (Mount("/mnt/Mü \\x", "nfs4"),)
    assert mounts(str(tmp_path / "none")) == ()
    assert any(mount.point == "/" for mount in mounts())
