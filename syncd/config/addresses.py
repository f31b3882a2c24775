"""Takes the ids out of an address that a person copied from the browser (docs/api.md)."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from syncd.config.settings import ApiSettings
from syncd.errors import UsageError
from syncd.hosts import is_loopback
from syncd.model import MAX_ID
from syncd.text import redact_pasted, shortened

EXAMPLE = "https://focus.toggl.com/123/workspaces/456/…"
_HOST = "focus.toggl.com"
_IN_PATH = re.compile(r"/(?:organizations/)?([0-9]+)/workspaces/([0-9]+)(?![^/?#&])")
_ORGANIZATION = re.compile(r"[?&#]organization_id=([0-9]+)")
_WORKSPACE = re.compile(r"[?&#]workspace_id=([0-9]+)")
_TASK = re.compile(r"(?:[/#]tasks/|[?&#]task(?:_id)?=)([0-9]+)(?![^/?#&])")


class Address(NamedTuple):
    """What an address tells; None = it does not."""

    url: str
    """The API of the server that it leads to."""
    organization_id: int | None = None
    workspace_id: int | None = None
    task_id: int | None = None


def parse_address(text: str) -> Address:
    """Raises UsageError for an address that is not Focus's, nor of this machine."""
    text = text.strip().strip("<>\"'")
    shown = f'"{redact_pasted(shortened(text))}"'
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, port, userinfo = parts.hostname or "", parts.port, parts.username
    except ValueError:
        raise UsageError(f"{shown} is no address; it looks like {EXAMPLE}") from None
    if host == _HOST and port is None and parts.scheme in ("https", "http") and userinfo is None:
        url = ApiSettings().url
    elif is_loopback(host) and parts.scheme in ("https", "http") and userinfo is None:
        url = f"{parts.scheme}://{parts.netloc}/api"
    else:
        raise UsageError(f"{shown} is no address of Focus, which looks like {EXAMPLE}")
    rest = unquote(text.partition("://")[2])
    rest = rest[rest.find("/") :] if "/" in rest else ""
    path = _IN_PATH.search(rest)
    organization, workspace = (
        path.groups() if path else (_first(_ORGANIZATION, rest), _first(_WORKSPACE, rest))
    )
    return Address(url, _id(organization), _id(workspace), _id(_first(_TASK, rest)))


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _id(digits: str | None) -> int | None:
    number = int(digits) if digits and len(digits) < 20 else 0
    return number if 0 < number <= MAX_ID else None
