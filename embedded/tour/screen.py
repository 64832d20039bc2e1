"""What the tour prints: texts, commands with their output, and what was checked."""

import sys
import textwrap

WIDTH = 88
MAX_LINES = 30
"""Of one output: more is cut, and the cut is said."""
BOLD, PLAIN = "\033[1m", "\033[0m"


def show_title(title: str) -> None:
    print()
    print(f"{BOLD}{title}{PLAIN}" if sys.stdout.isatty() else title)
    print("-" * len(title))


def show_text(text: str) -> None:
    print(textwrap.fill(" ".join(text.split()), WIDTH))
    print(flush=True)


def show_command(prompt: str, command: str) -> None:
    print(f"  {prompt} {command}", flush=True)


def show_output(output: str) -> None:
    """Print the output of a command, indented; its last lines are cut if too many."""
    lines = output.rstrip("\n").splitlines()
    for line in lines[:MAX_LINES]:
        print(f"  | {line}".rstrip())
    if len(lines) > MAX_LINES:
        print(f"  | … and {len(lines) - MAX_LINES} more lines")
    print(flush=True)


def show_check(claim: str) -> None:
    print(f"  checked: {claim}", flush=True)


def show_places(places: list[tuple[str, str]]) -> None:
    """Print where to look, by what: a page, or psql."""
    print()
    for what, where in places:
        print(f"  look ({what}): {where}")


def wait_for_enter(what: str) -> None:
    """Wait for Enter; end the program at the end of the input."""
    try:
        input(f"\nEnter: {what}, Ctrl-C: end the tour ")
    except EOFError:
        raise KeyboardInterrupt from None
