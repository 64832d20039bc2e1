"""
What the read stores are worth: each question and each change beside PostgreSQL's.

    .venv/bin/python -m benchmarks.stores --orders 300000
    .venv/bin/python -m benchmarks.stores --orders 1000000 --only a,b,d

It brings its own PostgreSQL, Valkey, OpenSearch and FerretDB (see tests/stores), with
their data in memory, and a shop with so many orders. The letters are: a searches, b one
order, c filters of documents, d changes a second, e lag, f reads of the web, g writes
while others read. What is compared is measured in turns, each figure has the load of
the machine beside it.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.storing import asking, feeding, lag, serving
from benchmarks.storing.report import say
from benchmarks.storing.stand import FilledShop, Stand, stand_in

IN_MEMORY = "/dev/shm"
WITH_ALL_ORDERS = ("hot", "search", "postgres")


def main() -> None:
    options = parser().parse_args()
    only = set(options.only.split(","))
    in_memory = IN_MEMORY if Path(IN_MEMORY).is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="recount-stores-", dir=in_memory) as folder,
        stand_in(Path(folder)) as stand,
    ):
        shop = FilledShop(stand, options.orders)
        say("orders, customers", f"{shop.count:,}, {shop.customers:,}")
        measure(shop, only, options)
        if only & set("cde"):
            measure_few(stand, only, options)


def measure(shop: FilledShop, only: set[str], options: argparse.Namespace) -> None:
    """Measure what has all orders."""
    names = [one for one in WITH_ALL_ORDERS if one in options.stores.split(",")]
    if only & set("abdefg"):
        feeding.measure_filling(shop, names)
    if "a" in only and "search" in names:
        asking.measure_searches(shop, options.turns)
    if "b" in only:
        is_there = "postgres" in names
        asking.measure_single_rows(shop, options.turns, in_second=is_there)
    if "c" in only:
        asking.measure_documents(shop, options.turns, on_ferretdb=False)
    if "d" in only:
        feeding.measure_changes(shop, names, options.changes, options.turns)
    if "e" in only:
        for name in [*names, lag.REPLICA]:
            lag.measure_lag(shop, name, options.seconds, options.turns)
    if only & set("fg"):
        orders = serving.open_the_shop(shop)
        if "f" in only:
            serving.measure_reads(shop, orders, options.seconds, options.turns)
        if "g" in only:
            serving.measure_writes(shop, orders, options.seconds, options.turns)
    shop.desk.stop()


def measure_few(stand: Stand, only: set[str], options: argparse.Namespace) -> None:
    """Measure the documents: FerretDB reads all of them for each question."""
    if "documents" not in options.stores.split(","):
        return
    shop = FilledShop(stand, options.documents)
    say("orders with FerretDB", f"{shop.count:,}")
    feeding.measure_filling(shop, ["documents"])
    if "c" in only:
        asking.measure_documents(shop, options.turns, on_ferretdb=True)
    few = min(options.changes, 300)
    if "d" in only:
        feeding.measure_changes(shop, ["documents"], few, options.turns)
    if "e" in only:
        lag.measure_lag(shop, "documents", options.seconds, options.turns)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stores", description=__doc__)
    parser.add_argument("--orders", type=int, default=300_000)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--changes", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", default="a,b,c,d,e,f,g")
    parser.add_argument("--stores", default="hot,search,postgres,documents")
    return parser


if __name__ == "__main__":
    main()
