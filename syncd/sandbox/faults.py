"""Faults on request: which call they hit and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from syncd.sandbox.wire import Drop, Refusal, Request, Response

FaultKind = Literal[
    "status_before",  # answer `status`, nothing done
    "status_after",  # done, answer `status`
    "reset_before",  # RST, nothing done
    "reset_after",  # done, then RST instead of an answer
    "hang",  # nothing done, no answer
    "hang_after",  # done, no answer
    "cut",  # done, the answer breaks off half-way
    "late_commit",  # answer `status` (or `drop`) now, done `seconds` later
    "delay",  # done, answered `seconds` later
    "slow_read",  # `seconds` between two chunks of the body
    "429",  # answer 429 with retry_after, nothing done
    "garbage",  # 200 text/html, nothing done
    "redirect",  # 302 to `location`, nothing done
]
BEFORE = frozenset({"status_before", "reset_before", "hang", "429", "garbage", "redirect"})
AFTER = frozenset({"status_after", "reset_after", "hang_after"})
"""Those that hide even a refusal."""

PORTAL = b"<!DOCTYPE html><html><body>Please log in to this network.</body></html>"


@dataclass
class Fault:
    """One kind of trouble for the calls that match all the filters given."""

    kind: FaultKind
    method: str | None = None
    suffix: str | None = None
    """The end of the path: `/attachments`, `/bulk`, `/view`, `/17`."""
    match: Callable[[str, str], bool] | None = None
    """(method, path)"""
    at_request: int | None = None
    """The number in the log, from 1."""
    times: int | None = 1
    """How many calls it hits; None = all."""
    skip: int = 0
    """Matching calls let through first."""
    status: int = 500
    seconds: float = 0.0
    """hang: at most so long (0 = until the client leaves) · late_commit, delay, slow_read."""
    retry_after: str | None = None
    """Header of 429 and of status_*: seconds or an HTTP date."""
    after_bytes: int | None = None
    """reset_before, hang: go dead once so much of the body was read; None = all of it."""
    location: str = "http://127.0.0.1:9/elsewhere"
    drop: Drop = ""
    """late_commit: how the connection ends instead of `status`."""

    def hits(self, request: Request, number: int) -> bool:
        """Whether this call is to suffer; counts down `skip` and `times`."""
        if not (
            (self.times is None or self.times > 0)
            and self.method in (None, request.method)
            and (self.suffix is None or request.path.endswith(self.suffix))
            and (self.at_request is None or self.at_request == number)
            and (self.match is None or self.match(request.method, request.path))
        ):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def spoil(self, done: Response | None) -> Response:
        """The answer the client gets; `done` is the honest one, None if nothing was done."""
        match self.kind:
            case "reset_before" | "reset_after":
                return Response(0, drop="reset")
            case "hang" | "hang_after":
                return Response(0, drop="hang", seconds=self.seconds)
            case "late_commit" if self.drop:
                return Response(0, drop=self.drop)
            case "garbage":
                return Response(200, {"Content-Type": "text/html; charset=utf-8"}, PORTAL)
            case "redirect":
                return Response(302, {"Location": self.location})
            case "cut" if done is not None:
                done.drop = "cut"
                return done
            case "delay" if done is not None:
                done.seconds = self.seconds
                return done
            case "slow_read" if done is not None:
                return done
        raise Refusal(429 if self.kind == "429" else self.status, "fault", "made to fail")
