"""The web application, put together: its subjects, and what is in front of them."""

from flask import Flask, redirect, url_for
from flask.typing import ResponseReturnValue

from tasks import bootstrap, watching
from tasks.bootstrap import Shop
from tasks.broker import warn_of_broker
from tasks.guard import refuse_what_loses_data
from tasks.logs import log_to_stderr
from tasks.settings import load_settings
from webapp import (
    access,
    accounts,
    api,
    commands,
    compressing,
    customers,
    entrance,
    errors,
    health,
    journal,
    metrics,
    money,
    orders,
    problems,
    queries,
    security,
    showing,
    transfers,
)
from webapp.addresses import know_numbers
from webapp.wiring import give

SUBJECTS = (
    orders,
    customers,
    accounts,
    transfers,
    commands,
    api,
    journal,
    queries,
    money,
    health,
    metrics,
    problems,
    entrance,
)


def make_app(shop: Shop | None = None) -> Flask:
    """
    Return the web application.

    Without *shop*, each process makes its own at the first request that needs one. A
    server begins no work on a database that loses what it is given.
    """
    app = Flask("webapp")
    settings = shop.settings if shop else load_settings()
    log_to_stderr(settings.log_level, settings.log_format)
    if shop is None and settings.role == "web":
        refuse_what_loses_data(bootstrap.shop())
        warn_of_broker(bootstrap.shop())
        watching.begin_where_served(bootstrap.shop(), "web")
    give(app, shop, settings)
    security.protect(app, settings)
    access.guard(app)
    security.limit(app)
    metrics.keep(app)
    compressing.compress_answers(app)
    errors.answer(app)
    showing.teach(app, settings)
    know_numbers(app)
    for subject in SUBJECTS:
        app.register_blueprint(subject.routes)
    app.add_url_rule("/", view_func=home)
    return app


def home() -> ResponseReturnValue:
    return redirect(url_for("orders.newest"))
