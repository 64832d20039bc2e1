"""What came of a rebuild."""

from dataclasses import dataclass, field

from eventstore.errors import RebuildFailed
from eventstore.rebuilding.comparing import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """
    A read model after its rebuild, and how the swap went.

    *generation* is the number of the new generation, *position* the one up to which it
    has read the log. *is_live* is False after a dry run, which has dropped it, unless
    it *is_kept*: an earlier rebuild had filled it.
    *swaps_tried* is the number of times that it was put live, the last with success,
    and *seconds_of_swap* what that one took of *seconds*. *comparison* says what
    differed from the rows before; None if there was nothing to compare, and
    the sentence *not_compared* says why. *refusal* is what a rebuild that is no dry run
    raises.
    """

    generation: int
    position: int
    is_live: bool = True
    seconds: float = field(default=0.0, compare=False)
    seconds_of_swap: float = field(default=0.0, compare=False)
    swaps_tried: int = 0
    comparison: Comparison | None = None
    not_compared: str | None = None
    is_kept: bool = False
    refusal: RebuildFailed | None = None
