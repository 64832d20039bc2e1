"""Where a view finds the shop it works for."""

from typing import cast

from flask import Flask, current_app

from eventstore.access import senders
from tasks.shop import wiring
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from webapp.formats import Notation

LOCAL = senders.LOCAL
"""The principal of all pages, as long as there is no login."""


def give(app: Flask, shop: Shop | None, settings: Settings) -> None:
    app.extensions["shop"] = shop
    app.extensions["settings"] = settings


def the_shop() -> Shop:
    """Return the application's shop; without one of its own, the process's."""
    return cast(Shop | None, current_app.extensions["shop"]) or wiring.shop()


def the_settings() -> Settings:
    """Return the settings of the application, without making a shop."""
    return cast(Settings, current_app.extensions["settings"])


def the_notation() -> Notation:
    """Return how people write in this shop."""
    settings = the_shop().settings
    return Notation(currency=settings.currency, timezone=settings.timezone)
