"""A minute of the fault run, with a few seeds; `recount faults` makes longer ones."""

from pathlib import Path

import pytest

from tests.faults.checker import dues
from tests.faults.desk import open_desk
from tests.faults.kinds import KINDS
from tests.faults.run import Options, Run

pytestmark = pytest.mark.races

SEEDS = range(3)
SECONDS = 12.0


def test_every_promise_is_kept_whatever_breaks(tmp_path: Path) -> None:
    with open_desk(tmp_path, seed=SEEDS[0], disk_megabytes=512) as desk:
        options = Options(
            seeds=SEEDS,
            seconds=SECONDS,
            rate=60.0,
            batch_rate=100.0,
            every=0.8,
            kinds=KINDS,
        )
        run = Run(desk, options, print)
        verdict, _, _ = run.go()

    print(verdict)
    assert verdict.broken == {}
    assert verdict.outcomes["succeeded"] > 500
    assert all(verdict.checked[one.invariant] > 0 for one in dues.LOOKS)
    assert len({fault.kind for fault in run.struck if fault.under_way}) >= 12
