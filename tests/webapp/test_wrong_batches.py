"""A batch of many wrong lines is answered soon and briefly, and loses nothing."""

import json
import time

import pytest
from flask.testing import FlaskClient

from tasks.shop.wiring import Shop
from tests.support.visiting import assert_problem
from tests.webapp.test_batches import LINES, PLACE, REGISTER, journal, post, told


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x\n" * 240_000, LINES),
        ('{"type":"Deposit","data":{"amuont":1}}\n' * 240_000, LINES),
        ("[" + ",".join(["{}"] * 240_000) + "]", "application/json"),
        ("[" + ",".join(["1"] * 240_000) + "]", "application/json"),
    ],
)
def test_a_batch_of_wrong_lines_alone_is_answered_soon_and_briefly(
    client: FlaskClient, text: str, kind: str
) -> None:
    started = time.process_time()

    response = post(client, text, kind=kind)

    # Of the processor: what others do on the machine beside is not ours. Alone it takes
    # half a second; after a thousand tests in its process the collector adds as much.
    assert time.process_time() - started < 4
    assert response.status_code == 422
    assert len(response.data) < 1_000_000
    assert response.json is not None
    assert response.json["accepted"] == 0
    assert response.json["refused"] == 1_000
    assert response.json["not_looked_at"] == 239_000


def test_what_was_accepted_before_too_many_wrong_lines_is_promised(
    client: FlaskClient, shop: Shop
) -> None:
    response = post(client, REGISTER, *["x"] * 1_500, PLACE)

    assert response.status_code == 202
    assert journal(shop) == ["RegisterCustomer"]
    assert response.json is not None
    assert response.json["not_looked_at"] == 2
    again = post(client, REGISTER, PLACE)
    assert [line["status"] for line in told(again)] == ["accepted", "accepted"]


def test_a_line_has_the_limit_of_a_command(client: FlaskClient) -> None:
    long = json.dumps({"type": "RegisterCustomer", "data": {"name": "x" * 65_536}})

    (line, other) = told(post(client, long, REGISTER))

    assert line["problem"] == "/problems/too-large"
    assert other["status"] == "accepted"


def test_an_array_of_countless_objects_is_refused_as_a_whole(
    client: FlaskClient,
) -> None:
    text = "[" + ",".join(["{}"] * 600_000) + "]"

    assert_problem(post(client, text, kind="application/json"), 413, "too-large")


def test_a_line_with_countless_faults_is_answered_briefly(client: FlaskClient) -> None:
    items = [{"x" * 50: 1}] * 1_000
    data = {"customer_id": "ALICE", "items": items}
    response = post(client, *[{"type": "PlaceOrder", "data": data}] * 20)

    assert response.status_code == 422
    assert len(response.data) < 100_000
