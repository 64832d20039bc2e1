"""HTTP in, commands out; read models in, pages and JSON out."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from tasks.shop.wiring import Shop


def create_app(shop: "Shop | None" = None) -> "Flask":
    """
    Return the web application, for `flask --app webapp run` and for gunicorn.

    Without *shop*, each process makes its own at the first request that needs one. A
    server begins no work on a database that loses what it is given.
    """
    # Imported here: the operators' commands stand in this package too, and each of them
    # would pay for Flask, Celery and all pages.
    from webapp.application import make_app

    return make_app(shop)
