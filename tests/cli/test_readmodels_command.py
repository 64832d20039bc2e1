"""`recount readmodels`: what there is, following, dropping and removing one."""

import json
import threading

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli import cli
from eventstore.projections.generations import REBUILDING
from tasks import catch_up
from tasks.shop import rebuild
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place
from webapp import create_app


def run(*typed: str, answer: str = "") -> Result:
    return CliRunner().invoke(cli, ["readmodels", *typed], input=answer)


def entries() -> dict[str, dict[str, object]]:
    lines = run("list", "--json").stdout.splitlines()
    return {entry["name"]: entry for entry in map(json.loads, lines)}


def tables_of(shop: Shop, read_model: str) -> int:
    with shop.engine.connect() as connection:
        return int(
            connection.scalar(
                sa.text(
                    "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'v')"
                    " AND starts_with(relname, :name)"
                ),
                {"name": read_model},
            )
            or 0
        )


@pytest.fixture(autouse=True)
def _a_shop_with_an_order(shop: Shop, do: Do) -> None:
    do(alice, place)


def test_all_read_models_are_listed_with_their_place_in_the_log(shop: Shop) -> None:
    listed = entries()

    assert set(listed) == {projection.name for projection in shop.projections}
    assert {entry["state"] for entry in listed.values()} == {"live"}
    assert {entry["position"] for entry in listed.values()} == {2}
    assert all(entry["bytes"] for entry in listed.values())


def test_people_read_one_line_of_each(shop: Shop) -> None:
    lines = run("list").stdout.splitlines()

    assert len(lines) == len(shop.projections)
    (line,) = (line for line in lines if line.startswith("order_list"))
    assert "live; generation 1; at 2, 0 behind" in line


def test_one_that_was_dropped_says_so_everywhere_and_is_rebuilt(shop: Shop) -> None:
    dropped = run("drop", "order_list", "--yes")
    catch_up.run(shop)
    page = create_app(shop).test_client().get("/orders")
    state = entries()["order_list"]["state"]
    (projection,) = (p for p in shop.projections if p.name == "order_list")
    left = tables_of(shop, "order_list")
    rebuild.rebuild(shop, projection, lambda _: None)

    assert dropped.exit_code == 0
    assert left == 0
    assert page.status_code == 503
    assert "recount rebuild order_list" in page.get_data(as_text=True)
    assert state == "dropped, or not made yet: recount rebuild order_list"
    assert entries()["order_list"]["state"] == "live"
    assert create_app(shop).test_client().get("/orders").status_code == 200


def test_one_is_followed_until_somebody_ends_that(shop: Shop) -> None:
    assert run("follow", "order_list").stdout == "order_list is followed.\n"
    assert run("follow", "order_list").stdout == "order_list is followed already.\n"
    (line,) = (x for x in run("list").stdout.splitlines() if x.startswith("order_list"))
    followed = {name for name, entry in entries().items() if entry["is_followed"]}
    kept = run("unfollow", "order_list", answer="n\n")
    assert line.endswith("followed")
    assert followed == {"order_list"}
    assert kept.exit_code == 1
    ended = run("unfollow", "order_list", "--yes")
    assert ended.stdout == "order_list is not followed any more.\n"
    assert not entries()["order_list"]["is_followed"]


def test_only_what_is_in_the_code_is_followed(shop: Shop) -> None:
    refused = run("follow", "order_lis")

    assert refused.exit_code == 1
    assert "There is no read model order_lis in the code." in refused.output
    assert "order_list" in refused.output


def test_nothing_is_dropped_without_a_yes(shop: Shop) -> None:
    before = tables_of(shop, "order_list")
    refused = run("drop", "order_list", answer="n\n")

    assert refused.exit_code == 1
    assert tables_of(shop, "order_list") == before


def test_one_that_is_in_the_code_is_not_removed(shop: Shop) -> None:
    refused = run("remove", "products", "--yes")

    assert refused.exit_code == 1
    assert "take readmodels/products.py out first" in refused.output
    assert entries()["products"]["state"] == "live"


@pytest.mark.parametrize("name", ["order_lis", "order_list_g1", ".*", "orders"])
def test_a_name_that_nothing_has_is_refused_with_those_that_there_are(
    shop: Shop, name: str
) -> None:
    refused = run("drop", name, "--yes")

    assert refused.exit_code == 1
    assert f"There is no read model {name}." in refused.output
    assert "order_list" in refused.output
    assert {entry["state"] for entry in entries().values()} == {"live"}


def test_one_that_is_being_rebuilt_is_left_alone(shop: Shop) -> None:
    is_over, holds = threading.Event(), threading.Event()

    def hold() -> None:
        with shop.lent() as connection:
            connection.execute(f"SELECT pg_advisory_lock({REBUILDING})", ("products",))
            holds.set()
            is_over.wait(20)
            connection.execute(
                f"SELECT pg_advisory_unlock({REBUILDING})", ("products",)
            )

    holder = threading.Thread(target=hold)
    holder.start()
    assert holds.wait(20)
    refused = run("drop", "products", "--yes")
    is_over.set()
    holder.join()

    assert refused.exit_code == 1
    assert "products is being rebuilt" in refused.output
    assert entries()["products"]["state"] == "live"


def test_one_whose_name_begins_another_ones_takes_only_its_own_along(
    shop: Shop,
) -> None:
    """`account_statement` stays when `accounts` goes, and `order_list` for `order`."""
    run("drop", "accounts", "--yes")
    states = {name: entry["state"] for name, entry in entries().items()}

    assert states.pop("accounts") != "live"
    assert set(states.values()) == {"live"}
