"""The shop of `recount demo --live`, made without a server and without workers."""

from typing import Any
from uuid import UUID

from flask.testing import FlaskClient

from tasks import catch_up, commands
from tasks.shop.demo.client import Client
from tasks.shop.demo.running import Demo
from tasks.shop.wiring import Shop


class ClientInProcess(Client):
    """The demo's client: it asks *web*, and runs each command that was accepted."""

    def __init__(self, shop: Shop, web: FlaskClient) -> None:
        super().__init__("http://127.0.0.1:1")
        self.shop = shop
        self.web = web

    def call(
        self, method: str, path: str, body: object = None, *, key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        answer = self.web.open(
            path, method=method, json=body, headers={"Idempotency-Key": key}
        )
        content = answer.get_json()
        if answer.status_code == 202:
            commands.run(self.shop, [UUID(content["id"])])
        return answer.status_code, content


def fill_with_demo(shop: Shop, web: FlaskClient) -> None:
    """Send all commands of the demo, and bring the read models up to date."""
    run = Demo(ClientInProcess(shop, web), shop.settings.currency, lambda _: None)
    run.run()
    catch_up.run(shop)
