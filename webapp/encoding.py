"""Refuse text that is not UTF-8: it would be stored as other text."""

from urllib.parse import unquote_to_bytes

from flask import request

from webapp.json_body import read_body
from webapp.problems import Problem

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
UTF_8 = ("", "utf-8", "utf8", "us-ascii", "ascii")
"""The accepted names of encodings: ASCII is UTF-8 as well."""


def refuse_other_encodings() -> None:
    """
    Raise the Problem that an address, or a form, is not in UTF-8.

    Werkzeug does not refuse it: `M%FCller` stays undecoded, and bytes become U+FFFD.
    This reads the form, so the limits of its size must be set before.
    """
    check_pairs(request.query_string, "parameter")
    if request.path.startswith("/api/") or request.mimetype not in FORMS:
        return
    declared = request.mimetype_params.get("charset", "").lower()
    if declared not in UTF_8:
        refuse(f"The form says that it is in {declared[:40]!a}")
    body = read_body(request, cache=True)
    if request.mimetype == FORMS[0]:
        check_pairs(body, "field")
    elif not is_utf_8(body):
        refuse("The form is not in UTF-8")


def check_pairs(written: bytes, kind: str) -> None:
    """Refuse other encodings in a query, or in a form of the same notation."""
    if is_utf_8(unquote_to_bytes(written)):
        return
    for pair in written.split(b"&"):
        if not is_utf_8(unquote_to_bytes(pair)):
            name = unquote_to_bytes(pair.partition(b"=")[0]).decode(errors="replace")
            refuse(f"The {kind} {name[:60]!a} is not in UTF-8")


def is_utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def refuse(detail: str) -> None:
    raise Problem("bad-request", f"{detail}. Send it in UTF-8.")
