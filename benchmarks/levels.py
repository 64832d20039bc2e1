"""
What one question costs at the three levels of docs/levels.md, whose program this runs.

`python -m benchmarks.levels WRITE_URL STORE_URL` wants two empty databases, of which
the second is the read store of level 2, and prints the table of that page.
"""

import argparse
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "levels.md"
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BIG, SMALL = "big", "small"
LINES_OF_AN_ORDER = 10
IDLE_SECONDS = 0.005
"""Seconds between two looks of a reader that has nothing to read."""


def program() -> ModuleType:
    """Return the page's program as a module."""
    module = ModuleType("levels")
    # Dataclasses look up their module by its name.
    sys.modules[module.__name__] = module
    exec("\n\n".join(PYTHON.findall(PAGE.read_text("utf-8"))), vars(module))
    return module


def lines_of_code() -> dict[str, int]:
    """Return how many lines each level has, but for empty ones, by `level 1` …"""
    _, *parts = SECTION.split(PAGE.read_text("utf-8"))
    counted = {}
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        if title.startswith("Level "):
            code = "\n".join(PYTHON.findall(text))
            counted[title.partition(":")[0].lower()] = sum(
                bool(line.strip()) for line in code.splitlines()
            )
    return counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured of a level, in milliseconds; of each the median, or the p99."""

    write: float
    small: float
    big: float
    visible: float
    visible_p99: float


def measure(
    module: ModuleType, shop: Any, other: Any, *, orders: int, times: int
) -> Figures:
    """
    Place *orders* and ask, *times* over.

    A tenth of the orders is the small customer's. Staleness is from the end of a write
    until a question shows it, while a thread brings the rows up to date by *other*, the
    same shop over connections of its own.
    """
    lines = [
        module.Line(product=f"product {n}", quantity=n, unit_price=999)
        for n in range(1, LINES_OF_AN_ORDER + 1)
    ]
    for customer in (BIG, SMALL):
        shop.register(customer, customer.title())
    writes = [
        timed(shop.place, number, SMALL if number % 10 == 0 else BIG, lines)
        for number in range(1, orders + 1)
    ]
    shop.bring_up_to_date()
    small = [timed(shop.orders_of, SMALL) for _ in range(times)]
    big = [timed(shop.orders_of, BIG) for _ in range(times)]
    with kept_up_to_date(other):
        seen = list(staleness(shop, lines, orders, times))
    return Figures(
        write=statistics.median(writes),
        small=statistics.median(small),
        big=statistics.median(big),
        visible=statistics.median(seen),
        visible_p99=sorted(seen)[int(len(seen) * 0.99)],
    )


def timed(call: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    call(*arguments)
    return (time.perf_counter() - started) * 1e3


def staleness(
    shop: Any, lines: Sequence[Any], orders: int, times: int
) -> Iterator[float]:
    """Yield the milliseconds from the end of each write until it is seen."""
    shop.register("new", "New")
    for number in range(orders + 1, orders + times + 1):
        shop.place(number, "new", lines)
        written = time.perf_counter()
        while number not in {order for order, _, _ in shop.orders_of("new")}:
            time.sleep(0.0005)
        yield (time.perf_counter() - written) * 1e3


@contextmanager
def kept_up_to_date(shop: Any) -> Iterator[None]:
    """Bring the rows up to date in a loop, on connections of its own, until the end."""
    is_over = threading.Event()

    def run() -> None:
        while not is_over.wait(IDLE_SECONDS):
            shop.bring_up_to_date()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextmanager
def opened(module: ModuleType, urls: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Lend a shop of each level, over connections of its own."""
    shops: dict[str, Any] = module.shops(*urls)
    try:
        yield shops
    finally:
        for shop in shops.values():
            shop.connection.close()
            if hasattr(shop, "store"):
                shop.store.close()


def compare(
    urls: Sequence[str], *, orders: int, times: int
) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Return the figures of each level, and what it answers for the small customer."""
    module = program()
    with opened(module, urls) as shops, opened(module, urls) as others:
        module.prepare(urls[0], shops)
        figures = {
            name: measure(module, shop, others[name], orders=orders, times=times)
            for name, shop in shops.items()
        }
        return figures, {name: shop.orders_of(SMALL) for name, shop in shops.items()}


def table(figures: dict[str, Figures]) -> Iterator[str]:
    """Yield the lines of the page's table."""
    yield f"| | {' | '.join(figures)} |"
    yield f"| --- |{' --- |' * len(figures)}"
    counted = lines_of_code()
    # Level 2 writes as level 1 does.
    total = {**counted, "level 2": counted["level 1"] + counted["level 2"]}
    rows: dict[str, Callable[[str], str]] = {
        "lines of code": lambda name: str(total[name]),
        "to place an order": lambda name: f"{figures[name].write:.2f} ms",
        "orders of the small customer": lambda name: f"{figures[name].small:.2f} ms",
        "orders of the big customer": lambda name: f"{figures[name].big:.2f} ms",
        "a write is seen after": lambda name: (
            f"{figures[name].visible:.1f} ms (p99 {figures[name].visible_p99:.1f})"
        ),
    }
    for title, cell in rows.items():
        yield f"| {title} | {' | '.join(cell(name) for name in figures)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("url")
    parser.add_argument("store_url")
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=200)
    given = parser.parse_args()
    figures, answers = compare(
        (given.url, given.store_url), orders=given.orders, times=given.times
    )
    assert len({str(answer) for answer in answers.values()}) == 1
    print(*table(figures), sep="\n")


if __name__ == "__main__":
    main()
