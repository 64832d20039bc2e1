"""An e-mail address is one customer's, also where two register at the same moment."""

from collections import Counter

import pytest
import sqlalchemy as sa

from tests.support.client import client_of, send_all
from tests.support.processes import Processes

pytestmark = pytest.mark.races

ADDRESSES = 40


def test_of_two_who_register_the_same_address_at_once_one_is_refused(
    processes: Processes, engine: sa.Engine
) -> None:
    """Two customers each, on streams that two processes of the worker drain."""
    processes.redis()
    processes.worker(concurrency=2)
    web = processes.web()
    answers = send_all(
        web,
        [
            (
                "RegisterCustomer",
                {"name": "Alice", "email": f"alice{number}@example.com"},
            )
            for number in range(ADDRESSES)
            for _ in range(2)
        ],
    )
    with client_of(web) as client:
        ended = [client.wait_for(answer.command_id) for answer in answers]

    pairs = zip(ended[::2], ended[1::2], strict=True)
    assert Counter(
        tuple(sorted(command["status"] for command in pair)) for pair in pairs
    ) == {("rejected", "succeeded"): ADDRESSES}
    with engine.connect() as connection:
        claims = connection.scalar(sa.text("SELECT count(*) FROM unique_claims"))
        events = connection.scalar(sa.text("SELECT count(*) FROM events"))
    assert claims == events == ADDRESSES
