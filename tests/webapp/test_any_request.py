"""Whatever is asked, the answer is one that is documented, and comes soon."""

from itertools import islice

from flask import Flask

from tasks.shop.local_access import authorization
from tasks.shop.wiring import Shop
from tests.requests.bodies import Credentials
from tests.requests.making import Maker
from tests.requests.sending import InProcess, send_all
from tests.support.settings import SECRET_KEY
from tests.support.visiting import hidden_of

COUNT = 2_000


def test_no_request_is_answered_with_an_error_of_ours(app: Flask, shop: Shop) -> None:
    page = app.test_client().get("/customers/new")
    known = Credentials(
        authorization(SECRET_KEY),
        page.headers["Set-Cookie"].partition(";")[0],
        hidden_of(page.text)["csrf_token"],
    )
    maker = Maker(app, shop.commands, known, seed=2026)
    made = (maker.make() for _ in iter(int, 1))

    web = InProcess(app)
    outcome = send_all(web, islice(made, COUNT))

    assert outcome.wrong == []
    # The bound of a second is held on a machine of its own: python -m tests.requests.
    assert outcome.slowest < 20
    assert {200, 202, 303, 400, 401, 403, 404, 405, 422} <= set(outcome.statuses)


def test_the_same_seed_makes_the_same_requests(app: Flask, shop: Shop) -> None:
    known = Credentials("a", "b", "c")
    first, second = (Maker(app, shop.commands, known, seed=7) for _ in range(2))

    assert [first.make() for _ in range(300)] == [second.make() for _ in range(300)]
