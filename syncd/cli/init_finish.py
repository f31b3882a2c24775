"""What `syncd init` does once the config is written: check, plan, first run, service."""

from __future__ import annotations

import argparse
import os
import shlex
import signal

from syncd.cli import check, once, unit
from syncd.cli.errors import INTERRUPTED
from syncd.cli.init_files import Files
from syncd.cli.init_questions import agrees
from syncd.cli.output import print_error, print_lines
from syncd.config import load_config
from syncd.config.locations import find_config
from syncd.engine.report import KEY, LATER, OK, PARTLY, worst
from syncd.errors import ConfigError, UsageError
from syncd.overview.status_file import read_status, running_service
from syncd.packaged_files import packaged_path


def finish(arguments: argparse.Namespace, file: str, path: str, *, asks: bool) -> int:
    """Check the new folder and show its plan; run and install what is wanted."""
    try:
        return _finish(arguments, file, path, asks=asks)
    except (EOFError, KeyboardInterrupt) as error:
        if type(error) not in (EOFError, KeyboardInterrupt):
            raise
        text = f"{file} is written; `{_command(file, '--once')}` makes the first run"
        print_lines("", error=True)
        print_error(f"stopped: {text}")
        return INTERRUPTED


def _finish(arguments: argparse.Namespace, file: str, path: str, *, asks: bool) -> int:
    print_lines("")
    checks = check.examine(file, offline=False, only=path)
    check.show(checks)
    code = check.code_of(checks)
    if any(c.code not in (OK, PARTLY) or (c.code and c.what != "folder") for c in checks):
        print_error(f"mend that, then: `{_command(file, 'check')}`")
        return code
    print_lines("")
    code = once.run(_once(arguments, file, path, dry_run=True))
    if code in (KEY, LATER):
        return code
    config = load_config(file)
    pid = running_service(config.state_dir, read_status(config.state_dir))
    if pid is not None:
        if arguments.yes or (asks and agrees("The service runs. Let it read the config again?")):
            return _reload(file, pid)
        print_lines(f"The service reads the config again after: kill -HUP {pid}")
        return code
    runs = arguments.yes or (asks and agrees("Do this now?"))
    if runs:
        code = once.run(_once(arguments, file, path, dry_run=False))
    wants = arguments.service
    stands = unit.unit_of(file)
    if wants is None and asks and not config.api.sandbox and stands.manager and stands.user:
        wants = agrees("Keep it so from now on, as a service of yours?")
    if wants:
        return worst([code, install_service(file)])
    _say_next(file, ran=runs)
    return code


def install_service(file: str) -> int:
    """Put the user's unit in place and start it; 1 if a step failed, each told with its command."""
    load_config(file)
    stands = unit.unit_of(file)
    if not stands.user:
        where = packaged_path("syncd@.service")
        raise UsageError(f"--service: {file} is for {stands.name}; the top of {where} says how")
    path = unit.unit_path()
    if path is None:
        raise UsageError("--service: this user has no home for a unit")
    if not _put_unit(file, path):
        return PARTLY
    if not stands.manager:
        steps = " && ".join(map(shlex.join, unit.start_steps()))
        print_error(
            "no systemd of this user answers here, so the unit was not started; where one does: "
            f"{steps}; without systemd a line for `crontab -e`: {unit.cron_line(_option(file))}"
        )
        return PARTLY
    return _start_unit(file)


def _put_unit(file: str, path: str) -> bool:
    """Write the unit, unless there is one; False = that one runs another config, which is told."""
    text = unit.unit_text(file)
    if not os.path.lexists(path):
        with Files() as files:
            files.file(path, text)
        print_lines(f"Wrote {path}")
        return True
    with open(path, encoding="utf-8", errors="replace") as there:
        old = there.read()
    if unit.runs_config(old, file):
        print_lines(f"{path} is there already" + ("" if old == text else ", and left as it is"))
        return True
    start = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    other = f"syncd-{os.path.splitext(os.path.basename(file))[0]}.service"
    print_error(
        f"{path} runs another config, and is left as it is: copy it to {other} beside it, write "
        f"{start} there, and: systemctl --user enable --now {other}"
    )
    return False


def _start_unit(file: str) -> int:
    failed = False
    for step in unit.start_steps():
        reason = unit.run_step(step)
        if reason is not None:
            failed = True
            print_error(f"{reason}; by hand: {unit.by_hand(step)}")
            if "enable" in step:
                print_error(f"what the service says: journalctl --user -u {unit.NAME} -n 20")
        else:
            print_lines(f"ok   {shlex.join(step)}")
    if not failed:
        print_lines(f"The service runs: `{_command(file, 'status')}` tells how it fares.")
    return PARTLY if failed else OK


def _reload(file: str, pid: int) -> int:
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        print_error(f"the service did not hear of it ({error.strerror}): kill -HUP {pid}")
        return PARTLY
    print_lines(f"The service takes it up: `{_command(file, 'status')}` tells how it fares.")
    return OK


def _once(
    arguments: argparse.Namespace, file: str, path: str, *, dry_run: bool
) -> argparse.Namespace:
    """The options of `syncd --once --folder PATH`."""
    flags = ("json", "wait", "allow_delete", "adopt", "retry", "offline")
    return argparse.Namespace(
        once=True,
        command=None,
        config=file,
        folder=[path],
        dry_run=dry_run,
        verbose=arguments.verbose,
        quiet=arguments.quiet,
        log_format=arguments.log_format,
        **dict.fromkeys(flags, False),
    )


def _say_next(file: str, *, ran: bool) -> None:
    print_lines("")
    if not ran:
        print_lines(f"Nothing was sent yet. `{_command(file, '--once')}` makes the first run.")
    watching = f"`{_command(file)}` keeps watching the folder"
    if unit.unit_of(file).manager:
        print_lines(f"{watching}; `{_command(file, 'init', '--service')}` lets systemd do that.")
    else:
        print_lines(f"{watching}. A line for `crontab -e` looks every quarter of an hour:")
        print_lines(f"  {unit.cron_line(_option(file))}")


def _command(file: str, *words: str) -> str:
    return " ".join(("syncd", *words)) + _option(file)


def _option(file: str) -> str:
    """` -c FILE`, unless syncd finds the file without it."""
    try:
        found = find_config(None)
    except ConfigError:
        found = ""
    return "" if found == file else f" -c {shlex.quote(file)}"
