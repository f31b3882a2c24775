"""The systemd unit that runs a config: how it stands, and installing the user's."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import subprocess
import sys
from typing import NamedTuple

from syncd.config.locations import SYSTEM_CONFIG, expand_home, user_config_dir
from syncd.packaged_files import packaged

NAME = "syncd.service"
SECONDS = 90.0
"""How long a start may take, which opens ledger and watch; a question is answered sooner."""
_ASK_SECONDS = 5.0
_PACKAGED_START = "ExecStart=%h/.local/bin/syncd\n"
_LINGER = "/var/lib/systemd/linger"


class Unit(NamedTuple):
    """How the unit of a config stands."""

    name: str
    user: bool
    """A unit of the user, not of the machine."""
    manager: bool
    """Whether systemd answers."""
    load: str = ""
    active: str = ""
    enabled: str = ""

    def command(self, *words: str) -> str:
        """A systemctl command for it."""
        return " ".join(("systemctl --user" if self.user else "sudo systemctl", *words, self.name))


def unit_of(config: str) -> Unit:
    """The state of the unit: `syncd@NAME` for /etc/syncd/NAME.yaml, else the user's."""
    directory, (name, suffix) = os.path.dirname(config), os.path.splitext(os.path.basename(config))
    user = (directory, suffix) != (os.path.dirname(SYSTEM_CONFIG), ".yaml")
    unit = NAME if user else f"syncd@{name}.service"
    keys = ("LoadState", "ActiveState", "UnitFileState")
    scope = ["--user"] if user else []
    command = ["systemctl", *scope, "show", f"--property={','.join(keys)}", "--", unit]
    code, text = _run(command, _ASK_SECONDS)
    if code != 0:
        return Unit(unit, user, manager=False)
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return Unit(unit, user, True, *(found.get(key, "") for key in keys))


def lingers() -> bool:
    """Whether the user's units go on while nobody is logged in."""
    return os.path.exists(os.path.join(_LINGER, _user()))


def unit_text(config: str) -> str:
    """The user's unit, with this program and this config."""
    start = f"ExecStart={' '.join(map(_quoted, _program()))}{_config_option(config)}\n"
    text = packaged(NAME)
    if text.count(_PACKAGED_START) != 1:
        raise ValueError(f"{NAME} has not one {_PACKAGED_START.strip()}")
    return text.replace(_PACKAGED_START, start)


def runs_config(text: str, config: str) -> bool:
    """Whether a unit that is there runs this config, by whatever program."""
    starts = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    option = _config_option(config)
    return bool(starts) and (starts[-1].endswith(option) if option else " -c " not in starts[-1])


def _config_option(config: str) -> str:
    """The end of ExecStart=: nothing for the config that the service finds by itself."""
    usual = os.path.join(expand_home("~/.config/syncd") or "", "config.yaml")
    return "" if config == usual else f" -c {_quoted(config)}"


def unit_path() -> str | None:
    """Where the user's unit belongs; None = the user has no home."""
    directory = user_config_dir()
    if directory is None:
        return None
    return os.path.join(os.path.dirname(directory), "systemd", "user", NAME)


def start_steps() -> list[list[str]]:
    """The commands that make systemd run the unit, now and at every start."""
    steps = [
        ["systemctl", "--user", "daemon-reload"],
        ["systemctl", "--user", "enable", "--now", NAME],
    ]
    return steps if lingers() else [*steps, ["loginctl", "enable-linger"]]


def by_hand(step: list[str]) -> str:
    """What a person types where a step has failed: to linger may take an administrator."""
    return shlex.join(["sudo", *step, _user()] if step[0] == "loginctl" else step)


def run_step(command: list[str]) -> str | None:
    """Why a command failed; None = it did not."""
    code, text = _run(command, SECONDS)
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    return None if code == 0 else last or f"exit status {code}"


def cron_line(config_option: str) -> str:
    """What a crontab holds instead of a unit."""
    words = " ".join(map(_shell_quoted, _program()))
    return f"*/15 * * * *  {words} --once -q{config_option}"


def _run(command: list[str], seconds: float) -> tuple[int | None, str]:
    """Exit status and output; None = it could not be run to its end."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        return None, f"{command[0]} is not installed"
    except OSError as error:
        return None, f"{command[0]}: {error.strerror}"
    except subprocess.TimeoutExpired:
        return None, f"no answer within {seconds:.0f} s"
    return done.returncode, done.stdout.decode(errors="replace")


def _program() -> list[str]:
    """How this program is called, by paths that hold anywhere."""
    called = shutil.which(sys.argv[0]) if sys.argv[0] else None
    if called is not None and os.path.basename(called) == "syncd":
        return [os.path.abspath(called)]
    return [sys.executable, "-m", "syncd"]


def _quoted(word: str) -> str:
    """A word of ExecStart=."""
    home, word = expand_home("~"), word.replace("%", "%%").replace("$", "$$")
    if home is not None and "%" not in home and "$" not in home and word.startswith(f"{home}/"):
        word = f"%h{word[len(home) :]}"
    if not any(c.isspace() or c in "\"'\\;" for c in word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shell_quoted(word: str) -> str:
    # In a crontab % begins the command's input.
    return shlex.quote(word).replace("%", "\\%")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
