"""
CSV as an answer: all of it is written to a temporary file, and then sent.

So the database's connection is given back before the client reads, and who reads slowly
holds none; the server sends the file without a thread. Memory holds a part of it alone.
"""

import csv
import gzip
import io
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from flask import Flask, Response, current_app, request
from werkzeug.wsgi import wrap_file

from webapp.compressing import MAX_PADDING_BYTES, OF_PAGES
from webapp.problems import Problem

BYTES_IN_MEMORY = 1024 * 1024
"""Larger files are on disk while they are sent."""
FILES_AT_ONCE = 4
"""How many a process makes at once: each keeps a thread and a connection meanwhile."""


def keep(app: Flask) -> None:
    """Have *app* make few files at once."""
    app.extensions["files"] = threading.BoundedSemaphore(FILES_AT_ONCE)


@contextmanager
def one_of_few() -> Iterator[None]:
    """Count a file that is made. Raises the Problem that there are too many."""
    places: threading.BoundedSemaphore = current_app.extensions["files"]
    if not places.acquire(blocking=False):
        raise Problem("too-many-files")
    try:
        yield
    finally:
        places.release()


def spool(lines: Iterable[Sequence[str]], *, has_bom: bool) -> Response:
    """Return the answer with *lines*, all of which are read before it returns."""
    is_compressed = bool(request.accept_encodings.quality("gzip"))
    with ExitStack() as opened:
        spooled = opened.enter_context(SpooledTemporaryFile(BYTES_IN_MEMORY))
        file = cast(IO[bytes], spooled)
        write_lines(file, lines, has_bom=has_bom, is_compressed=is_compressed)
        size = file.tell()
        file.seek(0)
        if size > BYTES_IN_MEMORY and request.method == "GET":
            # Whoever sends it closes it.
            opened.pop_all()
            body: Any = wrap_file(request.environ, file)
        else:
            body = file.read(BYTES_IN_MEMORY)
    response = Response(
        body, content_type="text/csv; charset=utf-8", direct_passthrough=True
    )
    response.content_length = size
    response.vary.add("Accept-Encoding")
    if is_compressed:
        response.headers["Content-Encoding"] = "gzip"
    return response


def write_lines(
    file: IO[bytes],
    lines: Iterable[Sequence[str]],
    *,
    has_bom: bool,
    is_compressed: bool,
) -> None:
    """Write *lines* as UTF-8; the mark at its beginning tells old programs so."""
    target: Any = file
    if is_compressed:
        # A name of random length, as in `compressing`.
        blur = "x" * secrets.randbelow(MAX_PADDING_BYTES)
        target = gzip.GzipFile(blur, "wb", OF_PAGES, file, mtime=0)
    encoding = "utf-8-sig" if has_bom else "utf-8"
    text = io.TextIOWrapper(target, encoding, newline="")
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    text.flush()
    if is_compressed:
        text.close()
    else:
        # It would close the file.
        text.detach()
