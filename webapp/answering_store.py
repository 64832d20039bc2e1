"""
The store that answers a query: its name and position, in the headers of the answer.

Each query notes it here, from whatever store: `Recount-Store` has the name of the
store, `Recount-Position` the position up to which its rows have read the log. If a
store fails while it is asked, the whole request is repeated without it.
"""

from typing import NamedTuple

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue

from webapp.outages import DATABASE_ERRORS, may_succeed_elsewhere

SAFE = ("GET", "HEAD")
NOTES = (
    *("behind", "passed_over", "left_out", "standstills", "laggards", "cut_off"),
    *("marks", "old", "undecided", "store", "asking", "passed_by"),
)
"""What queries note in `g` for the page; a repeated request begins without."""


class StoreNote(NamedTuple):
    """
    The store of an answer's rows, and the lowest position that they have read.

    The position is None for what is no read model, such as a command.
    """

    name: str
    position: int | None


class AskingElsewhere(Flask):
    """An application that repeats a query whose store failed, without that store."""

    def dispatch_request(self) -> ResponseReturnValue:
        while True:
            try:
                return super().dispatch_request()
            except DATABASE_ERRORS as error:
                if "asking" not in g or not may_succeed_elsewhere(error):
                    raise
                avoid(g.asking)


def note_away(store: str) -> None:
    """Ask *store* no more for this request."""
    g.setdefault("avoided", set()).add(store)


def avoid(store: str) -> None:
    """Ask *store* no more for this request, and forget what was noted so far."""
    note_away(store)
    for name in NOTES:
        g.pop(name, None)


def is_avoided(store: str) -> bool:
    """Return whether *store* has failed this request."""
    return store in g.get("avoided", ())


def note_asking(store: str) -> None:
    """Note which store is asked now; of a request that changes nothing."""
    if request.method in SAFE:
        g.asking = store


def note_store(name: str, position: int | None) -> None:
    """Note which store answers; of several queries the first names it."""
    known = g.setdefault("store", StoreNote(name, position))
    positions = [at for at in (known.position, position) if at is not None]
    g.store = known._replace(position=min(positions, default=None))


def tell_stores(app: Flask) -> None:
    """Have each answer of *app* to a query say which store gave it."""
    app.after_request(add_headers)


def add_headers(response: Response) -> Response:
    known: StoreNote | None = g.get("store")
    if known is not None:
        response.headers["Recount-Store"] = known.name
        if known.position is not None:
            response.headers["Recount-Position"] = str(known.position)
    return response
