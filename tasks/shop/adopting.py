"""
Products out of past orders: the price list of a shop that had none.

Lines of orders note the number of an article, and in a shop from before there was a
price list no product has it. Each such number becomes a product, with the name and the
price of the latest order. It is appended as an import appends: with a source, under ids
that are the same at each run, alone, and with the sequence of numbers moved past all
that were noted. It is no AddProduct, for whoever sends one brings no number: numbers
are the shop's to give, and these are those that it has given before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from domain.fields import PRODUCT_ID
from domain.orders.events import OrderCreated, OrderItemsChanged
from domain.orders.upcasters import UPCASTERS
from domain.products.events import ProductAdded
from domain.products.product import Product
from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.loading import load
from eventstore.log.codec import EventCodec
from eventstore.log.read import scan
from tasks.shop.deciders import PRODUCTS
from tasks.shop.history_import.plan import Plan, PlannedEvent, highest_number, plan

SOURCE = "past orders"
"""The source in the metadata of adopted products."""
ACTOR = "local"
KINDS = (OrderCreated, OrderItemsChanged)
# Nothing personal is read, so that nothing need be decrypted.
CODEC = EventCodec(KINDS, UPCASTERS, is_part=True, personal={})
STREAMS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What the latest order that names an article number says of it."""

    name: str
    unit_price: int
    currency: str
    ordered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Articles:
    """
    The articles of past orders, by number.

    *new* can become products. *listed* have a product with their number already, which
    may be called otherwise, or discontinued. *given_away* have no price in any order,
    and *no_numbers* are such as no product can have.
    """

    new: Mapping[str, Article]
    listed: Mapping[str, tuple[Article, Product]]
    given_away: Sequence[str]
    no_numbers: Sequence[str]

    def plan(self) -> Plan:
        """Return the events by which the new ones become products, now."""
        now = datetime.now(UTC)
        noted = [*self.new, *self.listed, *self.given_away]
        return Plan(
            source=SOURCE,
            events=[added(number, self.new[number], now) for number in self.new],
            highest_product=highest_number(noted),
        )


def added(number: str, article: Article, now: datetime) -> PlannedEvent:
    event = ProductAdded(
        name=article.name, unit_price=article.unit_price, currency=article.currency
    )
    return plan(PRODUCTS, number, 1, event, now)._replace(actor=ACTOR)


def find_articles(connection: psycopg.Connection[Any], deciders: Deciders) -> Articles:
    """
    Return the articles that the orders in the log name.

    Raises EventStoreError for an order that nobody can read.
    """
    latest: dict[str, Article] = {}
    for number, article in articles_of(connection):
        # An import may bring an order of ten years ago after one of today.
        before = latest.get(number)
        if before is None or is_better(article, before):
            latest[number] = article
    usable = {n: a for n, a in latest.items() if PRODUCT_ID.problem(n) is None}
    products = products_called(connection, list(usable), deciders)
    others = {n: a for n, a in usable.items() if n not in products}
    return Articles(
        new={n: others[n] for n in sorted(others, key=rank) if others[n].unit_price},
        listed={n: (usable[n], products[n]) for n in sorted(products, key=rank)},
        given_away=sorted((n for n in others if not others[n].unit_price), key=rank),
        no_numbers=sorted(latest.keys() - usable.keys()),
    )


def articles_of(
    connection: psycopg.Connection[Any],
) -> Iterator[tuple[str, Article]]:
    """Yield what each line of each order says of an article, in the log's order."""
    currencies: dict[str, str] = {}
    for event in scan(connection, types=[kind.__name__ for kind in KINDS]):
        for order in CODEC.read(event):
            if isinstance(order, OrderCreated):
                currencies[event.stream_id] = order.currency
            for line in order.items:
                if line.product_id is not None:
                    yield (
                        line.product_id,
                        Article(
                            name=line.product,
                            unit_price=line.unit_price,
                            currency=currencies[event.stream_id],
                            ordered_at=event.occurred_at,
                        ),
                    )


def is_better(article: Article, before: Article) -> bool:
    """Return whether it says more than the one before: a gift has no price."""
    if bool(article.unit_price) is not bool(before.unit_price):
        return bool(article.unit_price)
    return article.ordered_at >= before.ordered_at


def products_called(
    connection: psycopg.Connection[Any], numbers: Sequence[str], deciders: Deciders
) -> dict[str, Product]:
    """Return the products that have one of *numbers*, discontinued ones too."""
    found: dict[str, Product] = {}
    for start in range(0, len(numbers), STREAMS_AT_ONCE):
        some = numbers[start : start + STREAMS_AT_ONCE]
        streams = [f"{PRODUCTS.category}-{number}" for number in some]
        states = load(connection, streams, deciders).states
        for number, stream_id in zip(some, streams, strict=True):
            product: Product = states[stream_id]
            if product.name is not None:
                found[number] = product
    return found


def rank(number: str) -> tuple[bool, int, str]:
    """Return by what numbers are sorted: those of digits first, by their worth."""
    is_whole = number.isascii() and number.isdecimal()
    return not is_whole, int(number) if is_whole else 0, number
