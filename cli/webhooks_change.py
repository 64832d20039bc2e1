"""`recount webhooks add`, `pause`, `resume`, `rotate`, `test` and `remove`."""

import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import click
import msgspec
import psycopg

from cli.output import json_of
from eventstore.errors import BadCursor, CheckpointNotInLog
from eventstore.errors.unreadable import WrongMasterKey
from eventstore.subscriptions.external_store import ForeignCheckpoint, last_up_to
from tasks.shop.event_feed import START, EventFilter, find_end, find_goal, parse_cursor
from tasks.shop.published_events import PublishedEvent
from tasks.shop.wiring import shop
from tasks.webhooks import registry
from tasks.webhooks.addresses import SETTING, RefusedAddress, check_addresses, resolve
from tasks.webhooks.posting import post
from tasks.webhooks.receiver import BadUrl, parse_url
from tasks.webhooks.selection import find_unknown, known_types
from tasks.webhooks.signing import format_secret, sign
from tasks.webhooks.stored_secrets import find_secrets, rotate_secret, unwrap_all

ONCE = "Its secret is above; it cannot be shown again."


@click.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--types", help="Types of events, with commas between them; else all.")
@click.option("--category", help="The kind of streams: order, customer …; else all.")
@click.option(
    "--from",
    "begin",
    type=click.Choice(["now", "start"]),
    help="Begin with what happens from now on, or with the first event.",
)
@click.option("--after", help="Begin behind this position, or cursor of the feed.")
@click.option("--personal", is_flag=True, help="Show personal fields; else masked.")
def add_webhook(
    name: str,
    url: str,
    types: str | None,
    category: str | None,
    begin: str | None,
    after: str | None,
    personal: bool,
) -> None:
    """
    Send events to URL, and print the secret that signs them.

    A URL on the command line can be read by all users of this computer while the
    command runs, and stays in the shell's history. If it has a secret in it, give - and
    it is read from the standard input.

    It begins with what happens from now on, unless --from or --after says otherwise.
    Standard output has the secret alone. With --personal the receiver gets what is
    personal, and has to delete it when the person is forgotten.
    """
    wanted = filter_of(types, category)
    if url == "-":
        url = sys.stdin.readline().strip()
    check_url(url)
    if after is not None and begin is not None:
        raise click.UsageError("either --from or --after")
    with shop().lent(keep_after=(click.ClickException,)) as connection:
        try:
            secret = registry.add_webhook(
                connection,
                name,
                url,
                wanted=wanted,
                is_personal=personal,
                after=place_of(connection, after, begin),
                masters=shop().settings.master_keys,
            )
        except registry.WebhookRefused as error:
            raise click.ClickException(str(error)) from error
    click.echo(format_secret(secret))
    click.echo(f"{name} is active. {ONCE}", err=True)


def filter_of(types: str | None, category: str | None) -> EventFilter:
    deciders = shop().deciders
    named = None if types is None else frozenset(types.split(","))
    wanted = EventFilter(named, category)
    if unknown := find_unknown(wanted, deciders):
        is_event = unknown[0].startswith("event ")
        known = known_types(deciders) if is_event else deciders.by_category
        raise click.BadParameter(f"there is no {unknown[0]}; there are {sorted(known)}")
    return wanted


def check_url(url: str) -> None:
    """Refuse a URL that could never be sent to; an unknown name may come up later."""
    try:
        receiver = parse_url(url)
        is_encrypted = receiver.scheme == "https"
        allowed = shop().settings.webhook_networks
        if not (is_encrypted or allowed):
            raise BadUrl(f"a URL begins with https://, unless {SETTING} is set")
        addresses = resolve(receiver.host, receiver.port)
        check_addresses(addresses, allowed, is_encrypted=is_encrypted)
    except (BadUrl, RefusedAddress) as error:
        raise click.ClickException(str(error)) from error
    except OSError:
        click.echo(f"no address is known of {receiver.host} yet", err=True)


def place_of(
    connection: psycopg.Connection[Any], after: str | None, begin: str | None
) -> ForeignCheckpoint:
    """Return where to begin: behind a position, with the first event, or at the end."""
    if after is None:
        return START if begin == "start" else find_end(connection)
    try:
        cursor = parse_cursor(after)
        goal = find_goal(connection, cursor)
    except (BadCursor, CheckpointNotInLog) as error:
        raise click.ClickException(
            f"--after {after}: this log has no such position"
        ) from error
    if cursor.position > goal:
        raise click.ClickException(f"--after {after}: it is not settled yet")
    if cursor.event_id is None:
        return last_up_to(connection, cursor.position, START)
    return cursor


