"""
The token of forms, which looks different each time it is shown.

It is the same for all of a session. Where a page is compressed, whoever can put words
into the page and see its length could guess such a token (BREACH). So each answer has
it combined with random bytes of its own, as Django and Rails do.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from flask import Flask, g, request
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf


class FormTokens(CSRFProtect):
    """The check of every form that is sent, by the token that it was shown with."""

    def init_app(self, app: Flask) -> None:
        super().init_app(app)
        # It has put its own in both: macros know the first, templates the second.
        app.jinja_env.globals["csrf_token"] = token_to_show
        app.context_processor(lambda: {"csrf_token": token_to_show})

    def _get_csrf_token(self) -> str | None:
        return token_sent()


def token_to_show() -> str:
    """Return the token, in the form that this answer shows it in."""
    if "shown_token" not in g:
        token = generate_csrf().encode()
        mask = secrets.token_bytes(len(token))
        g.shown_token = urlsafe_b64encode(mask + xor(token, mask)).decode()
    shown: str = g.shown_token
    return shown


def token_sent() -> str | None:
    """Return the token that the form was sent with, or None."""
    try:
        shown = urlsafe_b64decode(request.form.get("csrf_token", ""))
    except (Error, ValueError):
        return None
    mask, masked = shown[: len(shown) // 2], shown[len(shown) // 2 :]
    return xor(mask, masked).decode(errors="replace") or None


def xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))
