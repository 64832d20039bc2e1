"""The lists of which one can ask what changed: how each is asked, and called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eventstore.projections.projection import Key, Projection, Row
from eventstore.projections.views import View, names_of
from readmodels import accounts, customers, order_list, products, transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """
    A list: its *name* in addresses, and its *view*.

    *noun* is what one row is called, *summary* the columns that say which one it is,
    *page* the endpoint of the page of one, whose parameter has the name of the key;
    None if there is none.
    """

    name: str
    noun: str
    projection: Projection
    view: View[Any]
    summary: Sequence[str]
    page: str | None = None

    @property
    def columns(self) -> Sequence[str]:
        """The columns that are shown; others serve queries alone."""
        return names_of(self.view.row)

    def shown(self, row: Row | None) -> Mapping[str, Any] | None:
        """Return the shown values of a row by their columns; None: there is no row."""
        if row is None:
            return None
        return {name: getattr(row, name) for name in self.columns}

    def parameters_of(self, key: Key) -> Mapping[str, Key]:
        return {self.projection.key: key}


SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject(
            name="orders",
            noun="order",
            projection=order_list.projection,
            view=order_list.view,
            summary=("customer_name", "total", "status"),
            page="orders.show_one",
        ),
        Subject(
            name="customers",
            noun="customer",
            projection=customers.projection,
            view=customers.view,
            summary=("name",),
            page="customers.show_one",
        ),
        Subject(
            name="accounts",
            noun="account",
            projection=accounts.projection,
            view=accounts.view,
            summary=("balance", "status"),
            page="accounts.show_one",
        ),
        Subject(
            name="transfers",
            noun="transfer",
            projection=transfers.projection,
            view=transfers.view,
            summary=("from_account", "to_account", "amount", "status"),
            page="transfers.show_one",
        ),
        Subject(
            name="products",
            noun="product",
            projection=products.projection,
            view=products.view,
            summary=("name", "unit_price"),
            page="products.show_one",
        ),
    )
}
"""By their names in addresses."""
