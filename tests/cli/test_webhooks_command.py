"""`recount webhooks`: what an operator does, and reads."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from click.testing import CliRunner, Result

from cli import cli
from tasks.shop import wiring
from tasks.shop.connections import connect
from tasks.shop.wiring import Shop
from tasks.webhooks.registry import MAX_WEBHOOKS, find_undelivered
from tasks.webhooks.signing import sign
from tasks.webhooks.turn import take_turn
from tests.support.databases import as_role
from tests.support.following import append_events, ids_in_log
from tests.support.receivers import LOOPBACK, Receiver, receiving, standing_of

URL = "https://93.184.216.34/events"


@pytest.fixture(autouse=True)
def operators_shop(shop: Shop) -> Iterator[Shop]:
    """The shop, as the command line has it: with the rights of an operator."""
    url = as_role(shop.settings.database_url, "operator")
    operators = Shop(replace(shop.settings, database_url=url))
    wiring.use(operators)
    yield operators
    operators.engine.dispose()


def allow_loopback(shop: Shop) -> None:
    shop.settings = replace(shop.settings, webhook_networks=(LOOPBACK,))


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["webhooks", *arguments], input=typed)


def told(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit), result.exception
    return result.output


def test_a_webhook_is_added_and_its_secret_is_printed_once(shop: Shop) -> None:
    assert told("list") == "no webhooks\n"
    secret = told("add", "crm", URL).strip()

    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    for shown in (told("list"), told("show", "crm"), told("list", "--json")):
        assert "whsec_" not in shown
        assert secret.removeprefix("whsec_") not in shown
    assert told("list").splitlines() == [
        f"crm  {URL}  active, at 0, 0 behind, 0 s",
        "nobody sends to webhooks: no relay runs, or its sender does not come up; look"
        " into the relay's log",
    ]
    assert json.loads(told("show", "crm", "--json"))["state"] == "active"


def test_what_cannot_be_sent_to_is_refused_when_it_is_added() -> None:
    assert "begins with https://" in refused("add", "crm", "http://93.184.216.34/")
    assert "has no public address" in refused("add", "crm", "https://10.0.0.1/")
    assert "has no public address" in refused("add", "crm", "https://[::1]/")
    assert "no user and no password" in refused(
        "add", "crm", "https://a:b@example.com/"
    )
    assert "lower-case letters" in refused("add", "CRM", URL)
    assert told("list") == "no webhooks\n"


def test_a_name_that_leads_nowhere_yet_may_be_added() -> None:
    result = run("add", "crm", "https://nobody.invalid/")

    assert result.exit_code == 0
    assert "no address is known of nobody.invalid yet" in result.stderr


def test_a_name_is_given_once() -> None:
    told("add", "crm", URL)

    assert "there is a webhook crm already" in refused("add", "crm", URL)


def test_there_are_not_more_than_the_threads_suffice_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MAX_WEBHOOKS >= 20
    monkeypatch.setattr("tasks.webhooks.registry.MAX_WEBHOOKS", 1)
    told("add", "crm", URL)

    assert "there may be no more" in refused("add", "erp", URL)


def test_a_url_may_be_read_from_the_standard_input() -> None:
    """So that one with a secret in it is not in the list of processes."""
    result = run("add", "crm", "-", typed=f"{URL}?token=hunter2\n")

    assert result.exit_code == 0, result.output
    assert f"crm  {URL}?token=hunter2  active" in told("list")
    assert "a URL begins with https://" in run("add", "erp", "-", typed="").output
    assert "give - and it is read" in " ".join(told("add", "--help").split())


def test_types_and_category_are_those_of_the_shop() -> None:
    told("add", "crm", URL, "--types", "OrderCreated,OrderShipped")
    told("add", "erp", URL, "--category", "order", "--personal")

    assert "there is no event OrderEaten" in refused(
        "add", "x", URL, "--types", "OrderCreated,OrderEaten"
    )
    assert "there is no category pizza" in refused(
        "add", "x", URL, "--category", "pizza"
    )
    assert "types: OrderCreated, OrderShipped; category: all" in told("show", "crm")
    assert "types: all; category: order" in told("show", "erp")
    assert "personal fields: masked" in told("show", "crm")
    assert "personal fields: shown" in told("show", "erp")


def test_it_begins_now_or_where_it_is_told(shop: Shop) -> None:
    with shop.lent() as log:
        append_events(log, 5)
        ids = ids_in_log(log)
    told("add", "now", URL)
    told("add", "start", URL, "--from", "start")
    told("add", "third", URL, "--after", "3")
    told("add", "cursor", URL, "--after", f"2-{ids[1]}")

    found = [standing_of(shop, name) for name in ("now", "start", "third", "cursor")]
    places = [(one.name, one.position, one.behind) for one in found]
    assert places == [("now", 5, 0), ("start", 0, 5), ("third", 3, 2), ("cursor", 2, 3)]
    for wrong in ("6", "x", "-1", f"3-{ids[1]}"):
        assert "no such position" in refused("add", "x", URL, f"--after={wrong}")
    assert "either --from or --after" in refused(
        "add", "x", URL, "--after", "3", "--from", "now"
    )


def test_who_is_not_there_is_said() -> None:
    for command in ("show", "remove", "pause", "resume", "rotate", "test"):
        assert "there is no webhook zoe" in refused(command, "zoe")
    assert "there is no webhook zoe" in refused("resume", "zoe", "--skip", "order-1")


def test_it_is_paused_and_resumed_from_another_place(shop: Shop) -> None:
    with shop.lent() as log:
        append_events(log, 5)
    told("add", "crm", URL)
    told("pause", "crm")
    assert "crm  " + URL + "  paused since " in told("list")
    told("resume", "crm", "--after", "2")

    assert standing_of(shop).position == 2
    assert standing_of(shop).state == "active"
    assert "either --after or --skip" in refused(
        "resume", "crm", "--after=1", "--skip=order-1"
    )


def test_one_that_is_removed_is_gone_with_its_secrets(shop: Shop) -> None:
    told("add", "crm", URL)
    told("remove", "crm")

    assert told("list") == "no webhooks\n"
    with shop.lent() as connection:
        for table in ("webhooks", "webhook_secrets", "webhook_progress"):
            assert not connection.execute(f"SELECT FROM {table}").rowcount


def test_a_stopped_one_is_shown_with_what_failed(shop: Shop) -> None:
    with shop.lent() as log:
        append_events(log, 2)
        told("add", "crm", URL, "--from", "start")
        since = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
        failing = {
            "stream": "order-1",
            "position": 1,
            "event_id": ids_in_log(log)[0],
            "tries": 19,
            "waited": 3_600,
            "error": "500 Internal Server Error",
            "since": since.isoformat(),
        }
        log.execute(
            """
            UPDATE webhook_progress SET
                position = 2, state = 'stopped', stopped_because = 'it failed for long',
                streams = jsonb_build_array(%s::jsonb), last_answer = '500 Internal',
                answered_at = now(), outcomes = '{"answered": 19, "delivered": 1}'
            """,
            (msgspec.json.encode(failing).decode(),),
        )
    listed, shown = told("list"), told("show", "crm")
    told_by_status = CliRunner().invoke(cli, ["status"]).output

    assert "STOPPED SINCE" in listed
    assert "(it failed for long)" in listed
    assert "last answer 500 Internal, 1 streams tried again" in listed
    assert (
        "order-1: event 1 (PaymentReceived) failed 19 times since 2026-11-30 09:30:00"
        " UTC: 500 Internal Server Error"
    ) in shown
    assert "answered: 19" in shown
    assert "when it is mended: recount webhooks resume crm" in shown
    assert "webhooks: 1 stopped" in told_by_status
    assert "webhook crm STOPPED: it failed for long" in told_by_status
    assert "no event of order-2 has failed; one has of order-1" in refused(
        "resume", "crm", "--skip", "order-1", "--skip", "order-2"
    )
    assert standing_of(shop).state == "stopped"
    # What --after passes over is said, too.
    with shop.lent() as log:
        assert find_undelivered(log, "crm", 0) == []
        assert find_undelivered(log, "crm", 1) == [("order-1", 1)]
    resumed = told("resume", "crm", "--skip", "order-1")
    assert "event 1 of order-1 is never sent" in resumed


def test_status_says_that_nobody_sends_while_one_is_active(shop: Shop) -> None:
    def told_by_status() -> str:
        return CliRunner().invoke(cli, ["status"]).output

    told("add", "crm", URL)
    assert "nobody sends to webhooks" in told_by_status()
    with closing(connect(shop.settings.database_url)) as session:
        assert take_turn(session)
        assert "webhooks: 1 active" in told_by_status()
        assert "nobody sends" not in told_by_status()
    told("pause", "crm")
    assert "nobody sends" not in told_by_status()


def test_status_says_nothing_of_webhooks_where_there_are_none() -> None:
    assert "webhook" not in CliRunner().invoke(cli, ["status"]).output


def test_a_test_sends_a_signed_event_and_shows_the_answer(operators_shop: Shop) -> None:
    allow_loopback(operators_shop)
    with receiving(1) as (receiver,):
        secret = told("add", "crm", receiver.url).strip()
        assert told("test", "crm") == "delivered: 204 No Content\n"
        former = base64.b64decode(secret.removeprefix("whsec_"))
        secret = told("rotate", "crm").strip()
        assert told("test", "crm") == "delivered: 204 No Content\n"
        current = base64.b64decode(secret.removeprefix("whsec_"))
        receiver.respond = lambda _: 500
        failed = run("test", "crm", "--json")
    first, second, _ = receiver.requests

    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["outcome"] == "answered"
    assert first.event["type"] == "WebhookTested"
    assert first.event["position"] == 0
    for request, secrets in ((first, [former]), (second, [current, former])):
        at = int(request.headers["webhook-timestamp"])
        expected = sign(secrets, request.id, at, request.body)
        assert request.headers["webhook-signature"] == expected["webhook-signature"]


def test_a_network_that_was_taken_away_is_refused_at_the_next_request(
    operators_shop: Shop,
) -> None:
    allow_loopback(operators_shop)
    with Receiver().serving() as receiver:
        told("add", "crm", receiver.url)
        operators_shop.settings = replace(operators_shop.settings, webhook_networks=())
        answer = run("test", "crm")

    assert answer.exit_code == 1
    assert "refused: the receiver is reached by https only" in answer.stdout
    assert receiver.requests == []
