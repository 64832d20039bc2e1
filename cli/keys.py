"""`recount keys`: the keys of personal data, and the master key they hang on."""

import click

from cli.output import progress
from eventstore.errors.unreadable import WrongMasterKey
from eventstore.personal.key_rotation import count_former, rotate
from tasks.shop.wiring import shop
from tasks.webhooks.stored_secrets import rewrap_secrets


@click.group()
def keys() -> None:
    """The keys of personal data, and their master key."""


@keys.command("rotate")
def rotate_keys() -> None:
    """
    Wrap all keys with the master key in force.

    Put a new master key before the old one, MASTER_KEY=NEW,OLD, and start all processes
    with both. After this command the old one can be taken away. Nothing is encrypted
    again, and the shop goes on meanwhile. The secrets of webhooks are wrapped again,
    too.
    """
    masters = shop().settings.master_keys
    with shop().lent() as connection:
        former = count_former(connection, masters)
        try:
            with progress("keys", former) as advance:
                for count in rotate(connection, masters):
                    advance(count)
            rewrap_secrets(connection, masters)
        except WrongMasterKey as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{former:,} keys wrapped again; all hang on the first of MASTER_KEY.")
