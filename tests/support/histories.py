"""Small histories of a shop, as the four CSV files that an import reads."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli.importing import import_history
from eventstore.connection import driver_connection
from eventstore.personal.keyring import Keyring
from tasks.shop.setting_values import master_keys
from tests.support.databases import MASTER_KEY

Rows = list[dict[str, str]]


def customer(customer_id: str = "ALICE", **other: str) -> dict[str, str]:
    return {
        "customer_id": customer_id,
        "company_name": "Alice's Clocks",
        "contact_name": "Alice",
        "address": "1 Retro Road",
        "city": "Bergen",
        "region": "",
        "postal_code": "5003",
        "country": "Norway",
        "phone": "030-0074321",
        **other,
    }


def order(order_id: int | str, day: str = "1996-07-04", **other: str) -> dict[str, str]:
    return {
        "order_id": str(order_id),
        "customer_id": "ALICE",
        "order_date": day,
        "required_date": "",
        "shipped_date": "",
        "freight": "32.38",
        "ship_name": "Alice",
        "ship_address": "1 Retro Road",
        "ship_city": "Bergen",
        "ship_region": "",
        "ship_postal_code": "",
        "ship_country": "Norway",
        **other,
    }


def line(order_id: int | str, **other: str) -> dict[str, str]:
    return {
        "order_id": str(order_id),
        "product_id": "11",
        "unit_price": "49.50",
        "quantity": "2",
        "discount": "0",
        **other,
    }


def product(
    product_id: str = "11", name: str = "RETRO-CLOCK", **other: str
) -> dict[str, str]:
    return {
        "product_id": product_id,
        "product_name": name,
        "unit_price": "49.50",
        **other,
    }


@dataclass
class History:
    """Rows of the four files; an order without lines of its own gets one."""

    orders: Rows
    customers: Rows = field(default_factory=lambda: [customer()])
    products: Rows = field(default_factory=lambda: [product()])
    lines: Rows | None = None

    def write(self, folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        lines = self.lines
        if lines is None:
            lines = [
                line(number) for number in dict.fromkeys(map(number_of, self.orders))
            ]
        for name, rows in {
            "customers.csv": self.customers,
            "products.csv": self.products,
            "orders.csv": self.orders,
            "order_details.csv": lines,
        }.items():
            with (folder / name).open("w", encoding="utf-8", newline="") as file:
                columns = dict.fromkeys(name for row in rows for name in row)
                writer = csv.DictWriter(file, list(columns))
                writer.writeheader()
                writer.writerows(rows)
        return folder


def number_of(row: dict[str, str]) -> str:
    return row["order_id"]


def run_import(folder: Path, *options: str, currency: str = "EUR") -> Result:
    """Run the command in this process, on the wiring of the test."""
    return CliRunner().invoke(
        import_history,
        [str(folder), "--currency", currency, *options],
        catch_exceptions=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An event of the log, without what differs from one run to another."""

    stream_id: str
    version: int
    type: str
    data: dict[str, Any]
    metadata: dict[str, Any]
    occurred_at: str


def read_log(engine: sa.Engine) -> list[Logged]:
    """Return the whole log in its order."""
    with engine.connect() as connection:
        keyring = Keyring(driver_connection(connection), master_keys(MASTER_KEY))
        rows = connection.execute(
            sa.text(
                """
                SELECT
                    stream_id, version, type, data::text,
                    metadata - 'recorded_at' AS metadata,
                    to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS at
                FROM events ORDER BY id
                """
            )
        )
        return [
            Logged(
                stream_id=row.stream_id,
                version=row.version,
                type=row.type,
                data=json.loads(
                    keyring.decrypt(row.data, UUID(row.metadata["event_id"]))
                ),
                metadata=row.metadata,
                occurred_at=row.at,
            )
            for row in rows
        ]


def last_number(engine: sa.Engine, sequence: str = "order_numbers") -> int:
    """Return the last number that was drawn of a sequence; 0 if none was."""
    with engine.connect() as connection:
        row = connection.execute(
            sa.text(f"SELECT last_value, is_called FROM {sequence}")
        ).one()
    return int(row.last_value) if row.is_called else 0
