"""Chores in a browser: how many pages they load, how long they take, how they end."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

from tests.support.accessible import findings


# No slots: Playwright notes on whom it calls that it does.
@dataclass
class Chore:
    """One thing that somebody did: the documents it loaded, and its seconds."""

    name: str
    loads: int = 0
    seconds: float = 0.0
    picture: Path | None = None

    def count_load(self, _: Page) -> None:
        self.loads += 1


Measure = Callable[..., AbstractContextManager[Chore]]


@dataclass(slots=True)
class Chores:
    """The chores of a session; their pictures are in *folder*."""

    folder: Path
    done: list[Chore] = field(default_factory=list)

    @contextmanager
    def measure(self, name: str, page: Page, *, loads: int) -> Iterator[Chore]:
        """
        Count what happens on *page*, and take a picture of how it ends.

        Fails if more than *loads* documents were loaded, or if axe finds something at
        the end.
        """
        chore = Chore(name)
        page.on("domcontentloaded", chore.count_load)
        start = time.monotonic()
        yield chore
        chore.seconds = time.monotonic() - start
        # What it waited for may be shown before its document is told as loaded.
        page.wait_for_load_state("domcontentloaded")
        page.remove_listener("domcontentloaded", chore.count_load)
        chore.picture = self.folder / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.png"
        page.screenshot(path=chore.picture, full_page=True)
        self.done.append(chore)
        assert chore.loads <= loads, f"{name} took {chore.loads} page loads"
        found = findings(page)
        assert not found, "\n".join(found)

    def table(self) -> Iterator[str]:
        """Yield the lines of a table of all chores."""
        yield f"{'chore':54} | page loads | seconds | picture"
        for chore in self.done:
            name = chore.picture.name if chore.picture else ""
            yield f"{chore.name:54} | {chore.loads:10} | {chore.seconds:7.1f} | {name}"
        yield f"the pictures are in {self.folder}"
