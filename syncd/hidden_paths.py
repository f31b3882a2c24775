"""Tells whether the unit of a system service may hide a path that is there for other users."""

from __future__ import annotations

import os

_HIDDEN_BY_UNIT = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108
"""Directories that syncd@.service hides (ProtectHome=, PrivateTmp=)."""


def may_be_hidden(path: str) -> bool:
    """Whether a missing path may only be hidden: systemd gives each system service
    STATE_DIRECTORY, and the service cannot see what its unit hides."""
    return bool(os.environ.get("STATE_DIRECTORY")) and os.path.abspath(path).startswith(
        _HIDDEN_BY_UNIT
    )
