"""Opening a command: its data as they were sent, for who sent them."""

from dataclasses import replace
from typing import Any

import msgspec
import psycopg

from eventstore.errors import MasterKeyMissing
from eventstore.journal.entries import Entry
from eventstore.personal.box import FORGOTTEN, PERSONAL, open_box
from eventstore.personal.keys import MasterKeys, WrappedKey


def opened(
    connection: psycopg.Connection[Any], entry: Entry, masters: MasterKeys | None
) -> Entry | None:
    """
    Return *entry* with its personal fields, or None where they were forgotten.

    It asks for the key that came with the command, which opens nothing else.
    """
    if PERSONAL not in entry.data:
        return entry
    if masters is None:
        raise MasterKeyMissing
    row = connection.execute(
        "SELECT id, master, wrapped FROM public.command_key(%s)", (entry.id,)
    ).fetchone()
    if row is None or row[2] is None:
        return None
    key = masters.unwrap(WrappedKey(id=row[0], master=row[1], wrapped=row[2]))
    text = open_box(
        msgspec.json.encode(entry.data).decode(),
        entry.id,
        lambda key_id: key if key_id == key.id else None,
    )
    data = msgspec.json.decode(text)
    return None if FORGOTTEN in data else replace(entry, data=data)
