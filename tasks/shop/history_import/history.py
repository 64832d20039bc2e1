"""Read a shop's history from its four files: the good rows, and the bad ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from domain.errors import InvalidInput
from domain.fields import MAX_LINES, MAX_TOTAL
from domain.orders.lines import Line, total_of
from tasks.shop.history_import.csv_files import Row, read_table, show_text
from tasks.shop.history_import.rows import (
    CustomerRow,
    LineRow,
    OrderRow,
    PriceRow,
    ProductRow,
    columns_of,
    needed_columns,
    read_row,
    reason_in,
    value_of,
)

CUSTOMERS = "customers.csv"
PRODUCTS = "products.csv"
ORDERS = "orders.csv"
LINES = "order_details.csv"


@dataclass(slots=True, kw_only=True)
class BadRow:
    """A row that is not imported; *left_out* counts the orders lost by it."""

    file: str
    line: int
    reason: str
    left_out: int = 0

    def __str__(self) -> str:
        orders = "an order" if self.left_out == 1 else f"{self.left_out:,} orders"
        more = f" (leaves out {orders})" if self.left_out else ""
        return f"{self.file}, line {self.line}: {self.reason}{more}"


@dataclass(slots=True)
class RowsOfAFile:
    """The good rows of a file by id, their line numbers, and the ids of bad rows."""

    rows: dict[Any, Any] = field(default_factory=dict)
    lines: dict[Any, int] = field(default_factory=dict)
    bad: dict[Any, BadRow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The rows to import, and the bad rows; *not_kept* has ignored columns by file."""

    customers: Mapping[str, CustomerRow]
    products: Mapping[str, ProductRow]
    prices: Mapping[str, PriceRow]
    orders: Mapping[int, OrderRow]
    items: Mapping[int, list[Line]]
    bad: list[BadRow]
    orders_left_out: int
    not_kept: Mapping[str, Sequence[str]]


def read_history(folder: Path, currency: str) -> History:
    """Return the history in the files of *folder*. Raises UnusableFile."""
    return HistoryReader(folder, currency).history()


