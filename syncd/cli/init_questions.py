"""The questions of `syncd init`, asked on a terminal until the answer can be used."""

from __future__ import annotations

import getpass
import os
import shlex
import sys
from collections.abc import Callable, Sequence

from syncd.cli.output import print_lines
from syncd.config.addresses import EXAMPLE, Address, parse_address
from syncd.config.locations import expand_home
from syncd.errors import UsageError
from syncd.focus.workspace import Task
from syncd.overview.words import count
from syncd.secrets import key_fault

_SHOWN = 15
"""Tasks that are shown at once."""

Fault = Callable[[str], str | None]
"""What speaks against an answer; None = nothing."""


def ask(prompt: str) -> str:
    """One line. Raises EOFError at the end of the input, and KeyboardInterrupt."""
    prompt = f"{prompt} "
    if not sys.stdout.isatty():
        sys.stderr.write(prompt)
        sys.stderr.flush()
        prompt = ""
    try:
        return input(prompt).strip()
    except UnicodeDecodeError:
        return ""


def agrees(question: str, *, default: bool = True) -> bool:
    """A question for yes or no; Enter means the default."""
    choices = "[Y/n]" if default else "[y/N]"
    while (answer := ask(f"{question} {choices}").lower()) not in ("", "y", "yes", "n", "no"):
        print_lines("Please answer y or n.")
    return answer in ("y", "yes") if answer else default


def ask_key() -> str:
    """The API key, which is not shown."""
    while True:
        key = getpass.getpass("API key (toggl_sk_…, not shown): ").strip()
        fault = key_fault(key)
        if fault is None:
            return key
        print_lines(f"This {fault[0]}: {fault[1]}.")


def ask_address(usable: Callable[[Address], str | None]) -> Address:
    """The address of the workspace or of a task in the browser."""
    while True:
        try:
            address = parse_address(ask("Address of the workspace in the browser:"))
        except UsageError as error:
            print_lines(f"{error}.")
            continue
        if address.organization_id is None or address.workspace_id is None:
            print_lines(f"It does not hold the two numbers; it looks like {EXAMPLE}")
        elif fault := usable(address):
            print_lines(f"{fault}.")
        else:
            return address


def ask_task(tasks: Sequence[Task] | None, fault: Callable[[int], str | None]) -> Task:
    """A task of the list, by a part of its name or by its number; without a list by its number."""
    _show(tasks or ())
    prompt = "Task (a part of its name, or its number):" if tasks else "Number of the task:"
    while True:
        text = ask(prompt)
        found = [task for task in tasks or () if text and task.holds(text)]
        same = [task for task in found if task.name.casefold() == text.casefold()]
        chosen = same if len(same) == 1 else found
        if text.isascii() and text.isdigit() and (task := _by_number(text, tasks or (), found)):
            chosen = [task]
        if len(chosen) == 1:
            if problem := fault(chosen[0].id):
                print_lines(problem)
                continue
            print_lines(f"  -> {chosen[0].id}  {chosen[0] if chosen[0].name else ''}".rstrip())
            return chosen[0]
        if text and tasks and not chosen:
            print_lines(f'No task holds "{text}" in its name, project or client.')
        elif not tasks:
            print_lines("The number of a task, please: its address in the browser may hold it.")
        else:
            _show(chosen or tasks or ())


def ask_folder(fault: Fault) -> tuple[str, bool]:
    """The folder's absolute path, and whether it is still to be made."""
    _complete_paths()
    while True:
        text = ask("Folder to keep the same as the task:")
        path = folder_path(text)
        if not text or path is None:
            print_lines("The path of a folder, please.")
        elif os.path.lexists(path) and not os.path.isdir(path):
            print_lines(f"{path} is no folder.")
        elif problem := fault(path):
            print_lines(problem)
        elif path == expand_home("~") and not agrees(
            "That is your home, with everything that lies in it. Sure?", default=False
        ):
            continue
        elif os.path.isdir(path):
            return path, False
        elif agrees(f"{path} is not there yet. Make it?"):
            return path, True


def folder_path(text: str) -> str | None:
    """An absolute path from what was typed, or dropped on the terminal with its quotes."""
    if not os.path.isdir(text) and any(c in text for c in "\\\"'"):
        try:
            words = shlex.split(text)
        except ValueError:
            words = []
        text = words[0] if len(words) == 1 else text
    expanded = expand_home(text) if text.startswith("~") else text
    return None if expanded is None else os.path.abspath(expanded)


def _by_number(text: str, tasks: Sequence[Task], found: Sequence[Task]) -> Task | None:
    """The task with this number; one that is not listed, if a person says so."""
    number = int(text) if len(text) < 20 else 0
    if not 0 < number < 1 << 63:
        return None
    listed = next((task for task in tasks if task.id == number), None)
    if listed is not None or not tasks:
        return listed or Task(number, "")
    question = f"No task of the list has the number {number}. Take it all the same?"
    return None if found or not agrees(question, default=False) else Task(number, "")


def _show(tasks: Sequence[Task]) -> None:
    width = max((len(str(task.id)) for task in tasks[:_SHOWN]), default=0)
    print_lines(*(f"  {task.id:{width}}  {task}" for task in tasks[:_SHOWN]))
    if len(tasks) > _SHOWN:
        print_lines(f"  … and {count(len(tasks) - _SHOWN, 'task')} more: type a part of the name")


def _complete_paths() -> None:
    """Let Tab complete paths, where Python can."""
    try:
        import glob
        import readline
    except ImportError:
        return

    def complete(text: str, number: int) -> str | None:
        start = expand_home(text) if text.startswith("~") else text
        found = [p for p in sorted(glob.glob(glob.escape(start or text) + "*")) if os.path.isdir(p)]
        return f"{found[number]}/" if number < len(found) else None

    readline.set_completer_delims("\n")
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")
