"""Why a value is so, as JSON: the events that gave it to a row, the newest first."""

from collections.abc import Sequence
from typing import Any

import msgspec
from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from eventstore.explaining.explanation import ColumnChange, Explanation
from eventstore.projections.projection import Key
from readmodels.figures import ALL_ORDERS
from webapp.json_values import as_json
from webapp.parked_rows import parked_field
from webapp.query_parameters import refuse, text
from webapp.url_converters import ACCOUNT, CUSTOMER, LINE, ORDER, PRODUCT, TRANSFER
from webapp.why.asking import (
    ACCOUNTS,
    CUSTOMERS,
    FIGURES,
    ORDERED_PRODUCTS,
    ORDERS,
    PRODUCTS,
    STATEMENT_LINES,
    TRANSFERS,
    ExplainedRows,
    find_reason,
)

MAX_VALUE_BYTES = 20_000
"""A list that is longer as JSON is given once, as the value, and not at each change."""

routes = Blueprint("why", __name__, url_prefix="/api")


@routes.get(f"/orders/{ORDER}/why")
def order(order_id: int) -> ResponseReturnValue:
    return answer(ORDERS, order_id, url_for("queries.order", order_id=order_id))


@routes.get(f"/customers/{CUSTOMER}/why")
def customer(customer_id: str) -> ResponseReturnValue:
    row = url_for("queries.customer", customer_id=customer_id)
    return answer(CUSTOMERS, customer_id, row)


@routes.get(f"/accounts/{ACCOUNT}/why")
def account(account_id: str) -> ResponseReturnValue:
    row = url_for("queries.account", account_id=account_id)
    return answer(ACCOUNTS, account_id, row)


@routes.get(f"/accounts/{ACCOUNT}/statement/{LINE}/why")
def statement_line(account_id: str, position: int) -> ResponseReturnValue:
    row = url_for("queries.statement", account_id=account_id)
    return answer(STATEMENT_LINES, position, row, account_id=account_id)


@routes.get(f"/transfers/{TRANSFER}/why")
def transfer(transfer_id: int) -> ResponseReturnValue:
    row = url_for("queries.transfer", transfer_id=transfer_id)
    return answer(TRANSFERS, transfer_id, row)


@routes.get(f"/products/{PRODUCT}/why")
def product(product_id: str) -> ResponseReturnValue:
    row = url_for("queries.product", product_id=product_id)
    return answer(PRODUCTS, product_id, row)


@routes.get("/ordered-products/why")
def ordered_product() -> ResponseReturnValue:
    """Answer for the product whose name is a parameter: it may have any character."""
    name = text("product")
    if name is None:
        refuse("product is missing: the name of the product")
    row = url_for("queries.all_ordered_products")
    return answer(ORDERED_PRODUCTS, name, row, "product")


@routes.get("/figures/why")
def figures() -> ResponseReturnValue:
    return answer(FIGURES, ALL_ORDERS, url_for("queries.figures"))


def answer(
    rows: ExplainedRows, key: Key, row: str, *may_ask: str, **about: str
) -> ResponseReturnValue:
    """
    Return the requested explanation; *row* is the address of what it is about.

    *may_ask* are further parameters, *about* columns that the row must have.
    """
    found = find_reason(rows, key, *may_ask, **about)
    body: dict[str, Any] = {
        "read_model": found.read_model,
        "key": found.key,
        "column": found.column,
        "value": as_json(found.value),
        "is_there": found.is_there,
        "changes": changes_of(found),
        "earlier": found.earlier,
        "events": found.events,
        "is_whole": found.is_whole,
        "is_wrong": found.is_wrong,
        "position": found.position,
        "links": {"self": request.full_path, "row": row},
    }
    if found.is_wrong:
        body["shown"] = as_json(found.shown)
    if found.failed:
        body["failed"] = list(found.failed)
    if found.at is not None:
        body["as_of"] = as_json(found.at)
    return body | parked_field(found.parked[0] if found.parked else None)


def changes_of(found: Explanation) -> Sequence[dict[str, Any]]:
    return [change_of(change) for change in found.changes]


def change_of(change: ColumnChange) -> dict[str, Any]:
    """Return a change with the addresses of its event and of its command."""
    links = {"event": url_for("events.page", after=change.position - 1, limit=1)}
    if change.command_type is not None:
        links["command"] = url_for("api.command", command_id=change.command_id)
    return {
        "position": change.position,
        "stream": change.stream_id,
        "version": change.version,
        "type": change.type,
        "occurred_at": as_json(change.occurred_at),
        "actor": change.actor,
        "because": {
            "command_id": as_json(change.command_id),
            "command_type": change.command_type,
            "causation_id": as_json(change.causation_id),
            "source": change.source,
        },
        **value_field("before", change.before),
        **value_field("after", change.after),
        "makes_row": change.makes_row,
        "removes_row": change.removes_row,
        "forgets": change.forgets,
        "links": links,
    }


def value_field(name: str, value: Any) -> dict[str, Any]:
    """Return a value as a field; of a long list its number of parts alone."""
    plain = as_json(value)
    if isinstance(plain, list) and len(msgspec.json.encode(plain)) > MAX_VALUE_BYTES:
        return {f"{name}_parts": len(plain)}
    return {name: plain}
