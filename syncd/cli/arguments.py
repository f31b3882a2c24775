"""The command line (contract.md, Commands)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from syncd import __version__
from syncd.cli.output import sanitized
from syncd.log import is_journal

EPILOG = """\
exit status: 0 in sync · 1 something failed or is held back · 2 bad usage · 75 try again
later · 77 the key was refused · 78 the config is wrong"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """All options with their defaults; exits with 2 and a usage line if they make no sense."""
    parser = _parser()
    options = parser.parse_args(arguments)
    for name, value in (("dry_run", False), ("json", False), ("folder", None)):
        vars(options).setdefault(name, value)
    if options.command is not None and options.once:
        parser.error(f"--once goes without a command, not with `{options.command}`")
    if not options.once and options.command is None:
        for name in ("dry_run", "json", "folder", "wait", "allow_delete", "adopt", "retry"):
            if getattr(options, name, None):
                parser.error(f"--{name.replace('_', '-')} goes with --once")
    if options.dry_run and options.wait:
        parser.error("--wait waits to send, --dry-run sends nothing: choose one")
    return options


class _Parser(argparse.ArgumentParser):
    """Sanitizes what it prints: errors quote the command line, which may hold file names."""

    def error(self, message: str) -> NoReturn:
        """Print usage and error, for journald one line with the priority of an error, and exit."""
        if is_journal(sys.stderr):
            self.exit(2, f"<3>{self.prog}: {message}\n")
        super().error(message)

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message("\n".join(map(sanitized, message.split("\n"))), file)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="syncd",
        description="Keeps a local folder and a Toggl Focus task's attachments the same thing. "
        "Without --once or a command: runs as a service until SIGTERM.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"syncd {__version__}")
    _common(parser, top=True)
    once = parser.add_argument_group("one run")
    once.add_argument(
        "--once", action="store_true", help="reconcile every folder once, print a report, exit"
    )
    _dry_run(once, "print the plan and what each action costs; only GETs are sent")
    _json(once)
    _folder(once)
    once.add_argument(
        "--wait", action="store_true", help="sleep through an exhausted quota instead of leaving"
    )
    once.add_argument(
        "--allow-delete",
        action="store_true",
        help="this run may delete more than max_delete, and more than half",
    )
    once.add_argument(
        "--adopt",
        action="store_true",
        help="claim every attachment that matches a file by name and size, whatever its age",
    )
    once.add_argument("--retry", action="store_true", help="forget all waits but the quota's")
    _commands(parser)
    return parser


def _commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=text,
            description=text,
            allow_abbrev=False,
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _common(sub, top=False)
        return sub

    approve = command("approve", "show what is held back, and approve exactly that once")
    _folder(approve)
    _dry_run(approve, "show it, and approve nothing")
    _json(approve)
    check = command("check", "validate config, key, folders and tasks (one list each)")
    check.add_argument("--offline", action="store_true", help="send no request")
    _json(check)
    status = command("status", "what was done last and will be done next")
    _json(status)
    why = command("why", "everything about one file")
    why.add_argument("file", metavar="FILE")
    _json(why)
    listing = command("list", "the task's attachments in display order (one list each)")
    _folder(listing)
    _json(listing)
    sandbox = command("sandbox", "a local Focus API to try things on")
    sandbox.add_argument("--port", type=_port, default=0, help="0 = a free one (default)")
    sandbox.add_argument("--quota", type=_count, default=30, help="requests an hour (default: 30)")


def _common(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """Add the options that may stand before or after a command.

    A command has no defaults for them, which would replace what stands before it.
    """

    def default(value: object) -> object:
        return value if top else argparse.SUPPRESS

    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        default=default(None),
        help="else $SYNCD_CONFIG, $XDG_CONFIG_HOME/syncd/config.yaml, /etc/syncd/config.yaml",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", default=default(False), help="say more"
    )
    parser.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        default=default(False),
        help="only warnings and errors, on stderr",
    )
    parser.add_argument("--log-format", choices=("text", "json"), default=default("text"))


_Group = argparse.ArgumentParser | argparse._ArgumentGroup


def _folder(parser: _Group) -> None:
    parser.add_argument(
        "--folder",
        metavar="NAME|PATH",
        nargs="+",
        action="extend",
        default=argparse.SUPPRESS,
        help="only these folders",
    )


def _dry_run(parser: _Group, text: str) -> None:
    parser.add_argument("--dry-run", action="store_true", default=argparse.SUPPRESS, help=text)


def _json(parser: _Group) -> None:
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON document on stdout"
    )


def _port(text: str) -> int:
    number = _count(text)
    if number > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return number


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)
