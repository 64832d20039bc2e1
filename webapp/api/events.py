"""
Events of the log for other services, page by page or as a stream.

A page that is not the last never changes. If its address has the event before it and
the present shapes, as `next` has, it can be cached for ever. Personal fields must not
be cached: forgetting a subject must include copies.
"""

import hashlib
import re
import time
from typing import Any, cast

import msgspec
import psycopg
from flask import Blueprint, Flask, Response, current_app, request, url_for
from flask.typing import ResponseReturnValue

from eventstore.errors import BadCursor, CheckpointNotInLog
from eventstore.personal.keyring import Keyring
from eventstore.subscriptions.external_store import ForeignCheckpoint
from tasks.shop.event_feed import (
    START,
    EventFilter,
    RecordedPage,
    find_end,
    find_goal,
    format_cursor,
    parse_cursor,
    read_page,
)
from tasks.shop.permissions import PERSONAL
from tasks.shop.published_events import PublishedEvent, publish_events, shapes_of
from webapp.authorization import caller, token_of_caller
from webapp.current_shop import the_shop
from webapp.feed.follower import Follower
from webapp.feed.subscribers import (
    EventWaiter,
    StreamSubscriber,
    WaitingSubscriber,
)
from webapp.problems import Problem
from webapp.query_parameters import number, one_of, only, refuse, text
from webapp.serving.hand_over import HAND_OVER, HandOver

A_PAGE = 100
MAX_EVENTS = 1_000
MAX_PAGE_BYTES = 2 * 1024 * 1024
"""Bytes of data in a page at most, unless its first event alone has more."""
MAX_SECONDS_TO_WAIT = 30
"""Seconds that a request waits for an event at most: less than proxies' timeouts."""
END = "end"
"""The cursor at *settled*."""
OF_EVENTS = ("after", "types", "category")
WAIT = re.compile(r'\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;.*)?', re.IGNORECASE)
FOR_EVER = "private, max-age=31536000, immutable"
UNLESS_CHANGED = "private, no-cache"

routes = Blueprint("events", __name__, url_prefix="/api/events")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events; *cursor* is the parameter *after* of the next."""

    events: list[PublishedEvent]
    cursor: str
    next: str
    is_last: bool


def keep(app: Flask) -> None:
    """Give *app* the memory that its processes share; call it before the fork."""
    app.extensions["follower"] = Follower()


@routes.get("")
def page() -> ResponseReturnValue:
    only(*OF_EVENTS, "limit", "shapes")
    wanted, sees_personal = events_asked(), PERSONAL in caller().permissions
    limit = number("limit", highest=MAX_EVENTS) or A_PAGE
    with the_shop().lent() as connection:
        cursor = cursor_asked(connection, request.args.get("after"))
        found = page_behind(connection, cursor, wanted, limit)
        keyring = keyring_for(connection, sees_personal)
        published = publish_events(found.events, the_shop().deciders, keyring)
        events = [event for event in published if wanted.fits(event)]
    seconds = seconds_to_wait()
    hand_over = the_hand_over()
    # A later request for the end has a later cursor.
    may_wait = bool(seconds) and request.args.get("after") != END
    if found.is_last and not events and may_wait:
        waiting = EventWaiter(
            cursor=found.cursor,
            wanted=wanted,
            sees_personal=sees_personal,
            token=token_of_caller(),
            until=time.monotonic() + seconds,
        )
        if waits_with(waiting):
            return Response(status=204)
    response = Response(as_json(found, events, limit), mimetype="application/json")
    if hand_over is not None and hand_over.has_waited:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    response.vary.add("Authorization")
    if not (found.is_last or sees_personal):
        let_keep(response, cursor, events)
    return response


@routes.get("/stream")
def stream() -> ResponseReturnValue:
    only(*OF_EVENTS)
    wanted = events_asked()
    after = request.headers.get("Last-Event-ID") or request.args.get("after")
    hand_over = the_hand_over()
    if hand_over is None:
        raise Problem("no-streams")
    with the_shop().lent() as connection:
        cursor = cursor_asked(connection, after)
        refuse_other_log(connection, cursor)
    response = Response(iter(()), mimetype="text/event-stream")
    # nginx would buffer some kilobytes of events.
    response.headers["X-Accel-Buffering"] = "no"
    if request.method != "HEAD":
        subscriber = StreamSubscriber(
            cursor=cursor,
            wanted=wanted,
            sees_personal=PERSONAL in caller().permissions,
            token=token_of_caller(),
        )
        if not follower().admit(the_shop(), subscriber):
            raise Problem("too-many-streams")
        hand_over.stream(subscriber.attach)
    return response


def events_asked() -> EventFilter:
    """Return the filter in the request's parameters."""
    deciders = the_shop().deciders
    known = sorted(
        {kind.__name__ for decider in deciders.all for kind in decider.events.classes}
    )
    named = text("types")
    types = None if named is None else frozenset(named.split(","))
    if types is not None and not types <= set(known):
        refuse(f"types must be some of {', '.join(known)}, with commas between them")
    return EventFilter(types, one_of("category", sorted(deciders.by_category)))


