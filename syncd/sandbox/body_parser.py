"""Parse request bodies: multipart forms, whose files are hashed and not kept, and JSON."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from syncd.sandbox.messages import HttpError

# Keep the library's warnings about malformed forms, which get 400, off stderr.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())

FIELDS_LIMIT = 1 << 20
"""Bytes of all fields together, or of a JSON body."""


@dataclass(frozen=True)
class FormFile:
    """The facts about one uploaded file."""

    field: str
    filename: str
    mime_type: str
    size: int
    sha256: str


@dataclass
class Form:
    """The parts of a form, in the order of the body."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    files: list[FormFile] = field(default_factory=list)


class _Reader:
    """The parser's callbacks; they collect the form."""

    def __init__(self) -> None:
        self.form = Form()
        self.complete = False
        self._kept = 0
        self._name = self._value = b""
        self.begin()

    def begin(self) -> None:
        self._headers: dict[str, bytes] = {}
        self._options: dict[bytes, bytes] = {}
        self._text = b""
        self._size = 0
        self._hash = hashlib.sha256()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name = self._value = b""

    def headers_finished(self) -> None:
        disposition = self._headers.get("content-disposition", b"").decode("latin-1")
        self._options = parse_options_header(disposition)[1]

    def data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if b"filename" in self._options:
            self._hash.update(memoryview(data)[start:end])
            return
        self._kept += end - start
        if self._kept > FIELDS_LIMIT:
            raise HttpError(413, "too_large", "the form's fields are too large")
        self._text += data[start:end]

    def end(self) -> None:
        name = self._options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in self._options:
            self.form.fields.append((name, self._text.decode("utf-8", "replace")))
            return
        mime_type = self._headers.get("content-type", b"application/octet-stream")
        self.form.files.append(
            FormFile(
                field=name,
                filename=self._options[b"filename"].decode("utf-8", "replace"),
                mime_type=mime_type.decode("latin-1").strip(),
                size=self._size,
                sha256=self._hash.hexdigest(),
            )
        )

    def finish(self) -> None:
        self.complete = True


def read_form(content_type: str, chunks: Iterable[bytes]) -> Form:
    """The form in a body; raises HttpError 400 for anything but complete multipart/form-data."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise HttpError(400, "validation", "request Content-Type isn't multipart/form-data")
    reader = _Reader()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.begin,
                "on_part_data": reader.data,
                "on_part_end": reader.end,
                "on_header_field": reader.header_field,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_headers_finished": reader.headers_finished,
                "on_end": reader.finish,
            },
            max_header_size=1 << 16,
        )
        for chunk in chunks:
            parser.write(chunk)
    except FormParserError as error:
        raise HttpError(400, "validation", f"multipart: {error}") from error
    if not reader.complete:
        raise HttpError(400, "validation", "multipart: NextPart: EOF")
    return reader.form


def read_json(chunks: Iterable[bytes]) -> object:
    """The value in a JSON body; raises HttpError 400 or 413."""
    text = b""
    for chunk in chunks:
        text += chunk
        if len(text) > FIELDS_LIMIT:
            raise HttpError(413, "too_large", "the request is too large")
    try:
        return json.loads(text)
    except ValueError as error:
        raise HttpError(400, "validation", f"the body is not JSON: {error}") from error
