"""
The order desk with a fold of its list of orders that fails, or ends its process.

`celery -A tests.support.faulty_folds worker` and `python -m tests.support.faulty_folds`
(the relay) run it. The variable FOLD says what each fold does: `fail`, or `kill` or
`stop` its process.
"""

import os
import signal
import sys
from dataclasses import replace
from typing import Any

from readmodels import order_list
from tasks import relay
from tasks.app import app
from tasks.shop import wiring
from tasks.shop.settings import load_settings
from tasks.shop.wiring import Shop

__all__ = ["app"]

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def fold(*_: Any) -> Any:
    number = SIGNALS.get(os.environ["FOLD"])
    if number is not None:
        os.kill(os.getpid(), number)
    raise ZeroDivisionError("a bug of the shop")


def faulty_shop(role: str) -> Shop:
    shop = Shop(load_settings(role))
    projections = [
        replace(one, fold=fold) if one is order_list.projection else one
        for one in shop.projections
    ]
    return replace(shop, projections=projections)


if __name__ == "__main__":
    wiring.use(faulty_shop("relay"))
    relay.main()
elif "celery" in sys.argv[0]:
    # Loaded by `celery -A`: nobody else calls anything here.
    wiring.use(faulty_shop("worker"))
