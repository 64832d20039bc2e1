"""No page sends its reader to a file that is not there."""

import re
from pathlib import Path

import pytest

from tests.support.databases import ROOT

PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("eventstore/*.md"), *ROOT.glob("docs/**/*.md")],
    key=lambda page: page.as_posix(),
)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []
