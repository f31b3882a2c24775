"""Folders full of what must not be sent, and files that change under our hands."""

from __future__ import annotations

import os
import socket
import unicodedata
from hashlib import sha256
from pathlib import Path

import pytest

from tests.fault.conftest import NewScene
from tests.support.folders import NOBODY
from tests.support.namespace import allowed, and_then, inside
from tests.support.scene import IDS, Scene
from tests.support.witness import Witness

mounts = pytest.mark.skipif(not allowed(), reason="this machine lets nobody mount")
BIG = b"0123456789abcdef" * 20_000
USER = NOBODY if os.geteuid() == 0 else None


def give_away(scene: Scene) -> None:
    """All of it to a user whom permissions bind."""
    if USER is None:
        return
    for path in (scene.base, *scene.base.rglob("*")):
        os.chown(path, USER, USER, follow_symlinks=False)


def told(scene: Scene, *argv: str, **more: object) -> tuple[int, dict[str, object]]:
    """The exit status and what the report says of the folder."""
    said = scene.once("--json", *argv, **more)  # type: ignore[arg-type]
    assert "Traceback" not in said.err, said
    return said.code, said.json["folders"][0]


def rest_costs_one_list(scene: Scene) -> None:
    assert (scene.once().code, scene.calls()) == (0, ["GET"])


class TestUnreadable:
    def test_a_file_is_named_and_the_others_go_on(self, new_scene: NewScene) -> None:
        scene = new_scene()
        for name in "abc":
            scene.write(name, f"content {name}")
        (scene.root / "b").chmod(0)
        give_away(scene)
        code, folder = told(scene, user=USER)
        assert (code, scene.names()) == (1, ["a", "c"])
        assert folder["failed"] == [{"name": "b", "error": "permission denied"}]
        (scene.root / "b").chmod(0o600)
        assert scene.once(user=USER).code == 0
        assert scene.names() == ["a", "b", "c"]

    def test_attachments_of_files_that_become_unreadable_are_kept(
        self, new_scene: NewScene
    ) -> None:
        scene = new_scene(recursive=True)
        for name in ("a", "open/b", "shut/c", "shut/deeper/d"):
            scene.write(name, f"content {name}")
        give_away(scene)
        assert scene.once(user=USER).code == 0
        before = scene.rows()
        (scene.root / "shut").chmod(0)
        scene.write("open/b", "changed")
        give_away(scene)
        code, folder = told(scene, user=USER)
        assert (code, folder["replaced"], folder["deleted"]) == (1, ["open/b"], [])
        assert folder["detached"] == ["shut/c", "shut/deeper/d"]
        assert [r for r in scene.rows() if r.name.startswith("shut")] == [
            r for r in before if r.name.startswith("shut")
        ]
        (scene.root / "shut").chmod(0o700)
        assert scene.once(user=USER).code == 0
        assert (scene.once(user=USER).code, scene.calls()) == (0, ["GET"])

    def test_a_renamed_file_that_is_unreadable_for_a_moment_is_renamed_later(
        self, new_scene: NewScene
    ) -> None:
        scene = new_scene()
        for name in "ab":
            scene.write(name, f"content {name}")
        give_away(scene)
        assert scene.once(user=USER).code == 0
        ids = {row.id for row in scene.rows()}
        (scene.root / "a").rename(scene.root / "z")
        (scene.root / "z").chmod(0)
        code, folder = told(scene, user=USER)
        assert (code, folder["deleted"], folder["detached"]) == (1, [], ["a"])
        (scene.root / "z").chmod(0o600)
        code, folder = told(scene, user=USER)
        assert (code, folder["renamed"], scene.calls()) == (0, [["a", "z"]], ["GET", "PUT"])
        assert {row.id for row in scene.rows()} == ids

    def test_a_root_that_is_unreadable_or_missing_is_an_error(self, new_scene: NewScene) -> None:
        scene = new_scene()
        scene.write("a", "content")
        give_away(scene)
        assert scene.once(user=USER).code == 0
        scene.root.chmod(0)
        code, folder = told(scene, user=USER)
        assert (code, scene.calls(), scene.names()) == (1, [], ["a"])
        assert "not readable" in str(folder["error"])
        scene.root.chmod(0o700)
        scene.root.rename(scene.base / "elsewhere")
        code, folder = told(scene, user=USER)
        assert (code, scene.calls(), scene.names()) == (1, [], ["a"])
        assert "no such folder" in str(folder["error"])


