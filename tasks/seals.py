"""Tasks of beat: seal the log, and export the newest seal to a folder."""

import logging
from datetime import UTC, datetime
from pathlib import Path

from eventstore.errors import EventStoreError
from eventstore.seals.export import write_export
from eventstore.seals.seals import seal_log
from eventstore.subscriptions.catch_up import CaughtUp
from tasks.app import SOFT_TIME_LIMIT, app
from tasks.shop.seals_export import lines_of_newest, refuse_contradiction
from tasks.shop.wiring import Shop, shop

log = logging.getLogger(__name__)


@app.task(name="seal")
def seal() -> None:
    """Seal the log up to *settled*."""
    run(shop())


@app.task(name="export_seals")
def export_seals() -> None:
    """Write the newest seal into the folder of the settings, a file a day."""
    folder = shop().settings.seals_export_dir
    if folder is not None:
        export_daily(shop(), folder)


def run(shop: Shop) -> CaughtUp:
    """
    Seal the log up to *settled*; concurrent runs are harmless.

    It ends after half of a task's time; the next tick does the rest.
    """
    with shop.lent() as connection:
        reached = seal_log(connection, seconds=SOFT_TIME_LIMIT / 2)
    if reached.error is not None:
        log.error("not sealed: %s", reached.error)
    if reached.handled:
        log.info("sealed events=%d up_to=%d", reached.handled, reached.checkpoint)
    return reached


def export_daily(shop: Shop, folder: Path) -> Path | None:
    """
    Write today's file and return its path, unless the seals contradict an earlier file.

    In that case an error is logged and no file is changed.
    """
    path = folder / f"seals-{datetime.now(UTC):%Y-%m-%d}.jsonl"
    with shop.lent() as connection:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = lines_of_newest(connection)
            for kept in sorted(folder.glob("*.jsonl")):
                refuse_contradiction(connection, kept)
            write_export(path, lines)
        except (EventStoreError, OSError) as error:
            log.error("seals not exported: %s", error)
            return None
    return path
