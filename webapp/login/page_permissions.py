"""The permission that each page needs; one without an entry is forbidden."""

from collections.abc import Iterator, Mapping

from tasks.shop.permissions import COMMANDS, FILL_DEMO, MANAGE_USERS, OPERATE
from webapp.authorization import OWN
from webapp.forms.definitions import FORMS

ANYBODY = "anybody"
"""Whoever is let in."""


def pages_of_forms() -> Iterator[tuple[str, str]]:
    """Yield the addresses to which forms are sent, and those that show actions."""
    for form in FORMS.values():
        wanted = COMMANDS[form.command_type]
        yield form.endpoint, wanted
        if form.is_action:
            yield f"{form.endpoint}_form", wanted


def all_of(permission: str, *endpoints: str) -> dict[str, str]:
    return dict.fromkeys(endpoints, permission)


PAGES: Mapping[str, str] = {
    **dict(pages_of_forms()),
    **all_of(
        "orders.read",
        *("orders.newest", "orders.show_one"),
        *("orders.packing_slip", "orders.confirmation"),
        # What is done with many is asked for by the view.
        *("many.ask", "many.send", "many.fates"),
        *("products.price_list", "products.show_one"),
        # Of customers only for who may see them.
        "search.everything",
        *("reasons.order", "reasons.product"),
        *("changed.orders", "changed.orders_csv"),
        *("changed.products", "changed.products_csv"),
        *("csv.orders", "csv.products"),
        *("sales.show", "sales.as_csv"),
    ),
    **all_of(
        "customers.read",
        *("customers.all_of_them", "customers.show_one", "reasons.customer"),
        *("changed.customers", "changed.customers_csv", "csv.customers"),
    ),
    **all_of(
        "accounts.read",
        *("accounts.all_of_them", "accounts.show_one"),
        *("transfers.newest", "transfers.show_one"),
        *("reasons.account", "reasons.statement_line", "reasons.transfer"),
        *("changed.accounts", "changed.accounts_csv"),
        *("changed.transfers", "changed.transfers_csv"),
        *("csv.accounts", "csv.statement", "csv.transfers"),
    ),
    # Forms that are empty, or filled with what there is.
    "orders.empty_order": "orders.place",
    "orders.empty_first_order": "orders.place_first",
    **all_of("customers.write", "customers.registration", "customers.details"),
    "customers.forgetting": "customers.forget",
    "products.empty_product": "products.write",
    "accounts.empty_account": "accounts.manage",
    "transfers.empty_transfer": "accounts.transfer",
    "commands.fate": OWN,
    "commands.cancel": OWN,
    "metrics.metrics": OPERATE,
    **all_of(
        MANAGE_USERS,
        *("first_user.ask", "first_user.add"),
        *("users.all_of_them", "users.add", "users.change"),
    ),
    **all_of(FILL_DEMO, "demo.show", "demo.begin"),
    **all_of(ANYBODY, "desk.show", "problems.explanation", "users.roles"),
    **all_of(ANYBODY, "login.leave", "login.end", "users.me", "users.new_password"),
    # One's own; of others' an admin's session is asked for.
    **all_of(ANYBODY, "tokens.mine", "tokens.create", "tokens.revoke"),
}
