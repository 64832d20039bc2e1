"""The commands of a product."""

from dataclasses import dataclass

from domain.fields import Amount, Currency, Name, ProductId


@dataclass(frozen=True, slots=True, kw_only=True)
class AddProduct:
    """
    Put a product on the price list; without an id the shop assigns a number.

    A product that was discontinued is put on the list again. A new one that brings an
    id brings no number: its id begins with a letter.
    """

    product_id: ProductId | None = None
    name: Name
    unit_price: Amount
    currency: Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePrice:
    """Change what a product costs from now on; orders keep the prices they have."""

    product_id: ProductId
    unit_price: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameProduct:
    """Change what a product is called from now on; orders keep the names they have."""

    product_id: ProductId
    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscontinueProduct:
    """Take a product off the price list: no further order can name it."""

    product_id: ProductId


ProductCommand = AddProduct | ChangePrice | RenameProduct | DiscontinueProduct
