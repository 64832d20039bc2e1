"""Lead through the tour: a shop, its demo, and step by step what there is to see."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from types import FrameType

import psycopg

from embedded.errors import EmbeddedError
from embedded.tour import screen
from embedded.tour.own_shop import OwnShop, own_shop
from embedded.tour.step import Step
from embedded.tour.steps import STEPS
from embedded.tour.visit import StepFailed, Visit

FAILURES = (StepFailed, psycopg.Error, OSError, HTTPException)
UNEXPECTED = (LookupError, TypeError, ValueError)
"""What a step raises where an answer is not of the form that it expects."""
WELCOME = """
    Ten steps, each an idea of event sourcing and CQRS, live in a shop of their own. The
    shop is made now, filled with seven invented months, and gone when the tour ends.
    Whatever runs on this machine otherwise is left alone.
"""


def tour(arguments: list[str]) -> int:
    """Show the steps that are asked for; return 1 if one of them fails."""
    asked = parser().parse_args(arguments)
    steps = [asked.step] if asked.step else range(1, len(STEPS) + 1)
    started = time.monotonic()
    with ended_by_signals():
        screen.show_title("A tour of Recount")
        screen.show_text(WELCOME)
        with own_shop() as shop:
            open_doors(shop)
            status = show_steps(Visit(shop), steps, asks=not asked.yes)
            if not asked.yes:
                screen.wait_for_enter("stop the shop and remove it")
        seconds = time.monotonic() - started
    if status == 0:
        print(
            f"\nThat was the tour, in {seconds:.0f} s. The shop and its data are gone."
        )
    return status


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recount tour",
        description="Ten ideas of event sourcing and CQRS, each live, in a shop of its"
        " own that is gone afterwards. It takes some two minutes.",
    )
    parser.add_argument("--yes", action="store_true", help="do not wait for Enter")
    parser.add_argument(
        "--step",
        type=int,
        choices=range(1, len(STEPS) + 1),
        metavar="N",
        help=f"show step N alone, 1 to {len(STEPS)}",
    )
    return parser


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Have TERM and HUP end the tour as Ctrl-C does, so that the shop is stopped."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {n: signal.signal(n, end) for n in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def open_doors(shop: OwnShop) -> None:
    """Fill the shop, and print how to look at it. Raises EmbeddedError."""
    visit = Visit(shop)
    screen.show_command("$", "./recount up")
    screen.show_output(shop.announcement)
    try:
        visit.recount("demo")
        print("  Open this once, to let your browser in:")
        visit.recount("login")
    except FAILURES as error:
        raise EmbeddedError(
            f"the shop of the tour cannot be filled: {error}"
        ) from error
    print("  And in another terminal, to look at the tables:")
    print(f"  {shop.psql} '{shop.database_url}'", flush=True)


def show_steps(visit: Visit, numbers: Sequence[int], *, asks: bool) -> int:
    """Show steps one after the other; a failed one ends the tour with status 1."""
    for number in numbers:
        step = STEPS[number - 1]
        if asks:
            screen.wait_for_enter(f"{number}. {step.title}")
        if not show_step(visit, number, step):
            return 1
    return 0


def show_step(visit: Visit, number: int, step: Step) -> bool:
    screen.show_title(f"{number}. {step.title}")
    screen.show_text(step.text)
    visit.places.clear()
    try:
        step.show(visit)
    except FAILURES as error:
        return tell_failure(number, f"{error}")
    except UNEXPECTED as error:
        kind = type(error).__name__
        return tell_failure(number, f"an answer is not as expected: {kind}: {error}")
    screen.show_places(visit.places)
    return True


def tell_failure(number: int, why: str) -> bool:
    """Say in one line that a step failed; return False."""
    line = " ".join(why.split())
    print(f"recount: step {number} failed: {line}", file=sys.stderr, flush=True)
    return False
