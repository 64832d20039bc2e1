"""`/demo`: an empty shop is filled with invented months, and one sees how far it is."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tasks.broker import publish
from tasks.shop.demo.history.progress import DemoProgress, find_progress
from tasks.shop.history_import.errors import ImportRefused
from tasks.shop.history_import.preconditions import examine_shop
from webapp.current_shop import the_shop
from webapp.position_asked import remember

routes = Blueprint("demo", __name__)


@routes.get("/demo")
def show() -> ResponseReturnValue:
    try:
        progress = find()
    except ImportRefused as error:
        return page(None, error)
    if not progress.is_complete:
        return page(progress)
    remember(progress.last)
    if "HX-Request" in request.headers:
        return "", {"HX-Redirect": url_for("desk.show")}
    return redirect(url_for("desk.show"))


@routes.post("/demo")
def begin() -> ResponseReturnValue:
    """Ask a worker for it. What was begun already goes on, or is completed."""
    try:
        find()
    except ImportRefused as error:
        return page(None, error), 409
    publish.send("fill_with_demo", the_shop())
    return redirect(url_for("demo.show", asked=1), 303)


def find() -> DemoProgress:
    """Return how far the demo is. Raises ImportRefused where there can be none."""
    shop = the_shop()
    examine_shop(shop, shop.settings.currency)
    with shop.lent() as connection:
        return find_progress(connection, shop.settings)


def page(progress: DemoProgress | None, refusal: ImportRefused | None = None) -> str:
    is_part = "HX-Request" in request.headers
    was_asked = "asked" in request.args
    return render_template(
        "demo_progress.html" if is_part else "demo.html",
        progress=progress,
        refusal=refusal,
        was_asked=was_asked,
        goes_on=progress is not None
        and (progress.is_at_work or (was_asked and not progress.events)),
    )
