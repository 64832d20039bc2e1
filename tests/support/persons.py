"""A customer whose words are looked for, and what an operator does against them."""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg

from domain.address import Address
from domain.customers.commands import RegisterCustomer
from domain.orders.commands import AddNote, ChangeAddress
from tests.support.desk import place
from tests.support.waiting import wait_until


class Person:
    """A customer of whom no word is anybody else's."""

    def __init__(self) -> None:
        mark = "".join(chr(ord("a") + int(digit, 16)) for digit in uuid4().hex[:12])
        number = str(uuid4().int)[:9]
        self.name = f"Wanda q{mark}"
        self.email = f"w{mark}@example.com"
        self.phone = f"+44 7{number}"
        self.street = f"12 z{mark} Road"
        self.words = [f"q{mark}", f"w{mark}", f"7{number}", f"z{mark}"]
        self.id = "WANDA"

    @property
    def address(self) -> Address:
        return Address(street=self.street, city="London", country="UK")

    @property
    def commands(self) -> list[Any]:
        """Commands that register the person, who orders and of whom there is a note."""
        ordered = replace(place, customer_id=self.id, address=self.address)
        registered = RegisterCustomer(
            customer_id=self.id,
            name=self.name,
            email=self.email,
            phone=self.phone,
            address=self.address,
        )
        about: dict[str, Any] = {"order_id": 1, "customer_id": self.id}
        moved = replace(self.address, city="Bath")
        return [
            registered,
            *(ordered, ordered, ordered),
            ChangeAddress(**about, address=moved),
            AddNote(**about, text=f"{self.name} of {self.street} called: {self.phone}"),
        ]


def clean_postgres(url: str, *others: str, table: str = "") -> None:
    """
    Write a table again, and drop the write-ahead log of its server.

    *url* is that of a login that may do all. *others* are servers that follow it.
    Without a *table* all tables of the database are written again.
    """
    with psycopg.connect(url, autocommit=True) as session:
        if others:
            # A replica says once in ten seconds which old rows it may still show.
            row = session.execute("SELECT pg_current_xact_id()::text::bigint")
            [now] = row.fetchone() or (0,)
            wait_until(lambda: is_let_go(session, now), "the replica needs no old row")
        session.execute(f"VACUUM FULL {table}")
    drop_log(url, *others)


def is_let_go(session: psycopg.Connection[Any], transaction: int) -> bool:
    """Return whether no replication slot keeps rows from before a transaction."""
    row = session.execute(
        "SELECT count(*) FROM pg_replication_slots WHERE xmin::text::bigint < %s",
        (transaction,),
    ).fetchone()
    return row == (0,)


def drop_log(url: str, *others: str) -> None:
    """Remove the files of the write-ahead log that are not needed any more."""
    with ExitStack() as opened:
        sessions = [
            opened.enter_context(psycopg.connect(one, autocommit=True))
            for one in (url, *others)
        ]
        for session in sessions:
            # Else they are kept under the names of those to come.
            session.execute("ALTER SYSTEM SET wal_recycle = off")
            session.execute("SELECT pg_reload_conf()")
        try:
            for session in sessions:
                wait_until(partial(has_read, session), "the setting is read")
            # The second one removes what was needed up to the first.
            for _ in range(2):
                sessions[0].execute("SELECT pg_switch_wal()")
                sessions[0].execute("CHECKPOINT")
                for session in sessions[1:]:
                    wait_until(partial(has_replayed, session, sessions[0]), "replay")
                    session.execute("CHECKPOINT")
        finally:
            for session in sessions:
                session.execute("ALTER SYSTEM RESET wal_recycle")
                session.execute("SELECT pg_reload_conf()")


def has_read(session: psycopg.Connection[Any]) -> bool:
    return session.execute("SHOW wal_recycle").fetchone() == ("off",)


def has_replayed(
    standby: psycopg.Connection[Any], primary: psycopg.Connection[Any]
) -> bool:
    row = primary.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
    there = standby.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", row)
    return there.fetchone() == (True,)
