"""What tests of webhooks share."""

import pytest

from tests.support.receivers import hurry


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have senders wait for milliseconds, where they wait for seconds in a shop."""
    hurry(monkeypatch)
