"""Parse the body of a request to one JSON value, strictly."""

import json
import re
from typing import Any, NoReturn

from flask import Request

from webapp.problems import Problem

DEEPEST = 16

# A string, also one that is cut off, or a bracket. No text matches in two ways, so no
# input makes the search slow.
STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]+|\\.)*(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)


def json_of(request: Request) -> Any:
    """
    Return the JSON value in the body of *request*.

    Raises Problem if it is invalid; also for what Python's parser accepts: duplicate
    names, NaN, and nesting that ends in a RecursionError.
    """
    body = body_of(request)
    if not request.is_json:
        raise Problem("unsupported-media-type")
    return parse(body)


def body_of(request: Request) -> bytes:
    """Return the body of *request*. Raises Problem if it is empty."""
    body = read_body(request, cache=False)
    if not body:
        refuse("The body is empty.")
    return body


def read_body(request: Request, *, cache: bool) -> bytes:
    """Return the body of *request*. Raises the error of a 413 beyond its limit."""
    body = request.get_data(cache=cache)
    if request.content_length is None:
        # A chunked body is cut off at the limit, and only the next read raises.
        request.stream.read(1)
    return body


def parse(body: bytes, deepest: int = DEEPEST) -> Any:
    text = decode(body)
    check_depth(text, deepest)
    try:
        return json.loads(
            text, object_pairs_hook=unique_names, parse_constant=refuse_constant
        )
    except json.JSONDecodeError as error:
        refuse(f"Line {error.lineno}, column {error.colno}: {error.msg}.")
    except ValueError:
        # Python refuses to convert more than 4,300 digits.
        refuse("A number has too many digits.")


def refuse(detail: str) -> NoReturn:
    raise Problem("malformed-json", detail)


def decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        refuse(f"Byte {error.start + 1} is not UTF-8.")


def check_depth(text: str, deepest: int) -> None:
    depth = 0
    for match in STRING_OR_BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
        elif match[0] in "]}":
            depth -= 1
        if depth > deepest:
            refuse(f"It is nested deeper than {deepest}.")


def unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            refuse(f"The name {name[:60]!a} is given twice in one object.")
        found[name] = value
    return found


def refuse_constant(name: str) -> NoReturn:
    refuse(f"{name} is not JSON.")