def cursor_asked(
    connection: psycopg.Connection[object], after: str | None
) -> ForeignCheckpoint:
    """Return the cursor in *after*; without one, the one before the first event."""
    if not after:
        return START
    if after == END:
        return find_end(connection)
    try:
        return parse_cursor(after)
    except BadCursor:
        refuse("after must be a cursor of this log, a position, or end")


def page_behind(
    connection: psycopg.Connection[object],
    cursor: ForeignCheckpoint,
    wanted: EventFilter,
    limit: int,
) -> RecordedPage:
    """Return a page. Raises the Problem that the cursor belongs to another log."""
    try:
        return read_page(
            connection,
            cursor,
            wanted,
            the_shop().deciders,
            limit=limit,
            max_bytes=MAX_PAGE_BYTES,
        )
    except CheckpointNotInLog as error:
        raise other_log(cursor) from error


def refuse_other_log(
    connection: psycopg.Connection[object], cursor: ForeignCheckpoint
) -> None:
    """Raise the Problem that the cursor belongs to another log, if so."""
    try:
        find_goal(connection, cursor)
    except CheckpointNotInLog as error:
        raise other_log(cursor) from error


def other_log(cursor: ForeignCheckpoint) -> Problem:
    if cursor.event_id is None:
        return Problem(
            "other-log",
            f"The log has not come to position {cursor.position}. If you have read that"
            " far, it was restored from a backup: begin again, or ask an operator.",
        )
    return Problem(
        "other-log",
        f"At position {cursor.position} there is not the event {cursor.event_id}. The"
        " log was restored from a backup, or copied: begin again, or ask an operator.",
    )


def keyring_for(
    connection: psycopg.Connection[object], sees_personal: bool
) -> Keyring | None:
    masters = the_shop().deciders.masters
    return Keyring(connection, masters) if sees_personal else None


def as_json(found: RecordedPage, events: list[PublishedEvent], limit: int) -> bytes:
    cursor = format_cursor(found.cursor)
    asked = {name: value for name in OF_EVENTS if (value := request.args.get(name))}
    following: dict[str, Any] = {
        **asked,
        "after": cursor,
        "limit": limit,
        "shapes": shapes_of_today(),
    }
    answer = Answer(
        events=events,
        cursor=cursor,
        next=url_for("events.page", **following),
        is_last=found.is_last,
    )
    return msgspec.json.encode(answer)


def let_keep(
    response: Response, cursor: ForeignCheckpoint, events: list[PublishedEvent]
) -> None:
    """Set the headers for caching a page, or for asking whether it has changed."""
    digest = hashlib.sha256(response.get_data()).hexdigest()[:32]
    is_named = cursor.event_id is not None
    is_of_today = request.args.get("shapes") == shapes_of_today()
    # A later version of the code may be able to read it.
    is_readable = not any(event.unreadable for event in events)
    is_for_ever = is_named and is_of_today and is_readable
    response.headers["Cache-Control"] = FOR_EVER if is_for_ever else UNLESS_CHANGED
    # Weak: the answer may be compressed.
    response.set_etag(digest, weak=True)
    response.make_conditional(request)


def shapes_of_today() -> str:
    """Return the hash of the published shapes, computed once a process."""
    known: str | None = current_app.extensions.get("shapes")
    if known is None:
        known = current_app.extensions["shapes"] = shapes_of(the_shop().deciders)
    return known


def seconds_to_wait() -> int:
    """Return the seconds to wait in the header Prefer; 0 if none or invalid."""
    for preference in request.headers.get("Prefer", "").split(","):
        # Only the first of several counts (RFC 7240).
        if found := WAIT.fullmatch(preference):
            return min(int(found[1]), MAX_SECONDS_TO_WAIT)
    return 0


def waits_with(waiting: WaitingSubscriber) -> bool:
    """Have *waiting* answer this request later; False: it is to be answered now."""
    hand_over = the_hand_over()
    if hand_over is None or hand_over.has_waited:
        return False
    if not follower().admit(the_shop(), waiting):
        return False
    hand_over.wait(waiting.attach)
    return True


def the_hand_over() -> HandOver | None:
    """Return the hand-over of our server, or None under another server."""
    return cast(HandOver | None, request.environ.get(HAND_OVER))


def follower() -> Follower:
    return cast(Follower, current_app.extensions["follower"])
