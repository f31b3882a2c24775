"""The systemd units: known to systemd, tight, and saying what the contract says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
NAMES = ["syncd.service", "syncd@.service", "syncd-once.service", "syncd-once.timer"]
SERVICES = ["syncd.service", "syncd@.service"]

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def settings(name: str) -> dict[str, list[str]]:
    """Every `Key=value` of a unit, the values of a repeated key in their order."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z]+)=(.*)$", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def runnable(name: str, folder: Path) -> Path:
    """A copy whose program exists, instantiated where it is a template."""
    for other in NAMES:
        text = (UNITS / other).read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(ExecStart=)\S+", r"\1/bin/true", text)
        (folder / other.replace("@.", "@acme.")).write_text(text, encoding="utf-8")
    return folder / name.replace("@.", "@acme.")


def analyze(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # `--user` wants a runtime directory; none of it needs a systemd that runs.
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, env=environ, timeout=60
    )


def verify(unit: Path) -> str:
    scope = "--system" if "@" in unit.name else "--user"
    answer = analyze(unit.parent, scope, "--man=no", "verify", str(unit))
    return answer.stdout + answer.stderr + (f"exit {answer.returncode}" * bool(answer.returncode))


def test_there_are_no_other_units() -> None:
    assert sorted(path.name for path in UNITS.iterdir()) == sorted(NAMES)


@needs_systemd
@pytest.mark.parametrize("name", NAMES)
def test_systemd_has_nothing_to_say_about_a_unit(name: str, tmp_path: Path) -> None:
    assert verify(runnable(name, tmp_path)) == ""


@needs_systemd
def test_a_misspelt_setting_would_be_noticed(tmp_path: Path) -> None:
    unit = runnable("syncd.service", tmp_path)
    unit.write_text(unit.read_text(encoding="utf-8").replace("UMask=", "UMusk="), encoding="utf-8")
    assert "UMusk" in verify(unit)


@needs_systemd
def test_the_exposure_of_the_system_service_is_at_most_2(tmp_path: Path) -> None:
    unit = runnable("syncd@.service", tmp_path)
    answer = analyze(tmp_path, "security", "--offline=true", "--no-pager", str(unit))
    overall = re.search(r"Overall exposure level for \S+: ([0-9.]+)", answer.stdout)
    assert overall is not None, answer.stderr
    assert float(overall[1]) <= 2.0, answer.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_restarted_unless_a_person_has_to_mend_something(name: str) -> None:
    unit = settings(name)
    assert unit["Restart"] == ["on-failure"]
    assert unit["RestartPreventExitStatus"] == ["77 78 2 203 243"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert "SuccessExitStatus" not in unit


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_tells_how_it_fares_and_is_given_half_a_minute_to_end(name: str) -> None:
    unit = settings(name)
    assert unit["Type"] == ["notify"]
    assert unit["NotifyAccess"] == ["main"]
    assert unit["ExecReload"] == ["kill -HUP $MAINPID"]
    assert unit["TimeoutStopSec"] == ["30"]
    assert unit["WatchdogSec"] == ["5min"]


@pytest.mark.parametrize("name", NAMES)
def test_no_unit_needs_the_network(name: str) -> None:
    unit = settings(name)
    assert not unit.keys() & {"Wants", "Requires", "Requisite", "BindsTo"}


@pytest.mark.parametrize("name", ["syncd.service", "syncd@.service", "syncd-once.service"])
def test_text_is_utf_8_new_files_are_private_and_no_core_holds_the_key(name: str) -> None:
    unit = settings(name)
    assert "PYTHONUTF8=1" in unit["Environment"][0].split()
    assert unit["UMask"] == ["0077"]
    assert unit["LimitCORE"] == ["0"]


def test_the_user_service_leaves_the_place_of_its_state_to_syncd() -> None:
    unit = settings("syncd.service")
    assert unit["ExecStart"] == ["%h/.local/bin/syncd"]
    assert "StateDirectory" not in unit
    assert unit["WantedBy"] == ["default.target"]


def test_each_system_instance_has_its_own_user_state_config_and_key() -> None:
    unit = settings("syncd@.service")
    assert unit["DynamicUser"] == ["yes"]
    assert unit["User"] == ["syncd-%i"]
    assert unit["StateDirectory"] == ["syncd/%i"]
    assert unit["LoadCredential"] == ["token:/etc/syncd/%i.token"]
    assert unit["ExecStart"] == ["/usr/local/bin/syncd -c /etc/syncd/%i.yaml"]


def test_the_homes_that_a_system_instance_does_not_see_are_no_place_to_write_to() -> None:
    unit = settings("syncd@.service")
    assert unit["ProtectHome"] == ["tmpfs"]
    assert unit["TemporaryFileSystem"] == ["/home:ro /root:ro /run/user:ro"]


@pytest.mark.parametrize("name", ["syncd.service", "syncd-once.service"])
def test_a_users_unit_says_how_it_goes_on_without_a_login(name: str) -> None:
    assert "loginctl enable-linger" in (UNITS / name).read_text(encoding="utf-8")


def test_a_run_to_be_tried_again_later_and_one_that_is_stopped_are_no_failure() -> None:
    unit = settings("syncd-once.service")
    assert unit["Type"] == ["oneshot"]
    assert unit["ExecStart"] == ["%h/.local/bin/syncd --once"]
    assert unit["SuccessExitStatus"] == ["75 143 SIGTERM"]


def test_the_timer_runs_hourly_spread_out_and_makes_up_for_missed_runs() -> None:
    unit = settings("syncd-once.timer")
    assert unit["OnCalendar"] == ["hourly"]
    assert unit["Persistent"] == ["true"]
    assert unit["RandomizedDelaySec"] == ["10min"]
