"""
Does the shop keep its promise? A check that reads the tables and a client's own log.

It knows nothing of the code: it would check any other that fills the same tables.
"""

from collections.abc import Iterable
from typing import Any

import psycopg

from tests.faults.answers import Attempt
from tests.faults.checker import dues, effects, readers, refusals, streams
from tests.faults.checker.asked import by_key
from tests.faults.checker.effects import check_effects
from tests.faults.checker.folds import check_read_models
from tests.faults.checker.journal import read_journal
from tests.faults.checker.looking import look
from tests.faults.checker.money import check_money
from tests.faults.checker.order import check_order
from tests.faults.checker.promises import check_promises
from tests.faults.checker.readers import is_at_rest
from tests.faults.checker.turns import check_turns
from tests.faults.checker.verdict import Verdict
from tests.faults.checker.watch import Watch

__all__ = ["Verdict", "Watch", "check", "is_at_rest"]


def check(connection: psycopg.Connection[Any], attempts: Iterable[Attempt]) -> Verdict:
    """
    Hold the tables against all that a client was answered, and against each other.

    It is for a shop at rest: all that was accepted is final, all readers have come to
    the end of the log, and the client's log has every command that was sent.
    """
    verdict = Verdict()
    asked = by_key(attempts)
    journal = read_journal(connection)
    check_promises(asked, journal, verdict)
    check_effects(journal, verdict)
    check_order(asked, journal, verdict)
    check_turns(journal, verdict)
    rooms = (effects, dues, refusals, streams, readers)
    looks = [one for room in rooms for one in room.LOOKS]
    look(connection, looks, verdict)
    check_money(connection, verdict)
    check_read_models(connection, verdict)
    return verdict
