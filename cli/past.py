"""`recount past`: read models as of a moment, and what changed between two."""

import click

from cli.lazy import Lazy, LazyGroup

OF_PAST = {
    "diff": Lazy(
        "cli.past_diff:diff",
        "Show what changed in a read model between two moments.",
    ),
    "drop": Lazy(
        "cli.past_copies:drop", "Drop copies: they are made again if somebody asks."
    ),
    "list": Lazy(
        "cli.past_copies:list_copies",
        "List the copies, the one used last first: moment, rows, size, and progress.",
    ),
    "make": Lazy(
        "cli.past_copies:make", "Make the copies of a moment before somebody asks."
    ),
}


@click.group(
    cls=LazyGroup,
    lazy=OF_PAST,
    short_help="Show read models as of a moment, and tend the copies made for that.",
)
def past() -> None:
    """
    Show read models as of a moment, and tend the copies that are made for that.

    Pages and the API show any list as of a date or a time. A copy is made when somebody
    asks for it first, and kept for a while; nothing is lost with it.
    """
