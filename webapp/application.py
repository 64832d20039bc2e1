"""The web application, put together: its blueprints, and the checks before them."""

from flask import Flask

from tasks.broker.checks import warn_of_broker
from tasks.heartbeat import processes
from tasks.shop import wiring
from tasks.shop.logging import log_to_stderr
from tasks.shop.settings import load_settings
from tasks.shop.startup_checks import refuse_what_loses_data
from tasks.shop.wiring import Shop
from webapp import (
    admission,
    authorization,
    compressing,
    error_handlers,
    health,
    local_login,
    metrics,
    problems,
    search_marks,
    security,
    template_filters,
)
from webapp.answering_store import AskingElsewhere, tell_stores
from webapp.api import changes, command_list, documents, events, queries, trying
from webapp.api import commands as api_commands
from webapp.api import why as api_why
from webapp.csv_files import sending
from webapp.current_shop import give
from webapp.login import acting, sessions
from webapp.login import views as login
from webapp.pages import (
    accounts,
    commands,
    csv_lists,
    customers,
    demo,
    desk,
    first_user,
    many,
    orders,
    products,
    sales,
    search,
    tokens,
    transfers,
    users,
    why,
)
from webapp.past import changes_api, changes_pages
from webapp.past.moment_asked import know_moments
from webapp.past.on_pages import teach_pages
from webapp.url_converters import know_numbers

SUBJECTS = (
    desk,
    demo,
    search,
    # Before the orders: its addresses look like one.
    many,
    orders,
    customers,
    products,
    sales,
    accounts,
    transfers,
    csv_lists,
    commands,
    why,
    api_commands,
    trying,
    command_list,
    queries,
    api_why,
    documents,
    events,
    changes,
    changes_api,
    changes_pages,
    health,
    metrics,
    problems,
    local_login,
    login,
    first_user,
    users,
    tokens,
)


def make_app(shop: Shop | None = None) -> Flask:
    """
    Return the web application.

    Without *shop*, each process makes its own at the first request that needs one. The
    process ends if the database could lose data.
    """
    app = AskingElsewhere("webapp")
    settings = shop.settings if shop else load_settings()
    log_to_stderr(settings.log_level, settings.log_format)
    if shop is None and settings.role == "web":
        refuse_what_loses_data(wiring.shop())
        warn_of_broker(wiring.shop())
        processes.begin_where_served(wiring.shop(), "web")
    give(app, shop, settings)
    security.protect(app, settings)
    authorization.keep(app)
    sessions.keep(app)
    admission.guard(app)
    know_moments(app)
    security.limit(app)
    metrics.keep(app)
    events.keep(app)
    compressing.compress_answers(app)
    sending.keep(app)
    tell_stores(app)
    error_handlers.answer(app)
    template_filters.teach(app, settings)
    acting.teach(app)
    search_marks.add_marks(app)
    teach_pages(app)
    know_numbers(app)
    for subject in SUBJECTS:
        app.register_blueprint(subject.routes)
    return app
