"""Limits of requests and responses; docs/api.md says which of them the API documents."""

from __future__ import annotations

BULK_FILES = 10
"""Files in one bulk create; documented."""
REQUEST_LINE = 6 * 1024
"""Bytes of a request line; our choice: common servers refuse more than 8 KiB."""
LARGEST_NUMBER = 2**31 - 1
"""The largest display order that syncd sends."""

RESPONSE = 16 << 20
"""Bytes of a decompressed response body, where the caller sets no other limit."""
_ATTACHMENT = 2 << 10
"""Bytes that a list has for one attachment: its name may take 1 KiB, and the list may also show
its previous version."""
_LIST = 512 << 20
"""Bytes of a list without `max_files`: enough for more than a million attachments."""


def list_limit(max_files: int) -> int:
    """Bytes of a list: room for `max_files` of our files (0 = no limit) and many of others."""
    return RESPONSE + max_files * _ATTACHMENT if max_files else _LIST
