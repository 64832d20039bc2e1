"""
How fast events are appended, beside a bare INSERT, COPY, and pyeventsourcing.

    ./recount bench append

All on one server of its own, which nothing else uses, with commits that are on the disk
before they are answered. Each contender appends one event of the same content in each
transaction, on connections of its own, to streams of its own. Rounds take turns, and
each ratio is of what was measured in the same round. Exit status 0 is: it ran.
"""

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.peers import bulk, contenders, server, writers
from benchmarks.peers.bulk import BulkRates
from benchmarks.peers.contenders import Insert, Pyeventsourcing, Recount
from benchmarks.peers.table import Ratio, in_pairs, print_ratios, turns
from benchmarks.peers.writers import Rate, Run, Writers

FULL = 0.95
"""Of the time of all cores: from here on more writers cannot append more."""
SHOWN = "events a second, median of the rounds; busy: share of all cores, all processes"


class Setting(NamedTuple):
    """A contender, the size of the log, and how many write."""

    contender: str
    events: int
    writers: int


Rates = Mapping[Setting, list[Rate]]


def main() -> int:
    options = parser().parse_args()
    if options.quick:
        options.sizes, options.writers = [100, 1_000], [1, 2]
        options.rounds, options.seconds = 1, 0.1
    print(f"{os.cpu_count()} cores; {options.rounds} rounds of {options.seconds:g} s")
    with (
        tempfile.TemporaryDirectory(prefix="recount-bench-") as folder,
        server.server(Path(folder)) as cluster,
        writers.started(max(options.writers)) as crowd,
    ):
        urls = server.make_databases(cluster, options.sizes)
        rates = measure(crowd, urls, options)
        report(rates)
        in_bulk = {
            (size, events): bulk.measure(urls[size], events, options.rounds)
            for size in urls
            for events in (1_000, 10_000)[: 1 if options.quick else None]
        }
        report_bulk(in_bulk)
    print_ratios([*ratios(rates), *ratios_in_bulk(in_bulk)])
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recount bench append",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--seconds", type=float, default=0.4, help="of each run")
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[10_000, 1_000_000],
        help="events in the log before",
    )
    parser.add_argument("--quick", action="store_true", help="only whether it runs")
    return parser


def measure(
    crowd: Writers, urls: Mapping[int, str], options: argparse.Namespace
) -> Rates:
    """Let every contender append in every setting, once a round."""
    rates: dict[Setting, list[Rate]] = defaultdict(list)
    for number in range(options.rounds):
        for count in options.writers:
            settings = [
                Setting(kind.name, events, count)
                for events in urls
                for kind in contenders.ALL
            ]
            for place in turns(len(settings), number):
                setting = settings[place]
                run = Run(setting.contender, urls[setting.events], options.seconds)
                rates[setting].append(crowd.measure(run, count))
    return rates


def report(rates: Rates) -> None:
    print(f"\n{SHOWN}")
    for setting in sorted(rates, key=lambda s: (s.events, s.writers)):
        some = rates[setting]
        print(
            f"  {setting.events:9,} in the log  {setting.writers} writing "
            f" {setting.contender:25} {median(r.events for r in some):7,.0f}"
            f"  busy {median(r.busy for r in some):4.0%}"
        )


def report_bulk(rates: Mapping[tuple[int, int], BulkRates]) -> None:
    for (size, events), both in rates.items():
        for name, values in zip(("append_bulk", "COPY"), both, strict=True):
            print(
                f"  {size:9,} in the log  {events:,} a call  {name:20}"
                f" {median(values):7,.0f}"
            )


def ratios(rates: Rates) -> list[Ratio]:
    """Return how the engine does, against each of the others and its younger self."""
    of_ours = [setting for setting in rates if setting.contender == Recount.name]
    found = []
    for setting in of_ours:
        others = [kind for kind in contenders.ALL if kind is not Recount]
        found += [ratio_to(rates, setting, kind) for kind in others]
        # One row for each commit is no faster.
        insert = setting._replace(contender=Insert.name)
        found.append(ratio_to(rates, insert, Pyeventsourcing))
    return found + ratios_of_growth(rates)


def ratio_to(rates: Rates, setting: Setting, kind: type[contenders.Contender]) -> Ratio:
    ours, theirs = rates[setting], rates[setting._replace(contender=kind.name)]
    is_ours = setting.contender == Recount.name
    busy = median(rate.busy for rate in ours)
    is_full = setting.writers > 1 and busy >= FULL
    return Ratio(
        f"{setting.events:,}, {setting.writers} writing:"
        f" {setting.contender} / {kind.name}",
        in_pairs([rate.events for rate in ours], [rate.events for rate in theirs]),
        least_of(kind, setting.writers) if is_ours else None,
        excuse=f"the cores are full: {busy:.0%}" if is_full else "",
    )


def least_of(kind: type[contenders.Contender], count: int) -> float | None:
    targets = {(Insert, 1): 0.7, (Pyeventsourcing, 1): 3.0, (Pyeventsourcing, 8): 8.0}
    return targets.get((kind, count))


def ratios_of_growth(rates: Rates) -> list[Ratio]:
    small, *larger = sorted({setting.events for setting in rates})
    found = []
    for setting in rates:
        if setting.events in larger:
            before = rates[setting._replace(events=small)]
            pairs = in_pairs(
                *([r.events for r in some] for some in (rates[setting], before))
            )
            least = 0.9 if setting.contender == Recount.name else None
            label = f"{setting.writers} writing, {setting.contender}"
            found.append(
                Ratio(f"{label}: at {setting.events:,} / at {small:,}", pairs, least)
            )
    return found


def ratios_in_bulk(rates: Mapping[tuple[int, int], BulkRates]) -> list[Ratio]:
    return [
        Ratio(
            f"{size:,}, {events:,} a call: append_bulk / COPY",
            in_pairs(both.append, both.copy),
            0.5,
        )
        for (size, events), both in rates.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
