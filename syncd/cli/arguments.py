"""The command line (contract.md, Commands)."""

from __future__ import annotations

import argparse
import logging
import re
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, NoReturn

from syncd import __version__, log
from syncd.log import is_journal
from syncd.model import MAX_ID
from syncd.text import sanitized

EPILOG = """\
exit status: 0 in sync · 1 something failed or is held back · 2 bad usage · 75 try again
later · 77 the key was refused · 78 the config is wrong"""
JSON = "one JSON document on stdout"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """All options with their defaults; exits with 2 and a usage line if they make no sense."""
    parser = build_parser()
    words = " ".join(sys.argv[1:] if arguments is None else arguments)
    _Parser.log_format = "json" if re.search("--log-format[ =]json", words) else "text"
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.command = options.command
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.command is not None and options.once:
        parser.error(f"--once goes without a command, not with `{options.command}`")
    if not options.once and options.command is None:
        for name in ("dry_run", "json", "folder", "wait", "allow_delete", "adopt", "retry"):
            if getattr(options, name):
                parser.error(f"--{name.replace('_', '-')} goes with --once")
    if options.dry_run and options.wait:
        parser.error("--wait waits to send, --dry-run sends nothing: choose one")
    return options


class _Parser(argparse.ArgumentParser):
    """Sanitizes what it prints: errors quote the command line, which may hold file names."""

    log_format: Literal["text", "json"] = "text"
    """How errors are written; that of the command line as a whole."""
    command: str | None = None
    """Of a command line with unknown arguments."""

    def error(self, message: str) -> NoReturn:
        """Print usage and error, for programs one line with the priority of an error, and exit.

        A mistyped word gets the one that was probably meant, in place of the usage.
        """
        from syncd.cli.suggestions import suggestion  # slow to import, and few runs need it

        meant = suggestion(message, self, self.command)
        if self.log_format == "json":
            log.configure(verbosity=0, format="json")
            logging.getLogger("syncd").error("%s: %s", self.prog, meant or message)
            self.exit(2)
        if meant:
            self.exit(2, f"{'<3>' if is_journal(sys.stderr) else ''}{self.prog}: {meant}\n")
        if is_journal(sys.stderr):
            self.exit(2, f"<3>{self.prog}: {message}\n")
        super().error(message)

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message("\n".join(map(sanitized, message.split("\n"))), file)


