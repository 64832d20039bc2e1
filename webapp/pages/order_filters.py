"""What the list of orders is narrowed to: said in words, and as links to others."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from readmodels import order_list
from webapp.query_parameters import day_in_question

NO_FILTER: Mapping[str, str | None] = dict.fromkeys(
    ("status", "due", "ready", "late", "credit")
)
"""The parameters of which each link sets one, and the form keeps all."""
TO_DO = {
    "to be paid": {"due": "true"},
    "to be shipped": {"ready": "true"},
    "late": {"late": "true"},
    "to refund": {"credit": "true"},
}
"""What a desk has to do, and the parameters that show it."""


class FilterLink(NamedTuple):
    """A link to the list with another filter; *is_current* says that it is this one."""

    words: str
    parameters: Mapping[str, Any]
    is_current: bool


def links_to_filters(kept: Mapping[str, str]) -> list[FilterLink]:
    """Return the filters that are offered; *kept* are the request's parameters."""
    present = {name: kept.get(name) for name in NO_FILTER}
    is_to_do = any(present[name] for name in present if name != "status")
    statuses = {status: {"status": status} for status in order_list.STATUSES}
    # What has waited longest comes first; from there back to the usual order.
    usual = None if is_to_do else kept.get("sort")
    to_do = {
        words: own
        for words, own in TO_DO.items()
        # As of a position there is no day on which something can be late.
        if "late" not in own or day_in_question() is not None
    }
    return [
        FilterLink(
            words,
            {
                **kept,
                **NO_FILTER,
                **own,
                "sort": "placed" if words in TO_DO else usual,
            },
            is_current=present == {**NO_FILTER, **own},
        )
        for words, own in {"all": {}, **statuses, **to_do}.items()
    ]


def words_of_filter(asked: Mapping[str, Any]) -> Sequence[str]:
    """Return what is *asked* of the list, in words after "the orders"."""
    return list(words_of(asked))


def words_of(asked: Mapping[str, Any]) -> Iterator[str]:
    if asked["status"]:
        yield f"that are {asked['status']}"
    if asked["is_due"] is not None:
        yield (
            "of which something is to be paid"
            if asked["is_due"]
            else "of which nothing is to be paid"
        )
    if asked["is_ready"] is not None:
        yield (
            "that can be shipped"
            if asked["is_ready"]
            else "that cannot be shipped, or are"
        )
    if asked["late_on"] is not None:
        yield "that are late"
    if asked["has_credit"] is not None:
        yield (
            "of which money is to be refunded"
            if asked["has_credit"]
            else "of which no money is to be refunded"
        )
    if asked["customer_id"]:
        yield f"of customer {asked['customer_id']}"
    if asked["search"]:
        yield f"in which “{asked['search']}” was found"
