"""A step of the tour: an idea in words, and what shows that it is so."""

from collections.abc import Callable
from dataclasses import dataclass

from embedded.tour.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One idea; *statements* are the numbers of the documents' statements about it.

    *show* does it before the visitor's eyes. It raises StepFailed where it fails.
    """

    title: str
    statements: tuple[int, ...]
    text: str
    show: Callable[[Visit], None]
