"""GET /metrics: figures from the tables, whichever process is asked."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from domain.accounts.commands import Deposit, OpenAccount
from eventstore.aggregates.command_handler import handle
from eventstore.heartbeats.heartbeats import Beat, beat
from eventstore.journal.pruning import prune
from tasks import commands
from tasks.accept import accept
from tasks.shop.connections import connect
from tasks.shop.deciders import ACCOUNTS
from tasks.shop.wiring import Shop
from tasks.webhooks.standing import find_standings
from tasks.webhooks.turn import take_turn
from tests.support.desk import Do, alice, bob, cancel, place, ship
from tests.support.following import append_events
from tests.support.receivers import add
from tests.support.visiting import CLOCKS, Send
from webapp.feed.follower import Follower
from webapp.feed.tally import STREAM, WAITING

FEED = ("recount_feed_streams", "recount_feed_waiting")
Figures = dict[tuple[str, ...], float]


def figures(client: FlaskClient) -> Figures:
    """Return each figure by its name and the values of its labels."""
    text = client.get("/metrics").text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_journal_is_counted(client: FlaskClient, do: Do, send: Send) -> None:
    do(alice, place, ship, cancel)
    send("PlaceOrder", CLOCKS)
    found = figures(client)

    assert found["recount_commands_accepted_total",] == 5
    assert found["recount_commands", "succeeded"] == 3
    assert found["recount_commands", "rejected"] == 1
    assert found["recount_commands", "failed"] == 0
    assert found["recount_commands_waiting",] == 1
    assert found["recount_oldest_waiting_seconds",] > 0
    assert found["recount_commands_run", "worker"] == 4
    assert found["recount_relay_share",] == 0
    assert found["recount_commands_attempts",] == 4
    assert found["recount_commands_conflicts",] == 0


def test_what_is_scheduled_is_not_counted_as_waiting(client: FlaskClient) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    scheduled = {"type": "PlaceOrder", "data": CLOCKS, "not_before": tomorrow}
    client.post("/api/commands", json=scheduled, headers={"Idempotency-Key": "one"})

    found = figures(client)

    assert found["recount_commands", "scheduled"] == 1
    assert found["recount_commands", "accepted"] == 0


def test_conflicts_are_counted_and_each_attempt(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    do(OpenAccount(account_id="till", currency="EUR"))
    conflicts = iter(range(2))

    def decide(state: Any, command: Any, **others: Any) -> Any:
        """Decide, when twice somebody else has been faster."""
        for _ in islice(conflicts, 1):
            pay_in(shop, 1)
        return ACCOUNTS.decide(state, command, **others)

    slow = replace(shop, slices=[replace(ACCOUNTS, decide=decide)])
    vars(slow)["engine"] = shop.engine
    commands.run(slow, [accepted(shop, Deposit(account_id="till", amount=7))])
    found = figures(client)

    assert found["recount_commands", "succeeded"] == 2
    assert found["recount_commands_conflicts",] == 2
    assert found["recount_commands_attempts",] == 1 + 3


def pay_in(shop: Shop, amount: int) -> None:
    """Pay in without the journal."""
    with shop.lent() as connection:
        handle(
            connection,
            Deposit(account_id="till", amount=amount),
            stream_id="account-till",
            deciders=shop.deciders,
            actor="olga",
        )


def accepted(shop: Shop, command: Any) -> UUID:
    """Accept a command, and leave it waiting."""
    return accept(shop, command, key="later", principal="staff").command_id


def test_the_relay_s_share_is_of_all_that_somebody_ran(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    do(alice, place, ship)
    commands.run(shop, [accepted(shop, cancel)], ran_by="relay")
    accept(shop, bob, key="waits", principal="staff")
    found = figures(client)

    assert found["recount_commands_run", "worker"] == 3
    assert found["recount_commands_run", "relay"] == 1
    assert found["recount_relay_share",] == 0.25


def test_what_was_pruned_is_counted_and_what_was_undone_is_not(
    client: FlaskClient, shop: Shop, do: Do, send: Send
) -> None:
    do(alice, place, ship)
    with shop.lent() as connection:
        assert sum(prune(connection, datetime.now(UTC), by="olga")) == 3
    send("PlaceOrder", CLOCKS)
    with shop.engine.connect() as connection:
        connection.execute(
            sa.text("UPDATE commands SET id = gen_random_uuid(); DELETE FROM commands")
        )
        connection.rollback()

    assert figures(client)["recount_commands_accepted_total",] == 4
    assert figures(client)["recount_commands", "accepted"] == 1
    assert ("recount_commands", "pruned") not in figures(client)


def test_what_is_behind_is_told_by_subscription(client: FlaskClient, do: Do) -> None:
    do(alice, place)
    found = figures(client)

    assert found["recount_subscription_lag", "order_list_g1"] == 0
    assert found["recount_subscription_stopped", "order_list_g1"] == 0


def test_breakers_of_all_processes_are_told(client: FlaskClient, shop: Shop) -> None:
    with shop.lent() as connection:
        for process, state in (("web:a:1", "open"), ("web:a:2", "closed")):
            said = Beat(process=process, role="web", detail={"breaker": state})
            beat(connection, said, is_new=True)
    found = figures(client)

    assert found["recount_breaker_open", "web:a:1"] == 1
    assert found["recount_breaker_open", "web:a:2"] == 0
    assert found["recount_process_silence_seconds", "web:a:1", "web"] < 3


def test_webhooks_are_counted_by_state_and_attempts_by_how_they_ended(
    client: FlaskClient, shop: Shop
) -> None:
    assert figures(client)["recount_webhooks", "active"] == 0
    with shop.lent() as log:
        append_events(log, 1)
        for name in ("crm", "erp"):
            add(shop, name, "https://example.com/")
        log.execute(
            """
            UPDATE webhook_progress SET state = 'stopped', position = 0,
                outcomes = '{"delivered": 3, "timed out": 2}'
            WHERE name = 'erp'
            """
        )
    found = figures(client)

    assert found["recount_webhooks", "active"] == 1
    assert found["recount_webhooks", "stopped"] == 1
    assert found["recount_webhook_attempts", "delivered"] == 3
    assert found["recount_webhook_attempts", "timed out"] == 2
    assert found["recount_webhook_attempts", "gone"] == 0
    assert 0 < found["recount_webhook_oldest_lag_seconds",] < 60
    assert found["recount_webhook_senders",] == 0
    with closing(connect(shop.settings.database_url)) as session:
        assert take_turn(session)
        assert figures(client)["recount_webhook_senders",] == 1


def test_the_lag_of_a_webhook_does_not_fall_when_it_is_stopped(
    client: FlaskClient, shop: Shop
) -> None:
    lag = ("recount_webhook_oldest_lag_seconds",)
    with shop.lent() as log:
        append_events(log, 1)
        add(shop, "crm", "https://example.com/")
        active = figures(client)[lag]
        log.execute("UPDATE webhook_progress SET state = 'stopped'")
        assert figures(client)[lag] >= active > 0
        log.execute("UPDATE webhook_progress SET state = 'paused'")
        assert figures(client)[lag] == 0


@pytest.mark.parametrize("recorded_at", ["'\"yesterday\"'", "'12'", "'null'"])
def test_an_event_without_a_time_breaks_no_figure(
    client: FlaskClient, shop: Shop, recorded_at: str
) -> None:
    with shop.lent() as log:
        append_events(log, 2)
        add(shop, "crm", "https://example.com/")
        log.execute("ALTER TABLE events DISABLE TRIGGER USER")
        log.execute(
            "UPDATE events SET occurred_at = now() - interval '1 hour', metadata ="
            f" jsonb_set(metadata, '{{recorded_at}}', {recorded_at}) WHERE id = 1"
        )
        log.execute("ALTER TABLE events ENABLE TRIGGER USER")
        # And a row of which nothing can be read.
        add(shop, "erp", "https://example.com/")
        log.execute(
            """
            UPDATE webhook_progress SET streams = '{"position": "x"}', outcomes = '[]'
            WHERE name = 'erp'
            """
        )
        standing, unreadable = find_standings(log)
    found = figures(client)["recount_webhook_oldest_lag_seconds",]

    assert found == pytest.approx(3_600, abs=60)
    assert (standing.behind, unreadable.streams, unreadable.outcomes) == (2, [], {})


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1"])
def test_figures_are_for_this_computer_alone(client: FlaskClient, address: str) -> None:
    answer = client.get("/metrics", environ_base={"REMOTE_ADDR": address})

    assert answer.status_code == 403


def test_without_the_database_there_are_no_figures(away: FlaskClient) -> None:
    assert away.get("/metrics").status_code == 503


def test_open_streams_and_waiting_requests_are_counted(
    client: FlaskClient, follower: Follower
) -> None:
    before = figures(client)
    assert follower.tally.take(STREAM)
    assert follower.tally.take(STREAM)
    assert follower.tally.take(WAITING)
    follower.tally.give_back(STREAM)
    after = figures(client)

    assert [before[name,] for name in FEED] == [0, 0]
    assert [after[name,] for name in FEED] == [1, 1]
