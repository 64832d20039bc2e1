"""`recount users`: the users of the shop, their roles and passwords."""

import re
import sys
from collections.abc import Collection

import click

from cli.output import json_of
from eventstore.access import users as known
from eventstore.access.sessions import end_sessions_of
from eventstore.access.users import User
from tasks.shop.passwords import UnusablePassword, hash_password
from tasks.shop.permissions import FORMER_ROLES, ROLES, present_name
from tasks.shop.wiring import shop

ROLE = click.Choice([*sorted(ROLES), *FORMER_ROLES])
NAME = "[a-z][a-z0-9._-]{0,59}"


@click.group()
def users() -> None:
    """The users of the shop, their roles and passwords."""


def usable_name(_: click.Context, __: click.Parameter, value: str) -> str:
    if not re.fullmatch(NAME, value) or value == "local":
        raise click.BadParameter(
            "1 to 60 of a-z, 0-9, dot, dash and underscore, a letter first; not `local`"
        )
    return value


@users.command("add")
@click.argument("name", callback=usable_name)
@click.option(
    "--role", "roles", type=ROLE, multiple=True, required=True, help="Again for more."
)
@click.option(
    "--password/--no-password",
    "has_password",
    default=None,
    help="Read a password, to log in to the pages; a terminal asks for one anyway.",
)
def add(name: str, roles: tuple[str, ...], has_password: bool | None) -> None:
    """
    Add a user. A name is never used again, since events store it as the actor.

    A terminal asks for a password, twice; else --password reads the first line of
    standard input. From the first user on, the pages want a login, and every request to
    the API needs a token.
    """
    roles = called_today(roles)
    wants_one = sys.stdin.isatty() if has_password is None else has_password
    hashed = read_password() if wants_one else None
    with shop().lent() as connection, connection.transaction():
        is_first = not known.has_users(connection)
        if not known.add_user(connection, name, roles):
            raise click.ClickException(f"there is a user {name} already, or was one")
        if hashed is not None:
            known.set_password(connection, name, hashed)
    click.echo(f"{name} is {' and '.join(roles)}")
    if is_first:
        click.echo(
            f"From now on the API requires a token: recount tokens create {name}"
        )
        click.echo(
            "From now on the pages require a login"
            + ("." if hashed else f": recount users password {name}")
        )


def read_password() -> str:
    """
    Return the hash of a password that is asked for twice, or is on standard input.

    It is no argument, which others could see in the list of processes.
    """
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        return hash_password(password)
    except UnusablePassword as error:
        raise click.ClickException(str(error)) from error


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines, for programs.")
def list_them(as_json: bool) -> None:
    """Show all users, their roles, and how many tokens they can use."""
    with shop().lent() as connection:
        found = known.find_users(connection)
    for user in found:
        click.echo(json_of(user._asdict()) if as_json else line_of(user))
    if not found and not as_json:
        click.echo("no users: programs and browsers of this computer are local")


def called_today(roles: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({present_name(role) for role in roles}))


def line_of(user: User) -> str:
    tokens = "1 token" if user.tokens == 1 else f"{user.tokens} tokens"
    parts = [user.name, ", ".join(called_today(user.roles)) or "no role", tokens]
    if user.has_password:
        parts.append("a password")
    if user.sessions:
        parts.append("signed in")
    if user.disabled_at is not None:
        parts.append(f"disabled since {user.disabled_at:%Y-%m-%d %H:%M} UTC")
    return "  ".join(parts)


@users.command("roles")
@click.argument("name")
@click.argument("roles", type=ROLE, nargs=-1)
def roles_of(name: str, roles: tuple[str, ...]) -> None:
    """
    Replace a user's roles by these; without any, remove all.

    It takes effect at once, also for commands that were accepted and wait.
    """
    roles = called_today(roles)
    with shop().lent() as connection:
        must_be_there(known.set_roles(connection, name, roles), name)
    click.echo(f"{name} is {' and '.join(roles) or 'without a role'}")


@users.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Disable a user with all tokens and sessions; waiting commands are rejected."""
    with shop().lent() as connection:
        must_be_there(known.set_disabled(connection, name, is_disabled=True), name)
    click.echo(f"{name} is shut out")


@users.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Enable a disabled user again, with the tokens that were not revoked."""
    with shop().lent() as connection:
        must_be_there(known.set_disabled(connection, name, is_disabled=False), name)
    click.echo(f"{name} is let in again")


@users.command("password")
@click.argument("name")
def password(name: str) -> None:
    """
    Set a user's password for the pages, and end the user's sessions.

    A terminal asks for it, twice; else it is the first line of standard input. The API
    takes tokens alone.
    """
    kept = read_password()
    with shop().lent() as connection:
        must_be_there(known.set_password(connection, name, kept), name)
    click.echo(f"the password of {name} is set")


@users.command("sign-out")
@click.argument("name")
def sign_out(name: str) -> None:
    """End all sessions of a user on the pages, in whatever browsers."""
    with shop().lent() as connection:
        must_be_there(any(u.name == name for u in known.find_users(connection)), name)
        ended = end_sessions_of(connection, name)
    click.echo(f"{ended} {'session' if ended == 1 else 'sessions'} ended")


def must_be_there(is_there: bool, name: str) -> None:
    if not is_there:
        raise click.ClickException(f"there is no user {name}: recount users list")
