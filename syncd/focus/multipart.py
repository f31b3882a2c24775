"""The format of a multipart/form-data body: boundary, fields, part headers, content types."""

from __future__ import annotations

import functools
import mimetypes
import secrets
from collections.abc import Iterable
from unicodedata import category

_ENCODINGS = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": "application/x-brotli",
}


def new_boundary(texts: Iterable[str]) -> str:
    """A random boundary that none of the texts contains."""
    known = list(texts)
    while True:
        boundary = f"syncd-{secrets.token_hex(16)}"
        if not any(boundary in text for text in known):
            return boundary


def field(boundary: str, name: str, value: str) -> bytes:
    """A text field with its value unescaped. Raises UnicodeEncodeError for a lone surrogate."""
    disposition = f'Content-Disposition: form-data; name="{_escaped(name)}"'
    return f"--{boundary}\r\n{disposition}\r\n\r\n{value}\r\n".encode()


def file_headers(boundary: str, field: str, name: str) -> bytes:
    """The headers of a file part; the file's bytes and a line break follow.

    Raises UnicodeEncodeError for a lone surrogate in the name.
    """
    base = name.rpartition("/")[2] or "file"
    return (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{_escaped(field)}"; filename="{_escaped(base)}"\r\n'
        f"Content-Type: {content_type(base)}\r\n\r\n"
    ).encode()


def end(boundary: str) -> bytes:
    """The line after the last part."""
    return f"--{boundary}--\r\n".encode()


def _escaped(text: str) -> str:
    """A quoted header value: `"`, backslash and control characters are percent-escaped."""
    return "".join(_percent(c) if c in '"\\' or category(c) == "Cc" else c for c in text)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


@functools.cache
def _types() -> mimetypes.MimeTypes:
    return mimetypes.MimeTypes()


def content_type(name: str) -> str:
    """The type by the last suffix of the name: `a.tar.gz` is gzip."""
    kind, encoding = _types().guess_type(f"./{name}", strict=False)
    if encoding is not None:
        return _ENCODINGS.get(encoding, "application/octet-stream")
    return kind or "application/octet-stream"
