"""A new password in a form: typed twice, and hashed."""

from flask import request

from tasks.shop.passwords import UnusablePassword, hash_password
from webapp.login.hashing import a_turn


class NotTyped(ValueError):
    """A password that cannot be taken; *field* is where the form says why."""

    def __init__(self, field: str, why: str) -> None:
        self.field = field
        super().__init__(why)


def new_password() -> str:
    """Return the hash of the password that is typed twice. Raises NotTyped."""
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        raise NotTyped("again", "This is not what you typed first.")
    try:
        with a_turn():
            return hash_password(password)
    except UnusablePassword as error:
        raise NotTyped("password", str(error)) from error
