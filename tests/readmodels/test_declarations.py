"""Read models declare what parking an event of theirs needs to know."""

from dataclasses import fields
from importlib import import_module

import pytest

from eventstore.projections.projection import Projection
from readmodels import ALL
from tasks.shop.deciders import ALL as DECIDERS

FORGETTING = {event for decider in DECIDERS for event in decider.forgets}
WITHOUT_STREAMS = {
    "figures": "one row is fed by all orders",
    "ordered_products": "a row is fed by all orders that have the product",
}


def name_of(projection: Projection) -> str:
    return projection.name


@pytest.mark.parametrize("projection", ALL, ids=name_of)
def test_an_event_by_which_somebody_is_forgotten_is_declared(
    projection: Projection,
) -> None:
    read = FORGETTING & set(projection.codec.classes)

    assert set(projection.forgets) == read


def test_events_forget_somebody_in_this_shop() -> None:
    assert FORGETTING
    assert any(projection.forgets for projection in ALL)


@pytest.mark.parametrize("projection", ALL, ids=name_of)
def test_the_streams_of_rows_are_declared(projection: Projection) -> None:
    """Else an operator has to rebuild all of it for one bad event."""
    assert bool(projection.streams) != (projection.name in WITHOUT_STREAMS)


@pytest.mark.parametrize("projection", ALL, ids=name_of)
def test_a_shown_row_names_its_streams(projection: Projection) -> None:
    view = import_module(f"readmodels.{projection.name}").view
    shown = {field.name for field in fields(view.row)}

    assert projection.streams.keys() <= shown
