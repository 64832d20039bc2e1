"""The keys of a cache: one for the meta data of a read model, and one a row."""

import re
from collections.abc import Iterator

from eventstore.projections.projection import Key

COPY = re.compile("[0-9a-f]{8}_g[0-9]+_[0-9]+")
"""What follows the read model's name in the name of a copy."""


class Names:
    """The names of a shop's keys: all begin with *prefix* and a colon."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def meta(self, read_model: str) -> str:
        """
        Return the key of a read model's hash: shelf, floors and checkpoints.

        It is one key, so that they are evicted together.
        """
        return f"{self.prefix}:{read_model}"

    def row(self, copy: str, key: Key) -> str:
        return f"{self.prefix}:{copy}:{key}"

    def command(self, command_id: object) -> str:
        return f"{self.prefix}:command:{command_id}"

    def rows_of(self, copy: str) -> str:
        """Return the pattern of a copy's rows."""
        return f"{escaped(self.prefix)}:{escaped(copy)}:*"

    def copies_of(self, read_model: str) -> str:
        """Return a pattern that finds the rows of all copies, and maybe others."""
        return f"{escaped(self.prefix)}:{escaped(read_model)}_*:*"

    def find_copies(self, read_model: str, found: list[bytes]) -> Iterator[str]:
        """Yield the names of copies among the names of keys that were *found*."""
        begin = f"{self.prefix}:{read_model}_"
        for name in found:
            rest = name.decode().removeprefix(begin).partition(":")[0]
            if COPY.fullmatch(rest):
                yield f"{read_model}_{rest}"


def escaped(text: str) -> str:
    """Return the pattern that matches *text* alone."""
    return re.sub(r"([*?\[\]^\\-])", r"\\\1", text)
