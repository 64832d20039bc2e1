"""
Plots as SVG in the page: bars of names, and columns of months or days.

They have no style of their own: the stylesheet gives their colours, which so are those
of the page, dark or light. Widths are parts of the page's width and heights follow the
size of its letters, so that text is as sharp and as large as elsewhere on any screen.
What they show stands in a table below; a screen reader is told their title.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

MAX_LABEL = 26
"""Letters of a label that fit beside an amount on a telephone."""
MAX_WIDE_LABEL = 80
"""Letters that fit there on any larger screen."""
LABELS = 3
"""Labels that fit below columns there."""
LAST_LABEL = 75
"""Where the last label may begin, in hundredths of the width."""
BAR = 2.7
TOP, COLUMN, BELOW = 1.8, 9.0, 1.7
SMALLEST = 0.1
"""The height of a column that is not of nothing."""


class PlotPart(NamedTuple):
    """A thing of a plot: what it is, how much, and that in words."""

    label: str
    amount: int
    words: str


def plot_bars(title: str, things: Sequence[PlotPart]) -> Markup:
    """Return a plot with a bar for each of *things*, below each other."""
    most = max((thing.amount for thing in things), default=0) or 1
    parts = []
    for number, thing in enumerate(things):
        top = number * BAR
        parts.append(
            Markup(
                "{}"
                '<text x="100%" y="{}em" text-anchor="end">{}</text>'
                '<rect x="0" y="{}em" width="{}%" height="0.8em"/>'
            ).format(
                label_at(top + 1.1, thing.label),
                written(top + 1.1),
                thing.words,
                written(top + 1.45),
                written(100 * thing.amount / most),
            )
        )
    return svg(title, len(things) * BAR, parts)


def label_at(height: float, label: str) -> Markup:
    """Return a label; one that a telephone has no room for in two lengths."""
    short, wide = shorten(label, MAX_LABEL), shorten(label, MAX_WIDE_LABEL)
    kinds = [("", wide)] if short == wide else [("narrow", short), ("wide", wide)]
    text = Markup('<text x="0" y="{}em" class="{}">{}</text>')
    return Markup("").join(text.format(written(height), *kind) for kind in kinds)


def plot_columns(title: str, things: Sequence[PlotPart]) -> Markup:
    """Return a plot with a column for each of *things*, side by side."""
    top = max(things, key=lambda thing: thing.amount, default=None)
    if top is None:
        return svg(title, 0, [])
    most, each = top.amount or 1, 100 / len(things)
    ground = TOP + COLUMN
    parts = [
        Markup('<text x="0" y="1.1em">up to {}</text>').format(top.words),
        *(line_at(height) for height in (TOP, ground)),
    ]
    for number, thing in enumerate(things):
        height = COLUMN * thing.amount / most
        if thing.amount:
            height = max(height, SMALLEST)
        parts.append(
            Markup(
                '<rect x="{}%" y="{}em" width="{}%" height="{}em">'
                "<title>{}: {}</title></rect>"
            ).format(
                written((number + 0.1) * each),
                written(ground - height),
                written(0.8 * each),
                written(height),
                thing.label,
                thing.words,
            )
        )
    parts += labels_below(things, ground + 1.3)
    return svg(title, ground + BELOW, parts)


def labels_below(things: Sequence[PlotPart], height: float) -> Iterator[Markup]:
    """Yield the labels of some columns, as many as there is room for."""
    step = math.ceil(len(things) / LABELS)
    for number in range(0, len(things), step):
        place = 100 * number / len(things)
        if place <= LAST_LABEL:
            yield Markup('<text x="{}%" y="{}em">{}</text>').format(
                written(place), written(height), things[number].label
            )


def line_at(height: float) -> Markup:
    return Markup('<line x1="0" x2="100%" y1="{0}em" y2="{0}em"/>').format(
        written(height)
    )


def svg(title: str, height: float, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="plot" role="img" aria-labelledby="plot-title" width="100%"'
        ' height="{}em"><title id="plot-title">{}</title>{}</svg>'
    ).format(written(height), title, Markup("").join(parts))


def written(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".")


def shorten(label: str, room: int) -> str:
    """Return a label of so many letters, with an ellipsis if it was cut."""
    for number, letter in enumerate(label):
        room -= 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if room < 0:
            return f"{label[: number - 1].rstrip()}…"
    return label
