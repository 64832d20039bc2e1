"""What the pages in `docs/` show, to be run by their tests."""

import re

BLOCK = r"```{}\n(.*?)^```"


def find_block(page: str, language: str) -> str:
    """Return the first block of code in *language* that the text *page* has."""
    found = re.search(BLOCK.format(language), page, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]
