"""`recount log lag`: how far each reader of the log is, and whom they wait for."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import click
import msgspec

from cli import holders
from cli.status import lines_of_standings
from eventstore.log.fence import Holder, find_holders
from eventstore.log.read import last_drawn, settled
from eventstore.projections.generations import LiveGeneration, live_generations
from eventstore.subscriptions.lag import SubscriptionLag
from tasks.shop.rebuild import find_unfit
from tasks.shop.standings import find_all_standings
from tasks.shop.wiring import shop


class Lag(NamedTuple):
    """The settled position, the lag of the log's readers, and what they wait for."""

    last_drawn: int
    settled: int
    subscriptions: list[SubscriptionLag]
    holders: list[Holder]


@click.command(
    short_help="Show how far readers are, and which transactions hold them back."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def lag(as_json: bool) -> None:
    """
    Show how far each reader of the log is, and which transactions hold them back.

    Of a reader that is behind, the seconds are the age of the oldest settled event that
    it has not read. Readers go up to what is settled. A transaction that has begun to
    append holds it back to its floor until it ends.
    """
    found = find_lag()
    if as_json:
        click.echo(msgspec.json.encode(found._asdict()))
    else:
        with shop().lent() as connection:
            live = live_generations(connection)
        outdated = [projection.name for projection in find_unfit(shop())]
        for line in lines_of(found, live, outdated):
            click.echo(line)


def find_lag() -> Lag:
    with shop().lent() as connection:
        return Lag(
            settled=settled(connection),
            last_drawn=last_drawn(connection),
            subscriptions=find_all_standings(connection, shop().projections),
            holders=find_holders(connection),
        )


def lines_of(
    found: Lag, live: Mapping[str, LiveGeneration], outdated: Collection[str]
) -> list[str]:
    lines = [f"settled at {found.settled:,}, the last drawn is {found.last_drawn:,}"]
    lines += lines_of_standings(found.subscriptions, live, outdated)
    if not found.holders:
        return [*lines, "readers wait for nobody"]
    lines.append("readers wait for:")
    for holder in found.holders:
        lines.append(f"  {holders.describe_holder(holder)}")
        if holders.is_long(holder):
            lines.append(f"    LONG: {holders.remedy_for(holder)}")
    return lines
