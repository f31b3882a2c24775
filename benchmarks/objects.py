"""As much of S3 as rclone needs to copy to: put, head, list, delete, and uploads in parts."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from email.utils import formatdate
from time import gmtime, strftime, time
from urllib.parse import unquote
from xml.sax.saxutils import escape

from benchmarks.messages import Reply, Request, reply

PAGE = 1000
_XML = b"Content-Type: application/xml\r\n"


@dataclass
class Stored:
    size: int
    changed: float
    modified: bytes
    """rclone's own header: the file's mtime."""


class Objects:
    def __init__(self) -> None:
        self._stored: dict[str, Stored] = {}
        """By `/bucket/key`."""
        self._sorted: list[str] | None = []
        self._uploads: dict[str, Stored] = {}
        """Uploads in parts that are not finished, by their id."""

    def answer(self, request: Request) -> Reply:
        path = unquote(request.path)
        match request.method:
            case "HEAD":
                return self._head(path)
            case "GET":
                return self._list(path.strip("/"), request.query)
            case "PUT":
                return self._put(path, request)
            case "POST":
                return self._parts(path, request)
        self._stored.pop(path, None)
        self._sorted = None
        return reply(204)

    def _head(self, path: str) -> Reply:
        found = self._stored.get(path)
        if found is None:
            return reply(404)
        date = formatdate(found.changed, usegmt=True).encode()
        headers = b'ETag: "none"\r\nLast-Modified: %s\r\nx-amz-meta-mtime: %s\r\n'
        return reply(200, b"", headers % (date, found.modified), length=found.size)

    def _put(self, path: str, request: Request) -> Reply:
        part_of = request.query.get("uploadId")
        if part_of:
            self._uploads[part_of].size += request.length
        elif path.count("/") > 1:
            self._store(path, Stored(request.length, time(), request.header("x-amz-meta-mtime")))
        return reply(200, b"", b'ETag: "none"\r\n')

    def _parts(self, path: str, request: Request) -> Reply:
        if "uploads" in request.query:
            number = str(len(self._uploads) + 1)
            self._uploads[number] = Stored(0, time(), request.header("x-amz-meta-mtime"))
            return _xml("InitiateMultipartUploadResult", f"<UploadId>{number}</UploadId>")
        self._store(path, self._uploads[request.query["uploadId"]])
        return _xml("CompleteMultipartUploadResult", '<ETag>"none"</ETag>')

    def _store(self, path: str, stored: Stored) -> None:
        if path not in self._stored:
            self._sorted = None
        self._stored[path] = stored

    def _list(self, bucket: str, query: dict[str, str]) -> Reply:
        """One page of the keys that begin so, in their order; without grouping by `/`."""
        if self._sorted is None:
            self._sorted = sorted(self._stored)
        prefix = f"/{bucket}/{query.get('prefix', '')}"
        after = query.get("marker") or query.get("continuation-token")
        start = bisect_right(self._sorted, f"/{bucket}/{unquote(after)}" if after else prefix)
        page = self._sorted[start : start + PAGE + 1]
        page = [path for path in page if path.startswith(prefix)]
        cut = len(bucket) + 2
        entries = [self._entry(path, path[cut:]) for path in page[:PAGE]]
        more = len(page) > PAGE
        last = escape(page[PAGE - 1][cut:]) if more else ""
        follows = f"<NextMarker>{last}</NextMarker>" if more else ""
        follows += f"<NextContinuationToken>{last}</NextContinuationToken>" if more else ""
        more_text = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        return _xml("ListBucketResult", more_text + follows + "".join(entries))

    def _entry(self, path: str, key: str) -> str:
        found = self._stored[path]
        date = strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(found.changed))
        return (
            f"<Contents><Key>{escape(key)}</Key><LastModified>{date}</LastModified>"
            f'<ETag>"none"</ETag><Size>{found.size}</Size>'
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )


def _xml(kind: str, content: str) -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?><{kind}>{content}</{kind}>'
    return reply(200, text.encode(), _XML)
