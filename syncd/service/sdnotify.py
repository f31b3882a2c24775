"""Send the state of the service to systemd (sd_notify, without the library).

Nothing here raises: a message that cannot be delivered is no reason to stop syncing.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from collections.abc import MutableMapping

_STATUS_LENGTH = 200
# C0, DEL, C1 and the separators that some readers take for a line break.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Notifier:
    """The service manager's socket and watchdog, as the environment names them.

    The variables are removed from `environ` at once, so that no child process (a token_command)
    inherits them and sends messages in our name.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._address = _address(environ.pop("NOTIFY_SOCKET", ""))
        timeout = environ.pop("WATCHDOG_USEC", "")
        self._watchdog = _interval(timeout, environ.pop("WATCHDOG_PID", ""))

    @property
    def of_systemd(self) -> bool:
        """Whether a service manager listens."""
        return bool(self._address)

    @property
    def watchdog_interval(self) -> float | None:
        """Seconds between two calls of `watchdog`: half of what systemd allows; None = no need."""
        return self._watchdog if self._address else None

    def ready(self) -> None:
        """The service works; also ends `reloading`."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        line = _CONTROL.sub(" ", text).strip()
        if len(line) > _STATUS_LENGTH:
            line = line[: _STATUS_LENGTH - 1] + "…"
        self._send(f"STATUS={line}")

    def reloading(self) -> None:
        """The service reads its config again, until `ready`."""
        # systemd compares this with CLOCK_MONOTONIC (sd_notify(3), since 253).
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """The service ends."""
        self._send("STOPPING=1")

    def watchdog(self) -> None:
        """The service is alive. Call it only where the call would stop if the work hung."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A socket for each message, as systemd may restart itself in between. It does not block:
        # if systemd's queue is full, the next message replaces this one.
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        data = message.encode("utf-8", "replace")
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as sender:
            sender.sendto(data, self._address)


def _address(name: str) -> bytes:
    """`/path`, or `@name` in the abstract namespace; others (vsock:) are not supported."""
    raw = os.fsencode(name)
    if len(raw) < 2 or "\0" in name:
        return b""
    if raw.startswith(b"@"):
        return b"\0" + raw[1:]
    return raw if raw.startswith(b"/") else b""


def _interval(microseconds: str, pid: str) -> float | None:
    """None without a watchdog, and if WATCHDOG_PID names another process."""
    if not re.fullmatch("[0-9]{1,18}", microseconds) or int(microseconds) == 0:
        return None
    if pid and pid != str(os.getpid()):
        return None
    return int(microseconds) / 2_000_000