def build_parser() -> _Parser:
    """The whole command line."""
    parser = _Parser(
        prog="syncd",
        description="Keeps a local folder and a Toggl Focus task's attachments the same thing. "
        "Without --once or a command: runs as a service until SIGTERM.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"syncd {__version__}")
    _common(parser)
    # A command has no defaults for them, which would replace what stands before it.
    parser.set_defaults(config=None, verbose=False, quiet=False, log_format="text")
    once = parser.add_argument_group("one run")
    _flag(once, "--once", "reconcile every folder once, print a report, exit")
    _flag(once, "--dry-run", "print the plan and what each action costs; only GETs are sent")
    _flag(once, "--json", JSON)
    _folder(once)
    _flag(once, "--wait", "sleep through an exhausted quota instead of leaving")
    _flag(once, "--allow-delete", "this run may delete more than max_delete, and more than half")
    _flag(
        once,
        "--adopt",
        "claim every attachment that matches a file by name and size, whatever its age",
    )
    _flag(once, "--retry", "forget all waits but the quota's")
    flags = ("once", "dry_run", "json", "wait", "allow_delete", "adopt", "retry")
    of_commands = ("offline", "watch", "sandbox", "yes")
    parser.set_defaults(folder=None, **dict.fromkeys((*flags, *of_commands), False))
    _commands(parser)
    return parser


def _commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    command = partial(_command, commands)
    approve = command("approve", "show what is held back, and approve exactly that once")
    _folder(approve)
    _flag(approve, "--dry-run", "show it, and approve nothing")
    check = command("check", "validate config, key, folders and tasks (one list each)")
    _flag(check, "--offline", "send no request")
    status = command("status", "what was done last and will be done next")
    _flag(status, "--watch", "the same, live, until Ctrl-C")
    status.add_argument("--html", metavar="FILE", help="write it as one self-contained page, too")
    command("why", "everything about one file").add_argument("file", metavar="FILE")
    _folder(command("list", "the task's attachments in display order (one list each)"))
    log = command("log", "what was done lately, newest last")
    log.add_argument("file", metavar="FILE", nargs="?", help="only what was done to this one")
    _init(command("init", "write a first config, or add a folder to one", json=False))
    tasks = command("tasks", "the workspace's tasks with their ids (one request)")
    text = "only those whose name, project or client holds it"
    tasks.add_argument("text", metavar="TEXT", nargs="?", default="", help=text)
    _workspace(tasks)
    probe = command("probe", "try on a task what the API's documentation leaves open")
    text = "a task for trying things; it is left as it was"
    probe.add_argument("--task", metavar="N", type=_id, required=True, help=text)
    _flag(probe, "--yes", "do not ask before the first request")
    completion = command("completion", "a completion script on stdout", json=False)
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    sandbox = command("sandbox", "a local Focus API to try things on", json=False)
    sandbox.add_argument("--port", type=_count, default=0, help="0 = a free one (default)")
    sandbox.add_argument("--quota", type=_count, default=30, help="requests an hour (default: 30)")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    *,
    json: bool = True,
) -> argparse.ArgumentParser:
    """Add a command with the options that all have, and --json."""
    sub = commands.add_parser(
        name,
        help=text,
        description=text,
        allow_abbrev=False,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _common(sub)
    if json:
        _flag(sub, "--json", JSON)
    return sub


def _init(init: argparse.ArgumentParser) -> None:
    """Add an option for each answer that `syncd init` asks for."""
    text = "the browser's address of the workspace, or of the task"
    init.add_argument("--address", metavar="URL", help=text)
    _workspace(init)
    init.add_argument("--task", metavar="N", type=_id, help="the task of the folder")
    place = init.add_mutually_exclusive_group()
    place.add_argument("--folder", metavar="DIR", help="the folder to sync with the task")
    text = "its subfolders are named by tasks: 4711 Logo"
    place.add_argument("--each", metavar="DIR", help=text)
    _flag(init, "--sandbox", "a playground: the built-in server, no account, no key")
    text = "install, enable and start the user's unit, or do not"
    init.add_argument("--service", action=argparse.BooleanOptionalAction, help=text)
    _flag(init, "--yes", "ask nothing; what has a default gets it, and the first run is made")
    init.set_defaults(sandbox=False, yes=False)


def _workspace(parser: argparse.ArgumentParser) -> None:
    """Add what names a workspace and its key, where no config does."""
    parser.add_argument("--organization", metavar="N", type=_id)
    parser.add_argument("--workspace", metavar="N", type=_id)
    text = "the file that holds the API key"
    parser.add_argument("--token-file", metavar="FILE", help=text)


_Group = argparse.ArgumentParser | argparse._ArgumentGroup


def _common(parser: argparse.ArgumentParser) -> None:
    """Add the options that may stand before or after a command."""
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="else $SYNCD_CONFIG, $XDG_CONFIG_HOME/syncd/config.yaml, /etc/syncd/config.yaml",
    )
    _flag(parser, "-v", "--verbose", "say more")
    _flag(parser, "-q", "--quiet", "only warnings and errors, on stderr")
    text = "how logs and errors are written (default: text)"
    parser.add_argument(
        "--log-format", choices=("text", "json"), default=argparse.SUPPRESS, help=text
    )


def _folder(parser: _Group) -> None:
    parser.add_argument(
        "--folder",
        metavar="NAME|PATH",
        nargs="+",
        action="extend",
        default=argparse.SUPPRESS,
        help="only these folders",
    )


def _flag(parser: _Group, *names_and_help: str) -> None:
    *names, text = names_and_help
    parser.add_argument(*names, action="store_true", default=argparse.SUPPRESS, help=text)


def _id(text: str) -> int:
    if not 1 <= (number := _count(text)) <= MAX_ID:
        raise argparse.ArgumentTypeError(f"{text!r} is no id: those lie between 1 and {MAX_ID}")
    return number


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)
