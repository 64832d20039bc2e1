"""`./recount bench`: what it is held against, and what it says of the figures."""

import os
import re
import signal
import subprocess
import sys
import tomllib

import pytest

from benchmarks.peers.table import Ratio, in_pairs, turns
from embedded.bench import LOCK, PEERS, bench
from embedded.errors import EmbeddedError
from embedded.folders import ROOT

needs_peers = pytest.mark.skipif(
    not (PEERS / "recount-installed").exists(),
    reason="needs the peers: ./recount bench installs them",
)


def begin(name: str, *options: str) -> subprocess.Popen[str]:
    """Start a benchmark as `./recount bench` does."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "embedded", "bench", name, *options],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.fspath(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for_end(process: subprocess.Popen[str], *, within: float) -> str:
    """Return what a benchmark printed; one that takes too long is ended, and fails."""
    try:
        return process.communicate(timeout=within)[0]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[0]
        pytest.fail(f"it did not end in {within:.0f} s:\n{said}")


def test_what_is_no_benchmark_is_refused_with_those_that_are() -> None:
    with pytest.raises(EmbeddedError, match="append, commands, load"):
        bench(["fly"])


def test_the_lock_pins_the_group_and_nothing_that_the_shop_pins_too() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    wanted = {re.split(r"[\[><=]", line)[0] for line in groups["benchmarks"]}
    pinned, of_the_shop = (
        set(re.findall(r"^([a-z0-9-]+)==", path.read_text(), re.MULTILINE))
        for path in (LOCK, ROOT / "requirements.lock")
    )

    assert wanted <= pinned
    assert pinned & of_the_shop == set()


def test_a_ratio_is_the_median_of_what_was_measured_side_by_side() -> None:
    # In the slow second round both were slow.
    assert Ratio("", in_pairs([700, 80, 800], [1000, 100, 1000])).value == 0.8


@pytest.mark.parametrize(
    ("ratio", "told"),
    [
        (Ratio("", [0.7], least=0.7), "reached"),
        (Ratio("", [0.69], least=0.7), "NOT REACHED"),
        (Ratio("", [0.69], least=0.7, excuse="the cores are full"), "cores are full"),
        (Ratio("", [1.3], most=1.3), "reached"),
        (Ratio("", [1.31], most=1.3), "NOT REACHED"),
    ],
)
def test_it_says_whether_a_target_is_reached(ratio: Ratio, told: str) -> None:
    assert str(ratio).endswith(told)
    assert ("NOT" in told) == ("NOT" in str(ratio))


def test_each_has_its_turn_in_each_round_and_not_always_the_same() -> None:
    rounds = [turns(4, number) for number in range(8)]

    assert {tuple(sorted(one)) for one in rounds} == {(0, 1, 2, 3)}
    assert {one[0] for one in rounds} == {0, 1, 2, 3}


@pytest.mark.races
@needs_peers
def test_appending_and_loading_run_from_their_servers_to_their_ratios() -> None:
    running = [begin(name, "--quick") for name in ("append", "load")]
    append, load = [wait_for_end(process, within=240) for process in running]

    assert [process.returncode for process in running] == [0, 0], append + load
    assert re.search(r"recount / INSERT +[0-9.]+ .* ≥ 0.7", append), append
    assert re.search(r"append_bulk / COPY +[0-9.]+ .* ≥ 0.5", append), append
    assert re.search(r"long stream: times as fast .* ≥ 4", load), load


@pytest.mark.long
@needs_peers
def test_web_servers_are_measured_beside_each_other() -> None:
    options = ["--quick", "--reads", "--processes", "1", "--only", "granian", "ours"]
    process = begin("web", *options)
    said = wait_for_end(process, within=480)

    assert process.returncode == 0, said
    assert "| | granian x1 | ours x1 |" in said
    for measured in ("/api/orders/1 a second", "MB"):
        assert re.search(rf"^\| {measured} \| \d+ \| \d+ \|$", said, re.M), said
    assert "| failed |" not in said


@pytest.mark.races
def test_commands_are_held_against_empty_tasks_on_servers_of_their_own() -> None:
    options = ["--only", "one by one", "--rounds", "1", "--count", "20"]
    command = [sys.executable, "-P", "-m", "benchmarks.commands", *options]
    ran = subprocess.run(
        [*command, "--workers", "1"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.fspath(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert ran.returncode == 0, ran.stderr
    for kind in ("OpenAccount", "PlaceOrder"):
        told = rf"{kind}, one by one / empty task +[0-9.]+ .* ≥ 0.8"
        assert re.search(told, ran.stdout), ran.stdout
    assert re.search(r"empty task .* worker \(main\) [0-9.]+", ran.stdout), ran.stdout
