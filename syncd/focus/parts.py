"""The pieces of a multipart/form-data body: headers, values, boundaries, content types."""

from __future__ import annotations

import functools
import mimetypes
import secrets
import unicodedata
from collections.abc import Iterable

_ENCODINGS = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": "application/x-brotli",
}


def boundary(pairs: Iterable[tuple[str, str]]) -> str:
    """A random boundary that occurs in none of the texts."""
    texts = [text for pair in pairs for text in pair]
    while True:
        drawn = f"syncd-{secrets.token_hex(16)}"
        if not any(drawn in text for text in texts):
            return drawn


def field(boundary: str, name: str, value: str) -> bytes:
    """A text field: the value goes as it is, line breaks included.

    Raises UnicodeEncodeError for a lone surrogate.
    """
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{escaped(name)}"\r\n\r\n{value}\r\n'
    ).encode()


def file_head(boundary: str, field: str, name: str) -> bytes:
    """The headers of a file part; the file's bytes and a line break follow.

    Raises UnicodeEncodeError for a lone surrogate.
    """
    base = name.rpartition("/")[2] or "file"
    return (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{escaped(field)}"; filename="{escaped(base)}"\r\n'
        f"Content-Type: {content_type(base)}\r\n\r\n"
    ).encode()


def end(boundary: str) -> bytes:
    return f"--{boundary}--\r\n".encode()


def escaped(name: str) -> str:
    """A quoted header value: `"`, backslash and control characters percent-escaped."""
    return "".join(_escape(char) if _is_unsafe(char) else char for char in name)


def _is_unsafe(char: str) -> bool:
    return char in '"\\' or unicodedata.category(char) == "Cc"


def _escape(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


@functools.cache
def _types() -> mimetypes.MimeTypes:
    return mimetypes.MimeTypes()


def content_type(name: str) -> str:
    """By the file's name alone; compressed files are what their last suffix says."""
    kind, encoding = _types().guess_type(f"./{name}", strict=False)
    if encoding is not None:
        return _ENCODINGS.get(encoding, "application/octet-stream")
    return kind or "application/octet-stream"
