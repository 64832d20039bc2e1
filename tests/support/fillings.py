"""The note by which code the live rows were made."""

from eventstore.projections.fold_version import fold_version
from eventstore.projections.generations import live_generations
from eventstore.projections.tables import name_of
from tasks.shop.wiring import Shop


def note_fillings(shop: Shop) -> None:
    """Note that all live rows were made by the code of today."""
    with shop.lent() as connection, connection.transaction():
        found = connection.execute("SELECT to_regclass('public.fillings')").fetchone()
        if found != (None,):
            # They are noted where they are made.
            return
        connection.execute(
            "CREATE TABLE public.fillings (generation varchar, fold_version varchar)"
        )
        live = live_generations(connection)
        for projection in shop.projections:
            name = name_of(projection.name, live[projection.name].number)
            connection.execute(
                "INSERT INTO public.fillings VALUES (%s, %s)",
                (name, fold_version(projection)),
            )
