"""
`recount faults`: does a 202 hold, whatever breaks?

It runs an order desk of its own, sends it commands of all kinds, breaks what it needs
one after the other, and then holds the tables against what the client was answered.
"""

import argparse
import math
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.answers import read_answers
from tests.faults.desk import open_desk
from tests.faults.kinds import KINDS, Kind
from tests.faults.plan import plan
from tests.faults.report import (
    of_accepting,
    of_faults,
    of_verdict,
    quantiles,
    read_effects,
)
from tests.faults.resources import table
from tests.faults.run import Options, Run

INTERRUPTED = 130
MIN_DISK_MEGABYTES = 128
"""Megabytes that an empty database and its log take, and some to work with."""
WAYS = """
The same seed makes the same schedule. A run with --faults none is a soak: its last
table says what each process held at the beginning and at the end. Exit status 1: a
promise was broken, and logs and answers are kept. --list names the faults.
"""


def above_zero(text: str) -> float:
    amount = from_zero(text)
    if not amount:
        raise argparse.ArgumentTypeError("must be above zero")
    return amount


def from_zero(text: str) -> float:
    amount = float(text)
    if not 0 <= amount < math.inf:
        raise argparse.ArgumentTypeError("must not be below zero, nor without an end")
    return amount


def count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def megabytes(text: str) -> int:
    number = int(text)
    if number < MIN_DISK_MEGABYTES:
        raise argparse.ArgumentTypeError(f"must be {MIN_DISK_MEGABYTES} or more")
    return number


AMOUNTS = (
    ("minutes", above_zero, 1.0, "of load for each seed"),
    ("rate", above_zero, 100.0, "commands a second that are sent one by one"),
    (
        "batch-rate",
        from_zero,
        0.0,
        "commands a second that are sent in batches besides",
    ),
    ("every", above_zero, 3.0, "seconds from fault to fault, on the average"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    kinds = chosen(options.faults)
    if options.list:
        show_kinds()
        return 0
    seeds = range(options.seed, options.seed + options.seeds)
    seconds = options.minutes * 60
    if options.plan:
        for seed in seeds:
            tell(f"seed {seed}")
            for planned in plan(seed, seconds, options.every, kinds):
                tell(str(planned))
        return 0
    asked = Options(
        seeds=seeds,
        seconds=seconds,
        rate=options.rate,
        batch_rate=options.batch_rate,
        every=options.every,
        kinds=kinds,
    )
    folder = Path(tempfile.mkdtemp(prefix="recount-faults-"))
    is_sound = False
    for number in (signal.SIGTERM, signal.SIGHUP):
        # As for Ctrl-C: all that was started is ended, and nothing stays mounted.
        signal.signal(number, signal.default_int_handler)
    try:
        is_sound = run(folder, asked, options.disk)
    except KeyboardInterrupt:
        tell("interrupted: nothing was checked")
        return INTERRUPTED
    finally:
        if is_sound and not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            tell(f"logs and the client's answers are kept in {folder}")
    return int(not is_sound)


def run(folder: Path, asked: Options, disk: int | None) -> bool:
    """Run it and tell of it; return whether all promises were kept."""
    with open_desk(folder, seed=asked.seeds[0], disk_megabytes=disk) as desk:
        current = Run(desk, asked, tell)
        verdict, before, after = current.go()
        effects = read_effects(desk.engine())
        lines = [
            *of_accepting(read_answers(current.path)),
            *of_verdict(verdict),
            f"accepted to final: {quantiles([effect.seconds for effect in effects])}",
            "",
            *of_faults(current.struck, current.missed, effects),
            "",
            "held at the beginning and at the end",
            *table(before, after),
        ]
    for line in lines:
        tell(line)
    tell("every promise was kept" if verdict.is_sound else "PROMISES WERE BROKEN")
    return verdict.is_sound


def chosen(names: str) -> Mapping[str, Kind]:
    """Return the faults that were asked for. Exits with a list where one is unknown."""
    if names == "all":
        return KINDS
    asked = [] if names == "none" else [name.strip() for name in names.split(",")]
    if unknown := [name for name in asked if name not in KINDS]:
        sys.exit(f"recount: no fault is called {unknown[0]}; --list names them")
    return {name: KINDS[name] for name in asked}


def show_kinds() -> None:
    for name, kind in sorted(KINDS.items()):
        lasting = (
            "{:g} to {:g} s".format(*kind.lasting) if kind.lasting[1] else "a blow"
        )
        tell(f"{name:28} {kind.victim:12} {lasting}")


def tell(line: str) -> None:
    print(line, flush=True)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recount faults",
        description=(__doc__ or "").strip(),
        epilog=WAYS.strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--seed", type=int, default=7, metavar="N", help="the first seed (7)")
    add("--seeds", type=count, default=1, metavar="N", help="so many in turn (1)")
    for name, kind, default, told in AMOUNTS:
        told = f"{told} ({default:g})"
        add(f"--{name}", type=kind, default=default, metavar="N", help=told)
    disk = "data on a file system of so many MB, in memory, to be filled (needs root)"
    add("--disk", type=megabytes, metavar="N", help=disk)
    add("--faults", default="all", metavar="A,B", help="some of them, all, or none")
    add("--list", action="store_true", help="name the faults")
    add("--plan", action="store_true", help="show the schedule of the seeds, no more")
    add("--keep", action="store_true", help="keep logs and answers in any case")
    return parser


if __name__ == "__main__":
    sys.exit(main())
