"""A command that ends its runner, among fifty: it alone fails, whatever it does."""

import json
import time

import pytest
import sqlalchemy as sa

from eventstore.journal.runner import Limits
from tests.support.client import client_of
from tests.support.faulty_shop import AMOUNTS, EAT, HANG, KILL, RAISE, RECURSE
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

FAULTY = "tests.support.faulty_shop"
FIFTY = 50
WORST = {
    KILL: "RunnerDied",
    HANG: "RunnerDied",
    EAT: "MemoryError",
    RECURSE: "RecursionError",
    RAISE: "ZeroDivisionError",
}
ENDS = """
SELECT stream_id, status, error ->> 'error', data ->> 'amount', attempts,
    extract(epoch FROM finished_at - min(accepted_at) OVER (PARTITION BY stream_id))
FROM commands WHERE type = 'Deposit' ORDER BY stream_id, seq
"""
EFFECTS = """
SELECT array_agg((data ->> 'amount')::int ORDER BY version)
FROM events WHERE stream_id = :stream AND type = 'MoneyDeposited'
"""


def test_of_fifty_the_one_that_ends_its_runner_fails_and_the_others_go_on_in_order(
    processes: Processes, engine: sa.Engine
) -> None:
    processes.redis()
    processes.extra["TIME_LIMIT"] = "1"
    processes.relay(FAULTY)
    processes.worker(FAULTY, "--soft-time-limit", "1", "--time-limit", "1")
    address = processes.web()
    amounts = {spell: amount for amount, spell in AMOUNTS.items()}
    lines = []
    for number, spell in enumerate(WORST):
        account = {"account_id": f"N{number}"}
        fifty = [*range(1, 26), amounts[spell], *range(27, FIFTY + 1)]
        lines.append({"type": "OpenAccount", "data": account})
        lines += [
            {"type": "Deposit", "data": {**account, "amount": amount}}
            for amount in fifty
        ]
    started = time.monotonic()
    with client_of(address) as client:
        headers = {"Idempotency-Key": "poison"}
        status, _ = client.call("POST", "/api/commands/batch", lines, headers)
    assert status == 202

    def are_final() -> bool:
        with engine.connect() as connection:
            waiting = "SELECT count(*) FROM commands WHERE status = 'accepted'"
            return not connection.scalar(sa.text(waiting))

    wait_until(are_final, "all are final", seconds=60)
    print(f"all final after {time.monotonic() - started:.1f} s")
    with engine.connect() as connection:
        rows = connection.execute(sa.text(ENDS)).all()
    for number, (spell, error) in enumerate(WORST.items()):
        stream = f"account-N{number}"
        mine = [row for row in rows if row.stream_id == stream]
        failed = [row for row in mine if row.status != "succeeded"]
        print(json.dumps([spell, *(str(value) for value in failed[0])]))
        assert [(row.status, row[2], int(row[3])) for row in failed] == [
            ("failed", error, amounts[spell])
        ]
        assert failed[0].attempts <= Limits().deaths
        with engine.connect() as connection:
            happened = connection.scalar(sa.text(EFFECTS), {"stream": stream})
        assert happened == [*range(1, 26), *range(27, FIFTY + 1)]
