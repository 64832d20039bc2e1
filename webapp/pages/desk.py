"""The first page: what is to be done, and for a newcomer what this is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from domain.days import start_of_day
from eventstore.journal.entries import Entry, find_many
from eventstore.journal.listing import CommandFilter, find_entries
from eventstore.journal.undecided_commands import find_undecided
from readmodels import desk, order_list
from readmodels.desk import Pile
from readmodels.order_summary import OrderSummaryView
from webapp.authorization import caller
from webapp.current_shop import the_shop
from webapp.journal_source import ask_journal
from webapp.login.acting import may, may_open, may_send
from webapp.outages import DATABASE_ERRORS
from webapp.pages.commands import headline_of
from webapp.pages.order_filters import TO_DO
from webapp.parked_rows import mark_rows
from webapp.query_parameters import day_in_question
from webapp.read_connection import reading

MAX_SHOWN = 5
"""How many orders of a pile are shown, and how many commands that failed."""
FIRST_PAGES = ("customers.all_of_them", "accounts.all_of_them", "users.me")
"""Where those are led who may not see orders: the first that they may open."""

routes = Blueprint("desk", __name__)


class NextStep(NamedTuple):
    """The form that takes an order from a pile, and the command that it sends."""

    endpoint: str
    command_type: str
    words: str


PAY = NextStep("orders.payment_form", "ReceivePayment", "Note payment")
SHIP = NextStep("orders.shipment_form", "ShipOrder", "Ship")
REFUND = NextStep("orders.refund_form", "RefundPayment", "Refund")


class Section(NamedTuple):
    """
    A pile as the page shows it, under its *title*.

    *parameters* are those of its list. The *step* is offered to who may take it.
    """

    name: str
    title: str
    parameters: Mapping[str, str]
    pile: Pile
    step: NextStep | None


STEPS = {"due": PAY, "ready": SHIP, "late": SHIP, "credit": REFUND}


class Failures(NamedTuple):
    """Commands that failed, the newest first, and those that nobody could decide."""

    failed: Sequence[Entry]
    has_more: bool
    undecided: Sequence[Entry]


@routes.get("/")
def show() -> ResponseReturnValue:
    if not may_open("orders.newest"):
        return redirect(url_for(next(filter(may_open, FIRST_PAGES))))
    today = day_in_question()
    with reading(order_list.projection) as (connection, position):
        piles = desk.find_piles(connection, today, MAX_SHOWN)
        figures = None
        if today is not None:
            zone = the_shop().settings.timezone
            days = (today, today + timedelta(days=1))
            limits = (start_of_day(day, zone) for day in days)
            figures = desk.find_figures(connection, *limits)
        is_new = not any(pile.number for pile in piles.values())
        is_new = is_new and not desk.has_orders(connection)
        rows = [order for pile in piles.values() for order in pile.orders]
        mark_rows(connection, order_list.projection, rows, position)
    return render_template(
        "desk.html",
        sections=list(sections_of(piles)),
        days_on_desk=days_on_desk,
        headline_of=headline_of,
        figures=figures,
        this_day=today,
        is_new=is_new,
        is_empty_shop=not position.reached,
        failures=None if g.past or is_new else find_failures(),
    )


def sections_of(piles: Mapping[str, Pile]) -> Iterator[Section]:
    for words, parameters in TO_DO.items():
        [name] = parameters
        step = STEPS[name]
        offered = step if may_send(step.command_type) and not g.past else None
        if name in piles:
            yield Section(name, words.capitalize(), parameters, piles[name], offered)


def days_on_desk(name: str, order: OrderSummaryView, today: date) -> int:
    """
    Return for how many days an order is in the pile *name*, by the shop's clocks.

    Something is due from the end of the order's terms on, so it may be negative.
    """
    if name == "late":
        # The pile has no order without one.
        assert order.required_date is not None
        return (today - order.required_date).days
    placed = order.created_at.astimezone(the_shop().settings.timezone).date()
    terms = order.terms or 0 if name == "due" else 0
    return (today - placed).days - terms


def find_failures() -> Failures | None:
    """
    Return what failed of all that was sent, or of what the caller sent.

    What nobody could decide yet is for those who see everybody's. None if the journal
    is away: the orders can be read without it.
    """
    sees_all = may("commands.read")
    wanted = CommandFilter(
        status="failed", principal=None if sees_all else caller().name
    )

    def find(connection: sa.Connection) -> Failures:
        page = find_entries(connection, wanted, after=None, limit=MAX_SHOWN)
        stuck = find_undecided(connection, most=MAX_SHOWN) if sees_all else []
        found = find_many(connection, [UUID(one.command_id) for one in stuck])
        return Failures(page.entries, page.following is not None, [*found.values()])

    with suppress(*DATABASE_ERRORS):
        return ask_journal(find, notes=False)
    return None