class TestOtherThanFiles:
    def test_links_pipes_and_sockets_are_skipped_unopened(self, new_scene: NewScene) -> None:
        scene = new_scene(recursive=True)
        scene.write("a", "content")
        (scene.root / "link").symlink_to("/etc/passwd")
        (scene.root / "dangling").symlink_to("nowhere")
        (scene.root / "folder").symlink_to("/etc")
        os.mkfifo(scene.root / "pipe")
        socket.socket(socket.AF_UNIX).bind(str(scene.root / "socket"))
        code, folder = told(scene)
        assert (code, folder["in_sync"], scene.names()) == (0, True, ["a"])
        reasons = {p["name"]: p["reason"] for p in folder["skipped"]}  # type: ignore[attr-defined]
        assert reasons == {
            "dangling": "symbolic link",
            "folder": "symbolic link",
            "link": "symbolic link",
            "pipe": "named pipe",
            "socket": "socket",
        }
        rest_costs_one_list(scene)

    @pytest.mark.parametrize("what", ["link", "pipe", "folder", "socket", "gone", "rewrite"])
    @pytest.mark.parametrize("alone", [True, False], ids=["alone", "in bulk"])
    def test_swapped_in_between_scan_and_open_it_is_not_sent(
        self, new_scene: NewScene, what: str, alone: bool
    ) -> None:
        scene = new_scene()
        target = scene.write("target", "planned")
        for name in () if alone else "ab":
            scene.write(name, f"content {name}")
        code, _ = told(scene, hook=("before_open", str(target), what))
        assert code == 0
        regular = {p.name: sha256(p.read_bytes()).hexdigest() for p in files(scene.root)}
        everything = scene.server.rows(IDS, deleted=True)
        assert {r.name: r.sha256 for r in everything} == regular
        rest_costs_one_list(scene)


class TestChangingWhileSent:
    @pytest.mark.parametrize("what", ["grow", "shrink", "rewrite", "gone"])
    @pytest.mark.parametrize("others", [0, 3], ids=["alone", "in bulk"])
    def test_the_task_ends_with_what_the_file_ends_with(
        self, new_scene: NewScene, what: str, others: int
    ) -> None:
        scene = new_scene()
        target = scene.write("target", BIG)
        for n in range(others):
            scene.write(f"other {n}", f"content {n}")
        code, _ = told(scene, hook=("while_sent", str(target), what))
        assert code in (0, 75)
        witness = Witness(scene)  # type: ignore[arg-type]
        witness.note()
        assert scene.once().code == 0
        witness.assert_settled()
        rest_costs_one_list(scene)

    @pytest.mark.parametrize("what", ["link", "pipe"])
    def test_an_interrupted_replacement_is_finished_and_then_detached(
        self, new_scene: NewScene, what: str
    ) -> None:
        scene = new_scene()
        target = scene.write("target", BIG)
        told(scene, hook=("while_sent", str(target), what))
        code, folder = told(scene)
        assert (code, folder["detached"]) == (0, ["target"])
        everything = scene.server.rows(IDS, deleted=True)
        assert [r.sha256 for r in everything] == [sha256(BIG).hexdigest()]
        rest_costs_one_list(scene)

    @pytest.mark.parametrize("what", ["grow", "shrink", "rewrite"])
    def test_a_replacement_keeps_the_old_version_until_the_new_one_stands(
        self, new_scene: NewScene, what: str
    ) -> None:
        scene = new_scene()
        witness = Witness(scene)  # type: ignore[arg-type]
        target = scene.write("target", "old")
        witness.note()
        assert scene.once().code == 0
        scene.write("target", BIG)
        witness.note()
        told(scene, hook=("while_sent", str(target), what))
        assert scene.names()
        witness.note()
        assert scene.once().code == 0
        witness.assert_settled()
        rest_costs_one_list(scene)

    def test_a_file_that_keeps_changing_is_75_and_stops_nobody(self, new_scene: NewScene) -> None:
        scene = new_scene()
        target = scene.write("target", BIG)
        scene.write("other", "content")
        code, folder = told(scene, hook=("while_sent", str(target), "rewrite", 10_000))
        assert (code, folder["in_sync"]) == (75, False)
        assert "other" in scene.names()
        assert len(scene.calls()) < 20
        assert scene.once().code == 0
        assert [r.sha256 for r in scene.rows() if r.name == "target"] == [
            sha256(target.read_bytes()).hexdigest()
        ]


