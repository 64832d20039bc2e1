"""What one search finds in all lists: orders, customers and products."""

from typing import Any, NamedTuple

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from eventstore.projections.views import Page
from readmodels import customers, order_list, products
from webapp.login.acting import may_open
from webapp.query_parameters import only, text
from webapp.rows_found import Question, find_rows, search_customers, search_orders

MAX_SHOWN = 10
"""How many of each are shown; their list has the others."""

routes = Blueprint("search", __name__)


class SearchedList(NamedTuple):
    """A list that is searched: its *words*, and its page at *endpoint*."""

    words: str
    endpoint: str
    model: Any
    sort: str
    question: Question | None


LISTS = (
    SearchedList("orders", "orders.newest", order_list, "-placed", search_orders),
    SearchedList(
        "customers", "customers.all_of_them", customers, "name", search_customers
    ),
    SearchedList("products", "products.price_list", products, "name", None),
)


class SearchResult(NamedTuple):
    """What was found in a list."""

    words: str
    endpoint: str
    page: Page[Any]

    @property
    def has_more(self) -> bool:
        """Whether its list may have more; of what is only like it nobody counts all."""
        is_full = len(self.page.rows) == MAX_SHOWN
        return self.page.following is not None or (self.page.similar > 0 and is_full)


@routes.get("/search")
def everything() -> ResponseReturnValue:
    only("q")
    asked = text("q")
    found = []
    if asked is not None:
        found = [find_in(one, asked) for one in LISTS if may_open(one.endpoint)]
    return render_template("search.html", asked=asked, found=found)


def find_in(searched: SearchedList, asked: str) -> SearchResult:
    wanted = {"search": asked, "sort": searched.sort, "after": None}
    rows = find_rows(searched.model, wanted, MAX_SHOWN, search=searched.question)
    return SearchResult(searched.words, searched.endpoint, rows.page)
