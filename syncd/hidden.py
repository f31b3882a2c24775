"""What a system service does not see of the machine unless its unit shows it."""

from __future__ import annotations

import os

_HIDDEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108
"""As syncd@.service has it."""


def may_be_hidden(path: str) -> bool:
    """Whether a path that is not there may be there for others: a system service, which is given
    STATE_DIRECTORY, cannot tell what its unit hides."""
    return bool(os.environ.get("STATE_DIRECTORY")) and os.path.abspath(path).startswith(_HIDDEN)
