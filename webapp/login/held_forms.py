"""
A form that was sent without a session: kept until its sender has logged in.

What was typed goes to the browser and comes back, encrypted: the web keeps none of it.
It can be opened for the user who was logged in when it was typed, in that browser, and
not after the time for which a session may lie idle.
"""

import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from flask import Response, request, session
from flask_wtf.csrf import validate_csrf
from werkzeug.datastructures import MultiDict

from eventstore.access.sessions import IDLE
from tasks.shop.local_access import derive_secret
from webapp import body_limits, encoding, repeated
from webapp.current_shop import the_settings
from webapp.form_tokens import token_sent
from webapp.forms.definitions import FORMS
from webapp.forms.form import Form
from webapp.forms.form_state import show, state_of

USER, BROWSER = "user", "browser"
"""In the session of Flask, a signed cookie: who was last logged in; and an id."""
NOT_TYPED = "csrf_token"
AGAIN = (
    "You were signed out before it was sent, so nothing was sent. What you typed is "
    "still here: look it over and send it again."
)


PAGES: dict[str, Callable[[MultiDict[str, str], str, int], Response | None]] = {}
"""
What shows a form again that is a page of its own, by where it is sent to.

It takes the fields that were typed, a message, and the status of the answer.
"""


class HeldForm(NamedTuple):
    """A form: the endpoint that it was sent to, what it is about, and its fields."""

    endpoint: str
    about: Mapping[str, Any]
    fields: Sequence[tuple[str, str]]


def hold() -> str:
    """
    Return the form in the request as text for the login, empty without one to keep.

    Raises the Problem that it is too large, or in another encoding, as any form does.
    """
    user, browser = session.get(USER), session.get(BROWSER)
    can_be_shown = form_at(request.endpoint) or request.endpoint in PAGES
    if not (user and browser and can_be_shown):
        return ""
    body_limits.let_long_forms_in()
    encoding.refuse_other_encodings()
    repeated.refuse_fields()
    if not has_token():
        # It is of no page of ours, or not of this browser.
        return ""
    held = HeldForm(
        str(request.endpoint),
        request.view_args or {},
        [
            (name, text)
            for name, text in request.form.items(multi=True)
            if name != NOT_TYPED
        ],
    )
    packed = zlib.compress(msgspec.json.encode(held))
    return box_of(user, browser).encrypt(packed).decode()


def open_held(text: str, user: str) -> HeldForm | None:
    """Return the form that *user* has typed in this browser, or None."""
    browser = session.get(BROWSER)
    if not text or browser is None:
        return None
    seconds = int(IDLE.total_seconds())
    try:
        packed = box_of(user, browser).decrypt(text.encode(), ttl=seconds)
    except InvalidToken:
        return None
    return msgspec.json.decode(zlib.decompress(packed), type=HeldForm)


def show_again(held: HeldForm) -> Response | None:
    """Return the form's page as it was typed; None if this version has none."""
    fields = MultiDict(held.fields)
    if held.endpoint in PAGES:
        return PAGES[held.endpoint](fields, AGAIN, 200)
    form = form_at(held.endpoint)
    if form is None:
        return None
    return show(replace(state_of(form, fields, held.about), message=AGAIN))


def form_at(endpoint: str | None) -> Form | None:
    return next((form for form in FORMS.values() if form.endpoint == endpoint), None)


def has_token() -> bool:
    """Return whether the form has the token of the page that it was on."""
    try:
        validate_csrf(token_sent())
    except ValueError:
        return False
    return True


def box_of(user: str, browser: str) -> Fernet:
    """Return what opens the forms of *user* in a *browser*, and no others."""
    key = derive_secret(
        the_settings().secret_key, f"recount: typed by {user} in {browser}"
    )
    return Fernet(urlsafe_b64encode(bytes.fromhex(key)))
