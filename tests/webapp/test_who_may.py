"""All routes of the API and all types of commands, asked by everybody there can be."""

import re
from collections.abc import Collection
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from eventstore.access.users import set_disabled
from eventstore.journal import entries
from tasks import commands
from tasks.shop.permissions import COMMANDS, READING, ROLES, SCOPES, permissions_of
from tasks.shop.wiring import Shop
from tests.support.users import bearing, token_of, user
from webapp.authorization import BY_TYPE, OWN, ROUTES


def routes(app: Flask) -> dict[str, tuple[str, str]]:
    """Return a method and an address of each endpoint of the API."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api"):
            method = "POST" if "POST" in (rule.methods or ()) else "GET"
            uuids = re.sub(r"<uuid:\w+>", str(UUID(int=7)), rule.rule)
            found[rule.endpoint] = method, re.sub(r"<[^>]+>", "1", uuids)
    return found


def answer(
    client: FlaskClient, method: str, address: str, headers: dict[str, str]
) -> int:
    return client.open(address, method=method, headers=headers).status_code


def test_every_route_of_the_api_has_a_rule_and_no_rule_is_without_its_route(
    app: Flask,
) -> None:
    assert set(ROUTES) == set(routes(app))
    assert set(ROUTES.values()) <= {BY_TYPE, OWN} | READING


def test_every_command_wants_a_permission_that_some_role_has(shop: Shop) -> None:
    assert set(COMMANDS) == set(shop.commands)
    assert set(COMMANDS.values()) <= permissions_of(ROLES)


def test_a_role_gets_the_answers_of_its_permissions(app: Flask, shop: Shop) -> None:
    client, asked = app.test_client(), routes(app)

    for role in ROLES:
        headers = user(shop, role, role)
        answers = {name: answer(client, *asked[name], headers) for name in asked}

        refused = {name for name, status in answers.items() if status == 403}
        assert refused == wanting_more_than(ROLES[role])
        assert 401 not in answers.values()


def test_a_former_name_of_a_role_has_its_permissions(app: Flask, shop: Shop) -> None:
    client, headers = app.test_client(), user(shop, "eve", "cashier")
    sent = client.post(
        "/api/commands",
        json={"type": "OpenAccount", "data": {"account_id": "till"}},
        headers={"Idempotency-Key": "till", **headers},
    )
    commands.run(shop, [UUID(sent.get_json()["id"])])

    with shop.engine.connect() as connection:
        entry = entries.find(connection, UUID(sent.get_json()["id"]))
    assert entry is not None
    assert entry.status == "succeeded"


def wanting_more_than(permissions: Collection[str]) -> set[str]:
    """Return the endpoints that want another permission than these."""
    return {
        name
        for name, wanted in ROUTES.items()
        if wanted not in (BY_TYPE, OWN) and wanted not in permissions
    }


@pytest.mark.parametrize("authorization", ["none", "wrong", "basic", "no-scope"])
def test_nobody_gets_an_answer_without_a_token_that_is_good_for_it(
    app: Flask, shop: Shop, authorization: str
) -> None:
    user(shop, "admin", "admin")
    headers = {
        "none": {},
        "wrong": bearing(f"recount_0123456789ab_{'A' * 43}"),
        "basic": {"Authorization": "Basic YWRtaW46YWRtaW4="},
        "no-scope": bearing(token_of(shop, "admin", [])),
    }[authorization]
    client = app.test_client()

    answers = {
        name: answer(client, *asked, headers) for name, asked in routes(app).items()
    }

    if authorization != "no-scope":
        assert set(answers.values()) == {401}
    else:
        # Its own commands it may see, and of others it is not told that they are there.
        by_the_view = {
            name: answers.pop(name)
            for name, wanted in ROUTES.items()
            if wanted in (BY_TYPE, OWN)
        }
        assert by_the_view.pop("api.command") == 404
        assert by_the_view.pop("journal.commands") == 200
        # What is wrong with the request is told before who may send what.
        assert set(by_the_view.values()) <= {400, 404, 415, 422}
        assert set(answers.values()) == {403}


def test_a_route_without_a_rule_answers_nobody(app: Flask, shop: Shop) -> None:
    app.add_url_rule("/api/new", "new", lambda: "secret")
    headers = user(shop, "admin", "admin")

    assert answer(app.test_client(), "GET", "/api/new", headers) == 403


def test_a_role_may_send_the_commands_of_its_permissions(
    app: Flask, shop: Shop
) -> None:
    client = app.test_client()

    for role in ROLES:
        headers = user(shop, role, role)
        answers = {
            name: client.post(
                "/api/commands",
                json={"type": name, "data": {"nothing": "of it"}},
                headers={"Idempotency-Key": name, **headers},
            ).status_code
            for name in shop.commands
        }
        assert answers == {
            name: 422 if COMMANDS[name] in ROLES[role] else 403
            for name in shop.commands
        }


def test_a_command_is_held_against_the_roles_of_its_sender_when_it_is_decided(
    shop: Shop,
) -> None:
    """However it got into the journal: these went past every check of the web."""
    for role in ROLES:
        user(shop, role, role)
    user(shop, "nothing")
    user(shop, "of-a-later-version", "role-of-tomorrow")
    user(shop, "disabled", "admin")
    with shop.lent() as connection:
        set_disabled(connection, "disabled", is_disabled=True)

    every = shop.deciders.commands
    for name in (*ROLES, "nothing", "of-a-later-version", "disabled", "unknown"):
        may = ROLES.get(name, frozenset())
        sent = {type_: accept_unreadable(shop, type_, name) for type_ in every}
        commands.run(shop, list(sent.values()))

        assert {type_: rule_of(shop, sent[type_]) for type_ in sent} == {
            type_: "InvalidInput" if COMMANDS.get(type_) in may else "NotAllowed"
            for type_ in sent
        }


def test_what_no_user_has_sent_needs_no_role(shop: Shop) -> None:
    user(shop, "first", "admin")

    sent = [
        accept_unreadable(shop, name, principal)
        for name in shop.commands
        for principal in ("local", "process:transfers")
    ]
    commands.run(shop, sent)

    assert {rule_of(shop, command_id) for command_id in sent} == {"InvalidInput"}


def test_what_processes_send_is_never_refused_as_unreadable(shop: Shop) -> None:
    """They would not hear of it, and money would be under way for ever."""
    internal = set(shop.deciders.commands) - set(shop.commands)
    sent = [accept_unreadable(shop, name, "process:transfers") for name in internal]
    commands.run(shop, sent)

    with shop.engine.connect() as connection:
        found = [entries.find(connection, command_id) for command_id in sent]
    assert {entry.status for entry in found if entry} == {"failed"}


def test_what_processes_send_is_decided_for_nobody_else(shop: Shop) -> None:
    """Nor without any user: these went past every check of the web."""
    internal = set(shop.deciders.commands) - set(shop.commands)

    sent = [accept_unreadable(shop, name, "local") for name in internal]
    commands.run(shop, sent)

    assert len(sent) == 8
    assert {rule_of(shop, command_id) for command_id in sent} == {"NotAllowed"}


def test_a_scope_narrows_what_a_token_is_good_for(app: Flask, shop: Shop) -> None:
    user(shop, "admin", "admin")
    client, asked = app.test_client(), routes(app)

    for scope, permissions in SCOPES.items():
        headers = bearing(token_of(shop, "admin", [scope]))
        refused = {n for n in asked if answer(client, *asked[n], headers) == 403}

        assert refused == wanting_more_than(permissions)


def accept_unreadable(shop: Shop, command_type: str, principal: str) -> UUID:
    """Write a command to the journal that is refused as unreadable, if not before."""
    command_id = uuid4()
    decider = shop.deciders.of_command(shop.deciders.commands[command_type])
    with shop.lent() as connection:
        connection.execute(
            """
            SELECT accept(
                %s, %s, %s, NULL, %s, '{"nothing": "of it"}',
                jsonb_build_object('correlation_id', %s, 'actor', %s::text),
                %s, '', NULL, NULL
            )
            """,
            (
                command_id,
                f"{decider.category}-{command_id}",
                decider.category,
                command_type,
                command_id,
                principal,
                principal,
            ),
        )
    return command_id


def rule_of(shop: Shop, command_id: UUID) -> str:
    with shop.engine.connect() as connection:
        entry = entries.find(connection, command_id)
    assert entry is not None
    assert (entry.status, entry.position) == ("rejected", None)
    assert entry.error is not None
    return str(entry.error["rule"])
