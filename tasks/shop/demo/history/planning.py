"""Plan the demo: the same seed, number of orders and last day give the same events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

from domain.orders.events import OrderCreated
from tasks.shop.demo.history.episodes import EPISODES, LAST_DAY, ORDERS
from tasks.shop.demo.history.invented_shop import Calendar, InventedShop
from tasks.shop.demo.history.people import draw_customer
from tasks.shop.demo.history.price_list import price_list
from tasks.shop.demo.history.routine import drawn_customer, drawn_order
from tasks.shop.demo.history.simulation import Simulation, Story
from tasks.shop.history_import.plan import Plan, PlannedEvent

DEFAULT_ORDERS = 300
FIRST_SEED = 1
MIN_ORDERS = 50
"""Fewer would leave nothing drawn beside what is written."""
MAX_ORDERS = 200_000
ORDERS_A_CUSTOMER = 9
REGISTERING_DAYS = 150
"""The days from the first on which drawn customers register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoWanted:
    """Which demo is wanted: it ends with *last_day*."""

    orders: int = DEFAULT_ORDERS
    seed: int = FIRST_SEED
    last_day: date

    @property
    def source(self) -> str:
        """What its events have as their source; `existing.py` reads it."""
        seed = "" if self.seed == FIRST_SEED else f", seed {self.seed}"
        return f"a demo shop of {self.orders} orders to {self.last_day}{seed}"


def plan_demo(
    wanted: DemoWanted,
    *,
    currency: str,
    zone: ZoneInfo,
    advance: Callable[[int], None] = lambda count: None,
) -> Plan:
    """
    Return the events of the demo, in order of time; amounts are in *currency*.

    *advance* is called with how many more orders are placed.
    """

    def note(event: PlannedEvent) -> None:
        if event.type == OrderCreated.__name__:
            advance(1)

    first = wanted.last_day - timedelta(days=LAST_DAY)
    calendar = Calendar(first=first, zone=zone)
    simulation = Simulation(until=calendar.at(LAST_DAY + 1, 0), note=note)
    shop = InventedShop(simulation=simulation, calendar=calendar, currency=currency)
    simulation.run(stories(shop, wanted))
    numbers = simulation.numbers
    return Plan(
        source=wanted.source,
        events=simulation.events,
        highest_order=numbers["order"],
        highest_customer=numbers["customer"],
        highest_transfer=numbers["transfer"],
    )


def stories(shop: InventedShop, wanted: DemoWanted) -> Iterator[Story]:
    """Yield all stories; each has random numbers of its own, made of the seed."""
    yield price_list(shop)
    for episode in EPISODES:
        yield episode(shop, Random(f"{wanted.seed} {episode.__name__}"))
    drawn = wanted.orders - ORDERS
    customers = drawn // ORDERS_A_CUSTOMER
    for place in range(customers):
        random = Random(f"{wanted.seed} customer {place}")
        day = 1 + place * REGISTERING_DAYS // customers
        customer = draw_customer(random, place)
        yield drawn_customer(shop, f"drawn-{place}", customer, day, random)
    for place in range(drawn):
        random = Random(f"{wanted.seed} order {place}")
        yield drawn_order(shop, place * (LAST_DAY + 1) // drawn, random)
