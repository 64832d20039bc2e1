"""A shop that runs as real processes, with months of history, and its staff."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from eventstore.subscriptions.catch_up import lag
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.client import client_of
from tests.support.logged_in import person
from tests.support.processes import Processes
from tests.support.users import bearing, token_of
from tests.support.waiting import wait_until

STAFF: Mapping[str, tuple[str, ...]] = {
    "ines": ("admin",),
    "sara": ("sales",),
    "wim": ("warehouse",),
    "bea": ("bookkeeper",),
    "ossi": ("operator",),
    "aude": ("auditor",),
}
"""The people of the shop and their roles."""
DEMO = ("demo", "--orders", "200")
IRIS = "12"
"""Iris van der Meulen of Utrecht, a customer of the demo."""
UTRECHT = {"street": "Lijnmarkt 84", "city": "Utrecht", "country": "Netherlands"}

Line = tuple[str, int, int]
"""What it is, how many, and the price of one in cents."""
ONE_LAMP: tuple[Line, ...] = (("Reading lamp", 1, 8_000),)


@dataclass(slots=True)
class RunningShop:
    """A shop whose pages are at *address*; tests may add to what is in it."""

    address: str
    shop: Shop
    authorization: str
    processes: Processes

    def do(self, type_: str, **data: Any) -> str:
        """Have a command done by the workers; return the id of what it is about."""
        return str(self.done(type_, data)["stream_id"]).partition("-")[2]

    def done(
        self, type_: str, data: dict[str, Any], *, confirmed: Sequence[str] = ()
    ) -> dict[str, Any]:
        """
        Have a command done by the workers; return what the API tells of it.

        *confirmed* are the fields that would be asked back.
        """
        body = {"type": type_, "data": data, "confirmed": [*confirmed]}
        # A connection that is kept is closed while a test looks at something else.
        with client_of(self.address, self.authorization) as client:
            answer = client.ask(body, uuid4().hex)
            assert answer.status == 202, answer.body
            done = client.wait_for(answer.command_id)
        assert done["status"] == "succeeded", done
        return done

    def order(self, *lines: Line, customer: str = IRIS, **other: Any) -> int:
        """Place an order of *lines*, none of them of the price list."""
        items = [
            {"product": product, "quantity": quantity, "unit_price": price}
            for product, quantity, price in lines or ONE_LAMP
        ]
        placed = {"customer_id": customer, "address": UTRECHT, "items": items, **other}
        done = self.done("PlaceOrder", placed, confirmed=["required_date"])
        return int(str(done["stream_id"]).partition("-")[2])

    def settle(self) -> None:
        """Wait until the pages show all that was done."""
        with self.shop.lent() as connection:
            query = "SELECT name FROM subscriptions"
            names = [name for (name,) in connection.execute(query)]
            wait_until(lambda: lag(connection, names) == 0, "all of it is on the pages")


@contextmanager
def running_shop(
    settings: Settings, folder: Path, *, has_history: bool = True, **extra: str
) -> Iterator[RunningShop]:
    """
    Start a shop on the empty database of *settings*, and stop it at the end.

    Its broker and its logs are in *folder*, whose path is short. *extra* are variables
    that its processes get besides.
    """
    settings = replace(
        settings,
        broker_url=f"redis+socket://{folder}/redis.sock",
        catch_up_signals=True,
    )
    processes = Processes(settings, folder, extra={"WEB_PROCESSES": "1", **extra})
    shop = Shop(settings)
    try:
        if has_history:
            import_history(processes)
        processes.redis()
        processes.worker()
        processes.relay()
        address = processes.web()
        for name, roles in STAFF.items():
            person(shop, name, *roles)
        authorization = bearing(token_of(shop, "ines"))["Authorization"]
        yield RunningShop(address, shop, authorization, processes)
    finally:
        processes.kill_all()
        shop.close()


def import_history(processes: Processes) -> None:
    """Import the invented months of `recount demo`."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *DEMO],
        cwd=processes.code,
        env=processes.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
