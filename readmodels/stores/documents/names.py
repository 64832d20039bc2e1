"""The names of collections: one of the shelves of all read models, and one a copy."""

import re
from collections.abc import Iterable

COPY = re.compile("[0-9a-f]{8}_g[0-9]+_[0-9]+")
"""What follows the read model's name in the name of a copy."""
CHECKPOINT = "_checkpoint"
"""The `_id` of the document with the checkpoint, in the collection of a copy."""


class Names:
    """The names of a shop's collections: all begin with *prefix* and a dot."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    @property
    def shelves(self) -> str:
        return f"{self.prefix}.shelves"

    def copy(self, name: str) -> str:
        """Return the name of a copy's collection."""
        return f"{self.prefix}.{name}"

    def find_copies(self, read_model: str, collections: Iterable[str]) -> list[str]:
        """Return the names of a read model's copies among those of *collections*."""
        begin = self.copy(f"{read_model}_")
        return sorted(
            name.removeprefix(f"{self.prefix}.")
            for name in collections
            if name.startswith(begin) and COPY.fullmatch(name.removeprefix(begin))
        )
