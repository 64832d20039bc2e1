"""
The rules of a store, as checks that any implementation can be held against.

    @pytest.mark.parametrize("check", conformance.CHECKS, ids=str)
    def test_my_store_keeps_the_rule(check: conformance.Check) -> None:
        check(my_empty_log)

Each check takes a function that returns a `Store` on one log, which is empty when the
check begins: once for each writer that it needs. They are plain asserts, and no test
runner is needed.
"""

from eventstore.testing.conformance.check import Check, Connect
from eventstore.testing.conformance.checks import CHECKS

__all__ = ["CHECKS", "Check", "Connect"]
