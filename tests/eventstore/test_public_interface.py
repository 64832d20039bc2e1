"""What the engine offers by name, to whoever lifts it out."""

import inspect
import subprocess
import sys

import eventstore
from eventstore import EventStoreError, errors
from tests.support.databases import ROOT


def test_every_name_is_there_and_told_once() -> None:
    names = eventstore.__all__

    assert [name for name in names if not hasattr(eventstore, name)] == []
    assert len(names) == len(set(names))


def test_every_error_can_be_caught_by_its_name() -> None:
    raised = {
        name
        for name, error in vars(errors).items()
        if inspect.isclass(error) and issubclass(error, EventStoreError)
    }

    assert raised - set(eventstore.__all__) == set()


def test_everything_that_is_offered_says_what_it_is() -> None:
    """Errors have their message, and the tree at the top of their file."""
    offered = {name: getattr(eventstore, name) for name in eventstore.__all__}

    silent = [
        name
        for name, thing in offered.items()
        if (inspect.isfunction(thing) or inspect.isclass(thing))
        and not (inspect.isclass(thing) and issubclass(thing, Exception))
        and not thing.__doc__
    ]
    assert silent == []


def test_asserts_that_are_switched_off_do_not_pass_for_checks() -> None:
    code = """
from eventstore import MemoryStore
from eventstore.testing.conformance import CHECKS
CHECKS[0](MemoryStore)
"""
    run = subprocess.run(
        [sys.executable, "-O", "-c", code], cwd=ROOT, capture_output=True, text=True
    )

    assert "run without -O" in run.stderr
