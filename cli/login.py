"""`recount login`: an address that gives one browser access."""

import sys

import click

from tasks.shop.local_access import address_of, header_file, new_login, write_header
from tasks.shop.settings import load_settings


@click.command(short_help="Print an address that gives one browser access, once.")
def login() -> None:
    """
    Print an address that gives one browser of this computer access.

    It works once, and until it is used. The header that programs of this computer send
    is written as well, if it is not there: curl -H @FILE.

    The web looks for both in its data folder, STATE_DIR, and by its SECRET_KEY: they
    are to be the same here as there.
    """
    settings = load_settings()
    try:
        write_header(settings.state_dir, settings.secret_key)
        secret = new_login(settings.state_dir)
    except OSError as error:
        click.echo(
            f"recount: the data folder {settings.state_dir} cannot be written:"
            f" {error.strerror}. Set STATE_DIR to that of the web.",
            err=True,
        )
        sys.exit(1)
    click.echo(address_of(settings.port, secret))
    click.echo(
        f"programs: curl -H @{header_file(settings.state_dir.absolute())}", err=True
    )
