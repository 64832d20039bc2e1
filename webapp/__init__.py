"""HTTP in, commands out; read models in, pages and JSON out."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from tasks.shop.wiring import Shop


def create_app(shop: "Shop | None" = None) -> "Flask":
    """
    Return the web application, for `flask --app webapp run` and for gunicorn.

    Without *shop*, each process makes its own at the first request that needs one. The
    process ends if the database could lose data.
    """
    # Imported here: other programs use parts of this package, and need not load Flask,
    # Celery and all pages.
    from webapp.application import make_app

    return make_app(shop)
