"""What `recount status` says of generations that are filled, and not live."""

from collections.abc import Iterable, Iterator

from eventstore.rebuilding.fillings import Filling


def lines_of_fillings(fillings: Iterable[Filling]) -> Iterator[str]:
    """Yield a line for each, with what to do if nobody is at work on it."""
    for one in fillings:
        yield f"{one.read_model}: generation {one.generation} {state_of(one)}"


def state_of(filling: Filling) -> str:
    again = f"recount rebuild {filling.read_model}"
    if filling.is_tended:
        if filling.phase != "filling":
            return f"is filled: {filling.phase}"
        return f"is being filled{how_far(filling)}"
    if filling.differing:
        count = filling.differing
        rows = "1 row differs" if count == 1 else f"{count:,} rows differ"
        return f"is filled and kept: {rows}, {again} --accept-differences {count}"
    return f"was left unfinished{how_far(filling)}: {again} goes on"


def how_far(filling: Filling) -> str:
    if not filling.total:
        return ""
    text = f", {filling.done:,} of {filling.total:,} events"
    if filling.is_tended and filling.seconds_left is not None:
        text += f", about {filling.seconds_left:,.0f} s left"
    return text
