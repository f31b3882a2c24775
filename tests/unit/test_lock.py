"""One owner of a state directory at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from syncd.errors import StateError, StateLocked
from syncd.state.lock import StateLock, lock_owner, make_state_dir


def test_a_second_process_gets_the_pid_of_the_holder(tmp_path: Path) -> None:
    with StateLock(str(tmp_path)):
        assert lock_owner(str(tmp_path)) == os.getpid()
        with pytest.raises(StateLocked) as caught, StateLock(str(tmp_path)):
            pass
        assert caught.value.pid == os.getpid()
        assert lock_owner(str(tmp_path)) == os.getpid()
    assert lock_owner(str(tmp_path)) is None
    with StateLock(str(tmp_path)):
        pass


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import os, sys; from syncd.state.lock import StateLock\n"
        "StateLock(sys.argv[1]).__enter__(); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert lock_owner(str(tmp_path)) == process.pid
        process.kill()
    assert lock_owner(str(tmp_path)) is None
    with StateLock(str(tmp_path)):
        pass


def test_asking_for_the_lock_owner_writes_nothing(tmp_path: Path) -> None:
    assert lock_owner(str(tmp_path)) is None
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("text", ["", "nonsense\n"])
def test_a_lock_without_a_pid_still_holds(tmp_path: Path, text: str) -> None:
    with StateLock(str(tmp_path)):
        (tmp_path / "lock").write_text(text)
        with pytest.raises(StateLocked, match="another syncd") as caught:
            StateLock(str(tmp_path)).__enter__()
        assert caught.value.pid is None


def test_a_place_that_cannot_be_used_is_a_state_error(tmp_path: Path) -> None:
    with pytest.raises(StateError):
        StateLock(str(tmp_path / "missing")).__enter__()
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="nothing was sent"):
        make_state_dir(str(tmp_path / "file" / "state"))


def test_a_new_state_directory_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    make_state_dir(str(tmp_path / "a" / "state"))
    assert os.stat(tmp_path / "a" / "state").st_mode & 0o077 == 0
    make_state_dir(str(tmp_path / "a" / "state"))
