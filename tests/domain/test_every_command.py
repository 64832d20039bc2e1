"""Every command of the shop can be made of plain data."""

import pytest

from domain.errors import InvalidInput
from domain.input import parse
from tasks.shop.deciders import ALL as DECIDERS

COMMANDS = [kind for decider in DECIDERS for kind in decider.commands]


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_every_field_of_a_command_is_of_a_type_that_is_read(kind: type) -> None:
    with pytest.raises(InvalidInput, match=r"\bis missing\b"):
        parse(kind, {})
