"""The task of beat that drops what rebuilds have left unfinished, every hour."""

from eventstore.rebuilding.leftovers import drop_leftovers
from tasks.app import app
from tasks.shop.logging import logger_of
from tasks.shop.wiring import Shop, shop

log = logger_of(__name__)


@app.task(name="drop_leftovers")
def drop() -> None:
    """Drop fillings that nobody goes on with, where they must not stay."""
    run(shop())


def run(shop: Shop) -> int:
    """Drop them; return how many there were."""
    with shop.lent() as connection:
        dropped = drop_leftovers(connection, shop.deciders.forgets)
    for filling in dropped:
        log.info(
            "dropped an unfinished filling",
            read_model=filling.read_model,
            generation=filling.generation,
        )
    return len(dropped)
