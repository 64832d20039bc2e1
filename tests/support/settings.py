"""The settings of a shop in the tests."""

import os
from zoneinfo import ZoneInfo

from tasks.shop.setting_values import broker_url, master_keys
from tasks.shop.settings import Settings
from tests.support.databases import MASTER_KEY

SECRET_KEY = "of no use outside of the tests, 32+"


def settings_for(database: str) -> Settings:
    """Return settings with a database and, unless a test asks for one, no broker."""
    return Settings(
        database_url=database,
        broker_url=broker_url(os.environ.get("REDIS_URL", "redis+socket:///nowhere")),
        secret_key=SECRET_KEY,
        master_keys=master_keys(MASTER_KEY),
        timezone=ZoneInfo("UTC"),
        catch_up_signals=False,
        # Else each order has a command of its own that waits for its day.
        unpaid_days=None,
    )
