"""What a search has found in the rows of a list, marked for its page."""

from collections.abc import Mapping, Sequence

from flask import Flask
from markupsafe import Markup, escape

from readmodels.customers import CustomerView
from readmodels.highlighting import Segment, highlight
from readmodels.order_summary import OrderSummaryView
from readmodels.products import ProductView

MAX_SHOWN = 3
"""How many of an order's products are shown if they were found."""

Texts = Mapping[str, Markup]
Pieces = dict[str, list[Segment]]


def add_marks(app: Flask) -> None:
    """Add the filters that mark what was found to the templates of *app*."""
    app.add_template_filter(mark_order, "order_marks")
    app.add_template_filter(mark_customer, "customer_marks")
    app.add_template_filter(mark_product, "product_marks")


def mark_order(order: OrderSummaryView, asked: str | None) -> Texts:
    """
    Return the texts of an order as HTML, by field, with what was *asked* for marked.

    `found` has those that the list does not show, if something was found there.
    """
    texts = {
        "order_id": str(order.order_id),
        "customer_name": order.customer_name,
        "customer_id": order.customer_id,
        "customer_email": order.customer_email,
        "tracking_number": order.tracking_number,
        "city": order.city,
        **{f"product {n}": name for n, name in enumerate(order.products)},
    }
    hidden = [name for name in texts if name == "city" or name.startswith("product ")]
    return marked(texts, hidden, asked)


def mark_customer(customer: CustomerView, asked: str | None) -> Texts:
    """Return the texts of a customer as HTML, as `mark_order` does."""
    city, country = None, None
    if customer.address is not None:
        city, country = customer.address.city, customer.address.country
    texts = {
        "name": customer.name,
        "customer_id": customer.customer_id,
        "contact_name": customer.contact_name,
        "email": customer.email,
        "phone": customer.phone,
        "city": city,
        "country": country,
    }
    return marked(texts, ["phone", "city", "country"], asked)


def mark_product(product: ProductView, asked: str | None) -> Texts:
    """Return the texts of a product as HTML, as `mark_order` does."""
    return marked({"name": product.name, "product_id": product.product_id}, [], asked)


def marked(
    texts: Mapping[str, str | None], hidden: Sequence[str], asked: str | None
) -> Texts:
    there = {name: text for name, text in texts.items() if text}
    if not asked:
        return {name: escape(text) for name, text in there.items()}
    pieces = highlight(there, asked)
    shown = {name: html_of(some) for name, some in pieces.items()}
    found = [n for n in hidden if any(one.is_hit for one in pieces.get(n, ()))]
    if found:
        shown["found"] = Markup(" · ").join(shown[n] for n in found[:MAX_SHOWN])
    return shown


def html_of(pieces: Sequence[Segment]) -> Markup:
    return Markup("").join(
        Markup("<mark>{}</mark>").format(text) if is_hit else escape(text)
        for text, is_hit in pieces
    )
