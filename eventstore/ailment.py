"""An ailment: what is wrong with a database and what to do about it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import psycopg


class Ailment(NamedTuple):
    """
    Something that is wrong with a database. A fatal one loses data.

    *check* is the name of the check that found it, *what* a text that says what is
    wrong, *remedy* a text that says what to do.
    """

    check: str
    what: str
    remedy: str
    is_fatal: bool = False


Check = Callable[[psycopg.Connection[Any]], Iterator[Ailment]]
