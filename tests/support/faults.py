"""Faults that tests inject: which requests they affect and what happens to these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from syncd.sandbox.messages import Request

Drop = Literal["", "reset", "hang", "cut"]
"""How the connection ends instead of a response: RST, silence, or half of the response."""
FaultKind = Literal[
    "status_before",  # not carried out, respond with `status`
    "status_after",  # carried out, respond with `status`
    "reset_before",  # not carried out, RST
    "reset_after",  # carried out, RST instead of a response
    "hang",  # not carried out, no response
    "hang_after",  # carried out, no response
    "cut",  # carried out, the response ends half-way
    "late_commit",  # respond with `status` (or `drop`), carried out `seconds` later
    "delay",  # carried out, the response comes `seconds` later
    "slow_read",  # wait `seconds` between two chunks of the body
    "429",  # not carried out, respond with 429 and retry_after
    "garbage",  # not carried out, respond with 200 and HTML
    "redirect",  # not carried out, respond with 302
]
BEFORE = frozenset({"status_before", "reset_before", "hang", "429", "garbage", "redirect"})
"""Faults of requests that are not carried out."""
AFTER = frozenset({"status_after", "reset_after", "hang_after"})
"""Faults that replace the response, also that of a refused request."""


@dataclass
class Fault:
    """One fault for the requests that match all the given filters."""

    kind: FaultKind
    method: str | None = None
    suffix: str | None = None
    """The end of the path: `/attachments`, `/bulk`, `/view`, `/17`."""
    match: Callable[[str, str], bool] | None = None
    """A filter of (method, path)."""
    at_request: int | None = None
    """The number in the log, from 1."""
    times: int | None = 1
    """How many requests it affects; None = all."""
    skip: int = 0
    """How many matching requests pass first."""
    status: int = 500
    seconds: float = 0.0
    """hang: at most so long (0 = until the client leaves) · late_commit, delay, slow_read."""
    retry_after: str | None = None
    """Header of 429 and status_*: seconds or an HTTP date."""
    after_bytes: int | None = None
    """reset_before, hang: begin after so many bytes of the body; None = after all of it."""
    drop: Drop = ""
    """late_commit: end the connection like this instead of responding with `status`."""

    def applies(self, request: Request, number: int) -> bool:
        """Whether this request is affected; counts down `skip` and `times`."""
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
