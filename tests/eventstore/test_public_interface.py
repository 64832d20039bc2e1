"""What the engine offers by name, to whoever lifts it out."""

import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module

import eventstore
from eventstore import EventStoreError, errors
from tests.support.databases import ROOT


def test_every_name_is_there_and_told_once() -> None:
    names = eventstore.__all__

    assert [name for name in names if not hasattr(eventstore, name)] == []
    assert len(names) == len(set(names))


def test_every_error_can_be_caught_by_its_name() -> None:
    names = [module.name for module in pkgutil.iter_modules(errors.__path__)]
    modules = [errors, *(import_module(f"{errors.__name__}.{name}") for name in names)]
    raised = {
        name
        for module in modules
        for name, error in vars(module).items()
        if inspect.isclass(error) and issubclass(error, EventStoreError)
    }

    assert {"AlreadyClaimed", "BadStreamId", "NewerSchema"} < raised
    assert raised - set(eventstore.__all__) == set()


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
