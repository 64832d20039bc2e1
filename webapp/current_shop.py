"""The shop that a view works for."""

from typing import cast

from flask import Flask, current_app

from eventstore.access import senders
from tasks.shop import wiring
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from webapp.notation import Notation, notation_of

LOCAL = senders.LOCAL
"""Who uses the pages, as long as there is no user."""


def give(app: Flask, shop: Shop | None, settings: Settings) -> None:
    app.extensions["shop"] = shop
    app.extensions["settings"] = settings


def the_shop() -> Shop:
    """Return the application's own shop, or else the process's."""
    return cast(Shop | None, current_app.extensions["shop"]) or wiring.shop()


def the_settings() -> Settings:
    """Return the application's settings, without making a shop."""
    return cast(Settings, current_app.extensions["settings"])


def the_notation() -> Notation:
    """Return how the shop's pages write and read values."""
    return notation_of(the_shop().settings)
