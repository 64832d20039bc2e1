"""`recount tokens`: the tokens by which programs use the API as a user."""

from datetime import timedelta

import click

from cli.output import json_of
from eventstore.access import tokens as known
from eventstore.access.tokens import Token
from tasks.shop.permissions import SCOPES
from tasks.shop.wiring import shop


@click.group()
def tokens() -> None:
    """The tokens by which programs use the API as a user."""


@tokens.command("create")
@click.argument("user")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(list(SCOPES)),
    multiple=True,
    default=["all"],
    metavar="SCOPE",
    help="What it is for: `all`, `read` or a permission; again for more.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=90,
    show_default=True,
    help="Until it expires.",
)
def create(user: str, scopes: tuple[str, ...], days: int) -> None:
    """
    Create a token and print it; it cannot be shown again.

    Its holder can use the API as that user. Standard output has the token alone.
    """
    with shop().lent() as connection:
        token = known.create_token(
            connection, user, scopes=scopes, expires_in=timedelta(days=days)
        )
    if token is None:
        raise click.ClickException(
            f"there is no user {user}, or a disabled one: recount users list"
        )
    click.echo(token)
    prefix = token.split("_")[1]
    click.echo(
        f"It expires in {days} days; recount tokens revoke {prefix} ends it before.",
        err=True,
    )


@tokens.command("list")
@click.argument("user", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON lines, for programs.")
def list_them(user: str | None, as_json: bool) -> None:
    """Show the tokens of USER or of all, by their prefixes; never a whole one."""
    with shop().lent() as connection:
        found = known.find_tokens(connection, user)
    for token in found:
        click.echo(json_of(token._asdict()) if as_json else line_of(token))
    if not found and not as_json:
        click.echo("no tokens")


def line_of(token: Token) -> str:
    scopes = ", ".join(token.scopes)
    until = f"until {token.expires_at:%Y-%m-%d}"
    return "  ".join([token.prefix, token.user, scopes, until, token.standing])


@tokens.command("revoke")
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """Revoke the token with PREFIX, at once; the whole token is not needed."""
    match = known.FORM.fullmatch(prefix)
    with shop().lent() as connection:
        if not known.revoke_token(connection, match[1] if match else prefix):
            raise click.ClickException("there is no such token: recount tokens list")
    click.echo("revoked")
