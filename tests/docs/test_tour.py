"""The page of the tour has its steps; `tests/embedded/test_tour.py` runs them."""

import re

from embedded.tour.steps import STEPS
from tests.support.tour_page import PAGE, comparable, masked

WANTED = "written by .venv/bin/python -m tests.support.tour_page"


def test_the_page_of_the_tour_has_the_steps_in_their_words() -> None:
    parts = re.split(r"^## \d+\. ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    shown = [" ".join(part.partition("\n```")[0].split()) for part in parts]

    assert shown == [
        f"{step.title} ({', '.join(map(str, step.statements))})"
        f" {' '.join(step.text.split())}"
        for step in STEPS
    ], WANTED


def test_the_page_of_the_tour_has_nothing_that_is_another_in_each_run() -> None:
    page = PAGE.read_text()

    assert masked(page) == page, WANTED


def test_an_output_that_says_something_else_is_no_longer_that_of_the_page() -> None:
    page = PAGE.read_text()

    assert comparable(page) == comparable(page.replace("1,216", "1,219"))
    assert comparable(page) != comparable(page.replace("rejected", "succeeded"))