@click.command("remove")
@click.argument("name")
def remove_webhook(name: str) -> None:
    """Remove the webhook NAME with its secrets and its position."""
    with shop().lent() as connection:
        demand(registry.remove_webhook(connection, name), name)
    click.echo(f"{name} is removed")


@click.command("pause")
@click.argument("name")
def pause_webhook(name: str) -> None:
    """Send nothing to the webhook NAME until it is resumed."""
    with shop().lent() as connection:
        demand(registry.pause_webhook(connection, name), name)
    click.echo(f"{name} is paused; recount webhooks resume {name} goes on")


@click.command("resume")
@click.argument("name")
@click.option("--after", help="Go on behind this position, or cursor of the feed.")
@click.option(
    "--skip",
    "streams",
    metavar="STREAM",
    multiple=True,
    help="Pass over the event of this stream that failed; may be given several times.",
)
def resume_webhook(name: str, after: str | None, streams: tuple[str, ...]) -> None:
    """
    Send to the webhook NAME again, from where it stopped.

    What failed is tried at once, and for another hour.
    """
    if after is not None and streams:
        raise click.UsageError("either --after or --skip")
    with shop().lent(keep_after=(click.ClickException,)) as connection:
        place = None if after is None else place_of(connection, after, None)
        passed: list[tuple[str, int]] = []
        with connection.transaction():
            if place is not None:
                passed = registry.find_undelivered(connection, name, place.position)
            if streams:
                try:
                    passed = registry.skip_failed(connection, name, streams)
                except registry.WebhookRefused as error:
                    raise click.ClickException(str(error)) from error
            demand(registry.resume_webhook(connection, name, after=place), name)
    for stream, position in passed:
        click.echo(f"event {position:,} of {stream} is never sent")
    click.echo(f"{name} is active")


@click.command("rotate")
@click.argument("name")
def rotate_webhook(name: str) -> None:
    """
    Give the webhook NAME a new secret, and print it.

    For a day requests are signed with both, so that the receiver can change it at its
    time. Of two rotations within a day the first one's former secret ends at once.
    """
    masters = shop().settings.master_keys
    with shop().lent() as connection:
        secret = rotate_secret(connection, name, masters)
    demand(secret is not None, name)
    assert secret is not None
    click.echo(format_secret(secret))
    click.echo(f"The former one is valid for another day. {ONCE}", err=True)


@click.command("test")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def test_webhook(name: str, as_json: bool) -> None:
    """
    Send a signed event of the type WebhookTested to NAME, and print the answer.

    It is not in the log, has position 0, and changes nothing. Ends with 1 if it was not
    delivered.
    """
    with shop().lent() as connection:
        webhooks = {one.name: one for one in registry.find_webhooks(connection)}
        stored = find_secrets(connection).get(name, [])
    demand(name in webhooks, name)
    try:
        secrets = unwrap_all(shop().settings.master_keys, stored)
    except WrongMasterKey as error:
        raise click.ClickException(str(error)) from error
    event = tested_event(name)
    body = msgspec.json.encode(event)
    headers = sign(secrets, str(event.event_id), int(time.time()), body)
    answer = post(webhooks[name].url, headers, body, shop().settings.webhook_networks)
    if as_json:
        click.echo(json_of(answer._asdict()))
    else:
        shown = f": {answer.body}" if answer.body else ""
        click.echo(f"{answer.outcome}: {answer.text}{shown}")
    if not answer.is_delivered:
        raise click.exceptions.Exit(1)


def tested_event(name: str) -> PublishedEvent:
    event_id, now = uuid4(), datetime.now(UTC)
    return PublishedEvent(
        position=0,
        event_id=event_id,
        stream=f"webhook-{name}",
        category="webhook",
        version=0,
        type="WebhookTested",
        schema="1.0",
        occurred_at=now,
        recorded_at=now,
        actor=None,
        correlation_id=event_id,
        causation_id=event_id,
        personal=None,
        data=msgspec.Raw(b"{}"),
    )


def demand(is_there: bool, name: str) -> None:
    if not is_there:
        raise click.ClickException(f"there is no webhook {name}: recount webhooks list")
