"""The product: what it is called, what it costs, and whether it can be ordered."""

from dataclasses import dataclass, replace
from typing import assert_never

from domain.errors import Rejection, StateRejection
from domain.products import commands, events


@dataclass(frozen=True, slots=True)
class Product:
    """A product, as its events so far leave it; without a name there is none."""

    name: str | None = None
    unit_price: int = 0
    is_listed: bool = False


class UnknownProduct(Rejection):
    """There is no product {product_id} on the price list."""


class ProductAlreadyAdded(Rejection):
    """Product {product_id} is on the price list already: it is {name}."""


class NumberNotGiven(Rejection):
    """There is no product {product_id}; the shop gives numbers: begin with a letter."""


class ProductIsDiscontinued(StateRejection):
    """Product {product_id}, {name}, is no longer sold."""


def decide(
    product: Product, command: commands.ProductCommand
) -> list[events.ProductEvent]:
    """Return the events that *command* causes, or raise the rule it breaks."""
    if isinstance(command, commands.AddProduct):
        return add(product, command)
    check_listed(product, command.product_id)
    match command:
        case commands.ChangePrice(unit_price=unit_price):
            if unit_price == product.unit_price:
                return []
            return [events.PriceChanged(unit_price=unit_price)]
        case commands.RenameProduct(name=name):
            return [] if name == product.name else [events.ProductRenamed(name=name)]
        case commands.DiscontinueProduct():
            return [events.ProductDiscontinued()]
        case _:
            assert_never(command)


def add(product: Product, command: commands.AddProduct) -> list[events.ProductEvent]:
    if product.is_listed:
        raise ProductAlreadyAdded(
            product_id=command.product_id or "", name=product.name or ""
        )
    product_id = command.product_id
    if product.name is None and product_id is not None and product_id[0].isdigit():
        raise NumberNotGiven(product_id=product_id)
    return [
        events.ProductAdded(
            name=command.name,
            unit_price=command.unit_price,
            currency=command.currency,
        )
    ]


def check_listed(product: Product, product_id: str) -> None:
    """Raise UnknownProduct or ProductIsDiscontinued for what cannot be ordered."""
    if product.name is None:
        raise UnknownProduct(product_id=product_id)
    if not product.is_listed:
        raise ProductIsDiscontinued(product_id=product_id, name=product.name)


def evolve(product: Product, event: events.ProductEvent) -> Product:
    """Return the product after *event*; no rules are checked."""
    match event:
        case events.ProductAdded(name=name, unit_price=unit_price):
            return Product(name=name, unit_price=unit_price, is_listed=True)
        case events.PriceChanged(unit_price=unit_price):
            return replace(product, unit_price=unit_price)
        case events.ProductRenamed(name=name):
            return replace(product, name=name)
        case events.ProductDiscontinued():
            return replace(product, is_listed=False)
        case _:
            assert_never(event)