class HistoryReader:
    """Reads the four files; checks the references from each to the others."""

    def __init__(self, folder: Path, currency: str) -> None:
        self.folder = folder
        self.currency = currency
        self.bad: list[BadRow] = []
        self.spoiled: set[int] = set()
        self.not_kept: dict[str, Sequence[str]] = {}

    def history(self) -> History:
        self.customers = self.read_by_id(CUSTOMERS, CustomerRow)
        self.products = self.read_by_id(PRODUCTS, ProductRow)
        prices = self.read_prices()
        self.orders = self.read_by_id(ORDERS, OrderRow)
        self.look_up_customers()
        items = self.read_items()
        self.check_lines(items)
        files = (CUSTOMERS, PRODUCTS, ORDERS, LINES)
        return History(
            customers=self.customers.rows,
            products=self.products.rows,
            prices=prices,
            orders={
                number: order
                for number, order in self.orders.rows.items()
                if number not in self.spoiled
            },
            items=items,
            bad=sorted(self.bad, key=lambda row: (files.index(row.file), row.line)),
            orders_left_out=len(self.spoiled | self.orders.bad.keys()),
            not_kept=self.not_kept,
        )

    def read_by_id(self, file: str, kind: type) -> RowsOfAFile:
        """Read a file whose first kept column is the id of its rows."""
        identity = columns_of(kind)[0]
        found = RowsOfAFile()
        for row in self.rows_of(file, kind):
            try:
                value: Any = read_row(kind, row, self.currency)
            except InvalidInput as error:
                fault = self.add(file, row.line, reason_in(error, row))
                found.bad.setdefault(self.id_in(identity, row), fault)
                continue
            key = getattr(value, identity)
            if key in found.rows:
                first = f"stands in line {found.lines[key]} already"
                self.add(file, row.line, f"{identity} {show_text(str(key))} {first}")
            else:
                found.rows[key] = value
                found.lines[key] = row.line
        for key in found.bad.keys() & found.rows.keys():
            del found.bad[key]
        return found

    def read_prices(self) -> dict[str, PriceRow]:
        """Read the prices of the good products; a bad one leaves out no order."""
        names = {line: name for name, line in self.products.lines.items()}
        found: dict[str, PriceRow] = {}
        for row in self.rows_of(PRODUCTS, PriceRow):
            if row.line not in names:
                continue
            try:
                found[names[row.line]] = read_row(PriceRow, row, self.currency)
            except InvalidInput as error:
                self.add(PRODUCTS, row.line, reason_in(error, row))
        return found

    def look_up_customers(self) -> None:
        for number, order in self.orders.rows.items():
            customer_id = order.customer_id
            if customer_id in self.customers.rows:
                continue
            fault = self.customers.bad.get(customer_id)
            if fault is not None:
                self.spoil(number, fault)
            else:
                reason = f"customer_id {show_text(customer_id)} is not in {CUSTOMERS}"
                self.add(ORDERS, self.orders.lines[number], reason)
                self.spoiled.add(number)

    def read_items(self) -> dict[int, list[Line]]:
        """Read the lines of the orders; one that is bad makes its order bad."""
        items: dict[int, list[Line]] = {}
        # A million lines have few different discounts: each is kept once.
        discounts: dict[Decimal, Decimal] = {}
        for row in self.rows_of(LINES, LineRow):
            try:
                line = read_row(LineRow, row, self.currency)
            except InvalidInput as error:
                fault = self.add(LINES, row.line, reason_in(error, row))
                self.spoil(self.id_in("order_id", row), fault)
                continue
            product = self.products.rows.get(line.product_id)
            if line.order_id not in self.orders.rows:
                if line.order_id not in self.orders.bad:
                    reason = f"order_id '{line.order_id}' is not in {ORDERS}"
                    self.add(LINES, row.line, reason)
            elif product is None:
                self.spoil(line.order_id, self.missing_product(line, row))
            else:
                of_order = items.setdefault(line.order_id, [])
                of_order.append(
                    Line(
                        number=len(of_order) + 1,
                        product=product.product_name,
                        product_id=product.product_id,
                        quantity=line.quantity,
                        unit_price=line.unit_price,
                        discount=discounts.setdefault(line.discount, line.discount),
                    )
                )
        return items

    def missing_product(self, line: LineRow, row: Row) -> BadRow:
        fault = self.products.bad.get(line.product_id)
        if fault is not None:
            return fault
        reason = f"product_id {show_text(line.product_id)} is not in {PRODUCTS}"
        return self.add(LINES, row.line, reason)

    def check_lines(self, items: Mapping[int, list[Line]]) -> None:
        for number in self.orders.rows.keys() - self.spoiled:
            reason = reason_against(items.get(number, []))
            if reason is not None:
                reason = f"order {number} {reason}"
                self.add(ORDERS, self.orders.lines[number], reason)
                self.spoiled.add(number)

    def rows_of(self, file: str, kind: type) -> Iterator[Row]:
        table = read_table(self.folder / file, needed_columns(kind))
        kept = columns_of(kind)
        left = self.not_kept.get(file, table.columns)
        self.not_kept[file] = [name for name in left if name not in kept]
        return table.rows

    def id_in(self, column: str, row: Row) -> Any:
        """Return the id of a bad row, or None if even that cannot be read."""
        try:
            return value_of(column, row.values.get(column, ""), self.currency)
        except ValueError:
            return None

    def add(self, file: str, line: int, reason: str) -> BadRow:
        bad = BadRow(file=file, line=line, reason=reason)
        self.bad.append(bad)
        return bad

    def spoil(self, number: int | None, because: BadRow) -> None:
        """Leave an order out, and count it for the first row that spoils it."""
        if number is None or number not in self.orders.rows:
            return
        if number not in self.spoiled:
            self.spoiled.add(number)
            because.left_out += 1


def reason_against(items: Sequence[Line]) -> str | None:
    """Return why an order with these lines cannot be imported, or None."""
    if not items:
        return "has no lines"
    if len(items) > MAX_LINES:
        return f"has {len(items):,} lines, at most {MAX_LINES}"
    if total_of(items) > MAX_TOTAL:
        return f"is worth more than {MAX_TOTAL:,} minor units"
    return None
