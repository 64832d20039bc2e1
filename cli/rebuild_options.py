"""What an option of `recount rebuild` is given."""

from typing import Any

import click

ANY = "any"


class DifferencesAccepted(click.ParamType[int | None]):
    """How many rows may differ: a number, or None for `any`."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        if value == ANY:
            return None
        return click.IntRange(0).convert(value, param, ctx)
