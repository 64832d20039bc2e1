"""
Each protection is needed: switched off, the invariant that it is for breaks.

What happens is told twice, on the same tables: as it is, when everything is sound, and
with the protection switched off, when it shows by name and number. So neither a course
of events that harms nobody nor a checker that sees nothing can pass.
"""

from collections.abc import Iterator

import pytest

from eventstore.journal.runner import Limits
from tasks.shop import wiring
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.faults.controls import (
    deaths,
    drains,
    keys,
    leases,
    log,
    processes,
    readers,
    rules,
    sessions,
)
from tests.faults.controls.control import Control
from tests.faults.controls.scene import Scene
from tests.support.databases import Databases
from tests.support.engine import connect
from tests.support.settings import settings_for

FILES = (drains, deaths, leases, log, readers, keys, rules, processes, sessions)
CONTROLS = {c.protection: c for file in FILES for c in file.CONTROLS}


@pytest.fixture(scope="module")
def settings(databases: Databases) -> Iterator[Settings]:
    """Settings with one database for all: a fresh one costs more than a control."""
    with databases.lend() as url:
        yield settings_for(url)


@pytest.fixture
def scene(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    shop = Shop(settings, limits=Limits(deaths=3))
    monkeypatch.setattr(wiring, "_shop", shop)
    with connect(settings.database_url) as connection:
        scene = Scene(shop, settings.database_url, connection, monkeypatch)
        yield scene
        shop.engine.dispose()
        scene.restore()


@pytest.mark.parametrize("protection", CONTROLS)
def test_without_it_an_invariant_breaks(protection: str, scene: Scene) -> None:
    control: Control = CONTROLS[protection]
    control.course(scene)
    assert scene.check().broken == {}

    control.switch_off(scene)
    control.course(scene)
    counts = scene.check().counts
    print(f"without {protection}: {counts}")
    assert counts.get(control.breaks, 0) > 0
    assert set(counts) <= {control.breaks, *control.also}
