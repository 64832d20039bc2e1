"""
From accepted to finished at a hundred commands a second, all processes at work.

*Finished* is the database's own time in the journal, before the commit, which takes a
millisecond more. *Visible* counts from the 202 until the list of orders shows it, asked
by the load of `benchmarks/load.py`, which is a mix of all kinds of commands.
"""

import argparse
from collections.abc import Sequence

from benchmarks.commanding.desk import Desk, desk
from benchmarks.commanding.servers import Servers
from benchmarks.commanding.whole_way import CHILDREN
from benchmarks.loading.figures import in_milliseconds, percentile
from benchmarks.loading.load import Load
from benchmarks.peers.table import Ratio

TARGETS = ((50, 50.0), (99, 250.0))


def run(servers: Servers, options: argparse.Namespace) -> list[Ratio]:
    with desk(servers, projections=True) as own:
        own.start_all(CHILDREN)
        load = Load(
            address=own.address,
            authorization=own.authorization,
            database_url=own.environment["DATABASE_URL"],
            rate=options.rate,
            seconds=options.rounds * options.seconds,
            tell=lambda _: None,
        )
        load.run()
        if load.errors:
            raise RuntimeError(load.errors[0])
        finished = seconds_to_finish(own, [a.command_id for a in load.answers])
    seen = load.visibility.seconds
    accepted = [answer.seconds for answer in load.answers]
    print(f"  due to accepted       {in_milliseconds(accepted)}")
    print(f"  accepted to finished  {in_milliseconds(finished)}")
    print(f"  accepted to visible   {in_milliseconds(seen)}")
    found = []
    for what, some in (("finished", finished), ("visible in a list", seen)):
        for percent, most in TARGETS:
            label = f"{options.rate:g} a second: accepted to {what}, p{percent} in ms"
            found.append(Ratio(label, [1000 * percentile(some, percent)], most=most))
    return found


def seconds_to_finish(own: Desk, ids: Sequence[str]) -> list[float]:
    """Return how long each took from accepted to finished, by the journal."""
    with own.connect() as connection:
        rows = connection.execute(
            "SELECT extract(epoch FROM finished_at - accepted_at)::float"
            " FROM public.commands WHERE id = ANY (%s::uuid[])",
            (list(ids),),
        ).fetchall()
    return [seconds for (seconds,) in rows]
