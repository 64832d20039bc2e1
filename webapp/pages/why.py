"""The pages that say why a value is so, in sentences."""

from dataclasses import dataclass

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from eventstore.explaining.explanation import ColumnChange, Explanation
from eventstore.projections.projection import Key
from webapp.current_shop import the_notation, the_shop
from webapp.forms.labels import field_name
from webapp.login.acting import may_open
from webapp.parked_rows import note_old
from webapp.url_converters import ACCOUNT, CUSTOMER, LINE, ORDER, PRODUCT, TRANSFER
from webapp.why.answer_words import AnswerWords
from webapp.why.asking import (
    ACCOUNTS,
    CUSTOMERS,
    ORDERS,
    PRODUCTS,
    STATEMENT_LINES,
    TRANSFERS,
    ExplainedRows,
    find_reason,
)

routes = Blueprint("reasons", __name__)


@routes.get(f"/orders/{ORDER}/why")
def order(order_id: int) -> ResponseReturnValue:
    back = url_for("orders.show_one", order_id=order_id)
    return show(ORDERS, order_id, f"order {order_id}", back)


@routes.get(f"/customers/{CUSTOMER}/why")
def customer(customer_id: str) -> ResponseReturnValue:
    back = url_for("customers.show_one", customer_id=customer_id)
    return show(CUSTOMERS, customer_id, f"customer {customer_id}", back)


@routes.get(f"/products/{PRODUCT}/why")
def product(product_id: str) -> ResponseReturnValue:
    back = url_for("products.show_one", product_id=product_id)
    return show(PRODUCTS, product_id, f"product {product_id}", back)


@routes.get(f"/accounts/{ACCOUNT}/why")
def account(account_id: str) -> ResponseReturnValue:
    back = url_for("accounts.show_one", account_id=account_id)
    return show(ACCOUNTS, account_id, f"account {account_id}", back)


@routes.get(f"/accounts/{ACCOUNT}/statement/{LINE}/why")
def statement_line(account_id: str, position: int) -> ResponseReturnValue:
    back = url_for("accounts.show_one", account_id=account_id)
    what = f"a line in the statement of account {account_id}"
    return show(STATEMENT_LINES, position, what, back, account_id=account_id)


@routes.get(f"/transfers/{TRANSFER}/why")
def transfer(transfer_id: int) -> ResponseReturnValue:
    back = url_for("transfers.show_one", transfer_id=transfer_id)
    return show(TRANSFERS, transfer_id, f"transfer {transfer_id}", back)


def show(
    rows: ExplainedRows, key: Key, what: str, back: str, **about: str
) -> ResponseReturnValue:
    """Return the page about a value of *what*, whose own page is at *back*."""
    found = find_reason(rows, key, **about)
    for parked in found.parked:
        note_old(parked)
    with the_shop().lent() as connection:
        words = AnswerWords(connection, found, the_notation())
    return render_template(
        "why.html",
        found=found,
        reasons=reasons_of(found, words),
        what=what,
        column=field_name(found.column),
        back=back,
        value=words.value,
        shown=words.shown,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """
    A change in words: its values, and the address of the page with its event.

    It *is_unreadable* what was before the person was forgotten, and by earlier events.
    """

    change: ColumnChange
    after: str
    before: str
    parts: list[str]
    is_unreadable: bool
    page: str | None


def reasons_of(found: Explanation, words: AnswerWords) -> list[Reason]:
    return [
        Reason(
            change=change,
            after=words.after(change),
            before=words.before(change),
            parts=list(words.words_of(change).parts(change.after)),
            is_unreadable=words.is_unreadable(change),
            page=page_of(change),
        )
        for change in found.changes
    ]


def page_of(change: ColumnChange) -> str | None:
    """Return the address of the page on which an event is shown, or its subject."""
    category, _, subject = change.stream_id.partition("-")
    if not may_open(f"{category}s.show_one"):
        return None
    match category:
        case "order" if subject.isdecimal():
            return url_for(
                "orders.show_one",
                order_id=int(subject),
                _anchor=f"event-{change.version}",
            )
        case "customer":
            return url_for("customers.show_one", customer_id=subject)
        case "product":
            return url_for("products.show_one", product_id=subject)
        case "account":
            return url_for("accounts.show_one", account_id=subject)
        case "transfer" if subject.isdecimal():
            return url_for("transfers.show_one", transfer_id=int(subject))
    return None
