"""
Compress answers for clients that accept gzip.

An attacker who can put words into a page, and sees the length of the compressed page,
can guess its other content (BREACH). So the token of forms differs in each answer
(`webapp/form_tokens.py`), and the length of each page is padded at random.
"""

import gzip
import io
import secrets
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

MIN_BYTES = 1_000
"""Bytes below which compression does not pay."""
OF_PAGES, OF_FILES = 4, 9
"""The levels: a page is compressed each time, a file once."""
MAX_PADDING_BYTES = 100
"""Bytes of random padding of a page."""
TYPES = ("text/", "application/json", "application/problem+json", "image/svg+xml")
FOR_EVER = "public, max-age=31536000, immutable"


def compress_answers(app: Flask) -> None:
    """Have *app* compress its answers, and add a hash to the addresses of its files."""
    app.url_defaults(add_version)
    app.after_request(compress)


def compress(response: Response) -> Response:
    if not is_worth_it(response):
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings.quality("gzip"):
        return response
    if request.endpoint == "static":
        return as_compressed_file(response)
    blur = "x" * secrets.randbelow(MAX_PADDING_BYTES)
    response.set_data(gzip_body(response.get_data(), OF_PAGES, blur))
    response.headers["Content-Encoding"] = "gzip"
    return response


def is_worth_it(response: Response) -> bool:
    """Return whether an answer may be compressed and is large enough."""
    if "Content-Encoding" in response.headers:
        return False
    is_whole = response.status_code not in (204, 206, 304)
    is_text = (response.mimetype or "").startswith(TYPES)
    return is_whole and is_text and (response.content_length or 0) >= MIN_BYTES


def as_compressed_file(response: Response) -> Response:
    """Return one of our own files, compressed at the first request for it."""
    name = (request.view_args or {})["filename"]
    body = compressed_file(folder() / name)
    etag, _ = response.get_etag()
    response.direct_passthrough = False
    response.close()
    response.set_data(body)
    response.headers["Content-Encoding"] = "gzip"
    response.set_etag(f"{etag}-gzip")
    response.make_conditional(request)
    return response


@cache
def compressed_file(path: Path) -> bytes:
    return gzip_body(path.read_bytes(), OF_FILES)


def gzip_body(body: bytes, level: int, blur: str = "") -> bytes:
    """Return *body* compressed; *blur* is the file name in gzip's header, unused."""
    found = io.BytesIO()
    with gzip.GzipFile(blur, "wb", level, found, mtime=0) as file:
        file.write(body)
    return found.getvalue()


def add_version(endpoint: str, values: dict[str, Any]) -> None:
    """Add a file's version to its address, so that it can be cached for ever."""
    if endpoint == "static" and (name := values.get("filename")):
        version = version_of(folder() / name)
        if version:
            values.setdefault("v", version)


@cache
def version_of(path: Path) -> str:
    """Return a hash of a file's content, or "" if there is no file."""
    return sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""


def is_by_version() -> bool:
    """Return whether one of our files is requested by its present version."""
    if request.endpoint != "static":
        return False
    name = (request.view_args or {}).get("filename", "")
    version = request.args.get("v")
    return version is not None and version == version_of(folder() / name)


def folder() -> Path:
    return Path(current_app.static_folder or "")
