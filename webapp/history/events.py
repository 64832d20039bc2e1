"""The events of a stream, decrypted and upcast, as its history needs them."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from domain.address import Address
from eventstore.connection import driver_connection
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_stream
from eventstore.personal.keyring import Keyring
from webapp.current_shop import the_notation, the_shop
from webapp.forms.labels import label
from webapp.history.filtering import FieldChange
from webapp.journal_source import ask_journal
from webapp.why.wording import NOTHING, Words, is_forgotten


class ReadEvent(NamedTuple):
    """An event as it was recorded, and what it says."""

    recorded: RecordedEvent
    event: Any


def read_events(
    stream_id: str,
    version: int,
    *,
    types: Collection[str] | None = None,
    limit: int | None = None,
) -> list[ReadEvent]:
    """
    Return the events of a stream up to *version*, at most the last *limit*.

    Only those of *types* are returned, None: all. Raises EventStoreError for one that
    cannot be read, and the database's error if it is away.
    """
    deciders = the_shop().deciders

    def read(connection: sa.Connection) -> list[ReadEvent]:
        driver = driver_connection(connection)
        found = read_stream(
            driver, stream_id, up_to=version, backwards=True, limit=limit
        )
        wanted = [one for one in reversed(found) if types is None or one.type in types]
        keyring = Keyring(driver, deciders.masters)
        codec = deciders.of_stream(stream_id).events
        return [
            ReadEvent(one, event)
            for one in keyring.decrypt_events(wanted)
            for event in codec.read(one)
        ]

    return ask_journal(read, notes=False)


def in_words(
    names: Iterable[str], before: object, after: object
) -> Iterator[FieldChange]:
    """Yield in words how the fields *names*, which differ, were before and after."""
    words = Words(currency=the_shop().settings.currency, notation=the_notation())
    for name in names:
        old, new = (said(words, name, getattr(one, name)) for one in (before, after))
        yield FieldChange(label(name), old, new)


def said(words: Words, name: str, value: str | Address | None) -> str:
    if is_forgotten(value):
        return "forgotten"
    return NOTHING if value is None else words.word(name, value)
