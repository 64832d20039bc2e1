"""
Write down what follows from the code: tables in pages, shapes of events, an event each.

`.venv/bin/python -m tests.generated` after a class of command, event or rule is new. It
asks no database, and says which files it wrote.
"""

from collections.abc import Iterator
from pathlib import Path

from tests.generated import history
from tests.generated.pages import PAGES, filled
from tests.support.databases import ROOT


def changes() -> Iterator[tuple[Path, str]]:
    """Yield the files that are not what they are to be, with what that is."""
    for page in PAGES:
        before, after = page.read_text(), filled(page.read_text())
        if before != after:
            yield page, after
    yield from history.missing()


if __name__ == "__main__":
    for file, text in list(changes()):
        file.write_text(text)
        print(file.relative_to(ROOT))
