"""Reads the API key.

A `KeySource` holds where the key is, never the key itself. The key is read at start and again when
it may have changed, and goes into the Authorization header only.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import re
import shutil
import stat
from typing import Literal, NamedTuple

from syncd.errors import ConfigError, Fault
from syncd.hidden_paths import may_be_hidden
from syncd.text import redact_pasted

KeyKind = Literal["token_file", "token_env", "token_command"]

MAX_KEY_BYTES = 64 * 1024
COMMAND_SECONDS = 30.0

_TRACK_KEY = re.compile(r"[0-9A-Fa-f]{32}")
_GET_A_KEY = "make a Focus key (toggl_sk_…) at https://focus.toggl.com/settings"


def key_fault(key: str) -> tuple[str, str] | None:
    """Why what a key source or a person gives can never work as a key, and what to do."""
    if not key:
        return "holds no key: it is empty", _GET_A_KEY
    if _TRACK_KEY.fullmatch(key):
        message = "holds a key of the older product, Toggl Track: it never works with Focus"
        return message, _GET_A_KEY
    if not all(" " <= c <= "~" for c in key):
        message = "holds something else than one line of printable ASCII"
        return message, "it must hold the key and nothing else"
    return None


class KeySource(NamedTuple):
    """Where the key is, and the config file and line that say so."""

    kind: KeyKind
    location: tuple[str, ...]
    """(path of the file,), (name of the variable,), or the command and its arguments."""
    config: str = ""
    line: int | None = None

    def __str__(self) -> str:
        """Without the arguments of a command, which may hold a secret."""
        more = " …" if len(self.location) > 1 else ""
        return f"{self.kind} {redact_pasted(self.location[0])}{more}"

    def __repr__(self) -> str:
        return f"KeySource({self})"

    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with the source, as far as that shows without reading the key."""
        try:
            if self.kind == "token_file":
                self._check(os.stat(self.location[0]))
                if not os.access(self.location[0], os.R_OK):
                    raise self._wrong("cannot be read by this user", "give it to this user")
            elif self.kind == "token_env":
                self._from_environment()
            elif shutil.which(self._program()) is None:
                raise self._no_command()
        except OSError as error:
            return self._unreadable(error).faults
        except ConfigError as error:
            return error.faults
        return ()

    def read(self) -> str:
        """The present key. Raises ConfigError if there is none, or one that can never work."""
        if self.kind == "token_file":
            found = self._from_file()
        elif self.kind == "token_env":
            found = self._from_environment()
        else:
            found = self._from_command()
        key = found.strip()
        if fault := key_fault(key):
            raise self._wrong(*fault)
        return key

    def _from_file(self) -> str:
        try:
            descriptor = os.open(self.location[0], os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as stream:
                self._check(os.fstat(descriptor))  # checks the file that is open, not the path
                data = stream.read(MAX_KEY_BYTES + 1)
        except OSError as error:
            raise self._unreadable(error) from None
        if len(data) > MAX_KEY_BYTES:
            raise self._wrong("is larger than 64 KiB", "it must hold the key and nothing else")
        return data.removeprefix(codecs.BOM_UTF8).decode("ascii", "replace")

    def _from_environment(self) -> str:
        found = os.environ.get(self.location[0], "")
        if not found.strip():
            hint = "set it, for the service too, or use token_file"
            raise self._wrong(f"names the variable {self.location[0]}, which is not set", hint)
        return found

    def _from_command(self) -> str:
        """The first line of what the command prints; no message quotes it."""
        import subprocess  # few configs need it

        # Not a pipe, which a process that the command leaves behind may keep open; not on a disk.
        memory = os.memfd_create("key", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with open(memory, "r+b", buffering=0) as output:
            output.truncate(MAX_KEY_BYTES)
            fcntl.fcntl(output, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
            try:
                done = subprocess.run(
                    [self._program(), *self.location[1:]],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.DEVNULL,
                    cwd=self._directory(),
                    timeout=COMMAND_SECONDS,
                )
            except (OSError, ValueError):
                raise self._no_command() from None
            except subprocess.TimeoutExpired:
                message = f"{self._name()} did not end within {COMMAND_SECONDS:.0f} s"
                raise self._wrong(message, "does it wait for a passphrase?") from None
            printed = os.pread(memory, output.tell(), 0)
        if (code := done.returncode) != 0:
            how = f"ended with exit code {code}" if code > 0 else f"was killed by signal {-code}"
            raise self._wrong(f"{self._name()} {how}", "run it by hand to see why")
        return printed.decode("ascii", "replace").strip().partition("\n")[0]

    def _directory(self) -> str:
        return os.path.dirname(self.config) or "."

    def _program(self) -> str:
        """The program of the command; `./x` is relative to the config's directory."""
        word = self.location[0]
        return os.path.join(os.path.abspath(self._directory()), word) if "/" in word else word

    def _name(self) -> str:
        return f"the command {self.location[0]}"

    def _no_command(self) -> ConfigError:
        hint = "install it, or write its full path; no shell is involved"
        return self._wrong(f"{self._name()} was not found or may not be run", hint)

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise self._wrong(f"{self.location[0]} is not a regular file", "name a file")
        if found.st_mode & (stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH):
            mode = stat.S_IMODE(found.st_mode)
            message = f"may be read by others, or written by its group or others (mode {mode:04o})"
            hint = f"chmod 600 {self.location[0]}; its group may read it: 640"
            raise self._wrong(f"{self.location[0]} {message}", hint)

    def _unreadable(self, error: OSError) -> ConfigError:
        if isinstance(error, FileNotFoundError):
            hint = "put your Focus key in it, one line, chmod 600; or correct the path"
            if may_be_hidden(self.location[0]):
                hint = "if it is there for others, hand it over with LoadCredential= in the unit"
            return self._wrong(f"{self.location[0]} does not exist", hint)
        message = f"{self.location[0]} cannot be read: {error.strerror}"
        return self._wrong(message, "correct the path")

    def _wrong(self, message: str, hint: str) -> ConfigError:
        message, hint = redact_pasted(message), redact_pasted(hint)
        return ConfigError(Fault(message, self.config, self.line, f"api.{self.kind}", hint))
