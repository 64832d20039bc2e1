"""Progress of works of which the length is known once they are under way."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from cli.output import progress

ShowProgress = Callable[[str, int, int], None]
"""Called with what is done, how far it is, and how long it is."""


@contextmanager
def bars(*, is_quiet: bool = False) -> Iterator[ShowProgress]:
    """
    Lend a function that shows how far each work is; what ends at once shows nothing.

    With *is_quiet* it does nothing: programs read what is printed.
    """
    shown: dict[str, int] = {}
    with ExitStack() as bar:
        advance: Callable[[int], None] = lambda _: None  # noqa: E731

        def show(label: str, done: int, goal: int) -> None:
            nonlocal advance
            if label not in shown:
                if done >= goal:
                    return
                bar.close()
                advance = bar.enter_context(progress(label, goal))
            advance(done - shown.get(label, 0))
            shown[label] = done

        yield (lambda *_: None) if is_quiet else show