class TestMounts:
    @mounts
    @pytest.mark.parametrize("kind", ["another file system", "a bind mount"])
    def test_a_nested_mount_is_skipped_and_what_it_covers_is_detached(
        self, new_scene: NewScene, kind: str
    ) -> None:
        scene = new_scene(recursive=True)
        for name in ("a", "sub/b", "sub/c"):
            scene.write(name, f"content {name}")
        assert scene.once().code == 0
        before = scene.rows()
        sub = scene.root / "sub"
        elsewhere = scene.root.with_name("elsewhere")
        elsewhere.mkdir()
        what = f"--bind {elsewhere}" if kind == "a bind mount" else "-t tmpfs none"
        cover = inside(f"mount {what} {sub}", f"echo x > {sub}/x")
        said = scene.python("--once", "--json", before=cover)
        (folder,) = said.json["folders"]
        assert (said.code, scene.calls(), scene.rows()) == (0, ["GET"], before)
        assert folder["detached"] == ["sub/b", "sub/c"]
        assert folder["skipped"] == [{"name": "sub/", "reason": "another file system"}]
        rest_costs_one_list(scene)
        assert scene.rows() == before

    @mounts
    def test_a_root_whose_mount_leaves_deletes_nothing(self, new_scene: NewScene) -> None:
        scene = new_scene()
        mounted = and_then(
            [
                f"mount -t tmpfs none {scene.root}",
                *(f"echo {name} > {scene.root}/{name}" for name in "abc"),
            ],
            [],
        )
        assert scene.python("--once", before=mounted).code == 0
        assert scene.names() == ["a", "b", "c"]
        code, folder = told(scene)
        assert (code, scene.calls(), scene.names()) == (1, ["GET"], ["a", "b", "c"])
        assert sorted(folder["held"]) == ["a", "b", "c"]  # type: ignore[call-overload]


class TestNames:
    def test_the_longest_and_the_oddest_names_are_sent_as_they_are(
        self, new_scene: NewScene
    ) -> None:
        scene = new_scene()
        names = {
            *("x" * 255, "€" * 85, "-rf", "a\nb", 'quo"te', "a%22b", "back\\slash", "a&b=c;d"),
            *("\u202egpj.exe", "\x1b[31mred", "?", "names[0]", "ünï", "名前", "🙂", "a+b c"),
        }
        for number, name in enumerate(sorted(names)):
            scene.write(name, f"content {number}")
        code, folder = told(scene)
        assert (code, folder["failed"]) == (0, [])
        assert set(scene.names()) == names
        wanted = {n: sha256((scene.root / n).read_bytes()).hexdigest() for n in names}
        assert {r.name: r.sha256 for r in scene.rows()} == wanted
        rest_costs_one_list(scene)

    def test_a_name_that_is_not_utf8_fails_by_its_escaped_form(self, new_scene: NewScene) -> None:
        scene = new_scene()
        scene.write("a", "content")
        with open(os.fsencode(scene.root) + b"/b\xff\xfe.txt", "wb") as file:
            file.write(b"content")
        for argv in ((), ("-v",)):
            code, folder = told(scene, *argv)
            assert (code, scene.names()) == (1, ["a"])
            assert folder["failed"] == [{"name": "b\\xff\\xfe.txt", "error": "name is not UTF-8"}]
        assert scene.calls() == ["GET"]

    def test_the_attached_one_of_two_names_equal_after_nfc_is_synced(
        self, new_scene: NewScene
    ) -> None:
        scene = new_scene()
        nfc, nfd = unicodedata.normalize("NFC", "é.txt"), unicodedata.normalize("NFD", "é.txt")
        scene.write(nfc, "composed")
        assert scene.once().code == 0
        scene.write(nfd, "decomposed")
        for _ in range(2):
            code, folder = told(scene)
            assert (code, [p["name"] for p in folder["failed"]]) == (1, [nfd])  # type: ignore[attr-defined]
            assert scene.calls() == ["GET"]
        (scene.root / nfc).unlink()
        assert scene.once().code == 0
        assert [r.sha256 for r in scene.rows()] == [sha256(b"decomposed").hexdigest()]
        rest_costs_one_list(scene)


def files(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if p.is_file() and not p.is_symlink()]


class TestEach:
    def test_a_folder_named_by_an_impossible_task_id_is_an_error_of_that_folder(
        self, new_scene: NewScene
    ) -> None:
        scene = new_scene()
        parent = scene.base / "each"
        (parent / "20261125143000123456 scan").mkdir(parents=True)
        scene.configure(f"{{path: '{scene.root}', task_id: 789}}", f"{{each: '{parent}'}}")
        scene.write("a", "content")
        said = scene.once("--json")
        assert (said.code, scene.names()) == (1, ["a"])
        assert [f["in_sync"] for f in said.json["folders"]] == [False, True]
        assert "no task's number" in said.json["folders"][0]["error"]
        assert scene.syncd("check").code == 1

    def test_choosing_an_each_parent_chooses_all_of_its_folders(self, new_scene: NewScene) -> None:
        scene = new_scene()
        parent = scene.base / "each"
        for number in ("1", "2 x"):
            (parent / number).mkdir(parents=True)
        scene.configure(f"{{path: '{scene.root}', task_id: 789}}", f"{{each: '{parent}'}}")
        said = scene.once("--json", "--folder", str(parent))
        assert (said.code, [f["name"] for f in said.json["folders"]]) == (0, ["1", "2 x"])
