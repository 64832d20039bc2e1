"""Every rule of orders and products is seen to refuse in a test of the domain."""

import re
from inspect import getmembers, isclass
from pathlib import Path
from types import ModuleType

from domain.errors import Rejection
from domain.orders import rules
from domain.products import product

HERE = Path(__file__).parent


def names_of(module: ModuleType) -> set[str]:
    """Return the names of the rules that a module defines."""
    return {
        name
        for name, kind in getmembers(module, isclass)
        if issubclass(kind, Rejection) and kind.__module__ == module.__name__
    }


def test_every_rule_is_refused_in_a_test() -> None:
    tests = "".join(file.read_text() for file in HERE.glob("test_*.py"))
    seen = re.findall(r"(?:then_rejected|raises)\(\s*(?:\w+\.)?(\w+)", tests)

    assert names_of(rules) | names_of(product) <= {*seen}
