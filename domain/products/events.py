"""The events of a product."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductAdded:
    """The product was put on the list; *unit_price* is in minor units of *currency*."""

    name: str
    unit_price: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChanged:
    """The product costs *unit_price*, in minor units, from then on."""

    unit_price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRenamed:
    """The product is called *name* from then on."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDiscontinued:
    """The product was taken off the list."""


ProductEvent = ProductAdded | PriceChanged | ProductRenamed | ProductDiscontinued
