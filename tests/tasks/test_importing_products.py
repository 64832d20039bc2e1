"""The products of a history come onto the price list, and never cost an order."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.products import products as products_command
from domain.orders.commands import Item, PlaceOrder
from domain.products.commands import ChangePrice
from readmodels import products
from readmodels.products import ProductView
from tasks.shop.wiring import Shop
from tests.support.desk import LONDON, Do, forget
from tests.support.histories import (
    History,
    Logged,
    customer,
    last_number,
    line,
    order,
    product,
    read_log,
    run_import,
)
from tests.support.shop_of_before import import_as_before


def of_product(shop: Shop, product_id: str = "11") -> list[Logged]:
    return [e for e in read_log(shop.engine) if e.stream_id == f"product-{product_id}"]


def listed(shop: Shop) -> dict[str, ProductView]:
    with shop.engine.connect() as connection:
        page = products.find(connection, is_listed=True)
    return {row.product_id: row for row in page.rows}


def import_two_orders(folder: Path, product_row: dict[str, str]) -> Result:
    """Import two orders of a product."""
    orders = [order(1, "1996-07-04"), order(2, "1997-03-05")]
    history = History(
        orders,
        products=[product_row],
        lines=[line(n, product_id=product_row["product_id"]) for n in (1, 2)],
    )
    return run_import(history.write(folder / "old"))


def test_an_order_names_an_imported_product_by_its_number(
    shop: Shop, tmp_path: Path, do: Do
) -> None:
    import_two_orders(tmp_path, product(unit_price="51.00"))

    item = Item(product_id="11", quantity=1)
    do(
        PlaceOrder(customer_id="ALICE", items=(item,), address=LONDON, currency="EUR"),
    )

    placed = read_log(shop.engine)[-1].data
    assert placed["items"][0]["product"] == "RETRO-CLOCK"
    assert placed["total"] == 5_100


def test_a_product_is_added_on_the_day_of_its_first_order(
    shop: Shop, tmp_path: Path
) -> None:
    never = product("12", "LAMP")
    orders = [order(2, "1997-03-05"), order(1, "1996-07-04")]
    lines = [line(1), line(2, product_id="13")]
    history = History(
        orders, products=[product(), never, product("13")], lines=lines
    ).write(tmp_path / "old")

    run_import(history)

    days = {name: of_product(shop, name)[0].occurred_at for name in ("11", "12", "13")}
    assert days == {
        "11": "1996-07-04 00:00",
        "12": "1996-07-04 00:00",
        "13": "1997-03-05 00:00",
    }


@pytest.mark.parametrize("told", ["1", "t", "TRUE", "yes", "-1"])
def test_a_discontinued_product_is_off_the_list_since_its_last_order(
    shop: Shop, tmp_path: Path, told: str
) -> None:
    result = import_two_orders(tmp_path, product(discontinued=told))

    added, gone = of_product(shop)
    assert (added.type, added.occurred_at) == ("ProductAdded", "1996-07-04 00:00")
    assert (gone.type, gone.occurred_at) == ("ProductDiscontinued", "1997-03-05 00:00")
    assert read_log(shop.engine)[-1] == gone
    assert listed(shop) == {}
    assert "2 orders and 1 discontinuation: 5 events" in result.stdout


@pytest.mark.parametrize("told", ["0", "f", "False", "no", "", "NULL"])
def test_a_product_that_is_not_discontinued_can_be_ordered(
    shop: Shop, tmp_path: Path, told: str
) -> None:
    import_two_orders(tmp_path, product(discontinued=told))

    assert set(listed(shop)) == {"11"}


@pytest.mark.parametrize("price", ["", "NULL", "0", "0.00"])
def test_a_product_without_a_price_is_not_on_the_list_and_its_orders_are_kept(
    shop: Shop, tmp_path: Path, price: str
) -> None:
    result = import_two_orders(tmp_path, product(unit_price=price))

    assert result.exit_code == 0, result.output
    assert of_product(shop) == []
    item = read_log(shop.engine)[-1].data["items"][0]
    assert (item["product"], item["product_id"]) == ("RETRO-CLOCK", "11")
    assert "not listed 1 product has no price: '11'; orders keep" in result.stdout
    assert "recount products adopt gives those ordered a price" in result.stdout


def test_what_has_no_price_in_the_files_is_adopted_at_that_of_its_orders(
    shop: Shop, tmp_path: Path
) -> None:
    import_two_orders(tmp_path, product(unit_price=""))

    adopted = CliRunner().invoke(products_command, ["adopt"], catch_exceptions=False)

    assert adopted.exit_code == 0, adopted.output
    assert listed(shop)["11"].unit_price == 4_950
    assert import_two_orders(tmp_path, product(unit_price="60")).exit_code == 0
    assert listed(shop)["11"].unit_price == 4_950


def test_files_without_prices_are_imported_as_ever(shop: Shop, tmp_path: Path) -> None:
    row = {"product_id": "11", "product_name": "RETRO-CLOCK"}

    result = import_two_orders(tmp_path, row)

    assert result.exit_code == 0, result.output
    assert of_product(shop) == []


@pytest.mark.parametrize("bad", [{"unit_price": "-1"}, {"discontinued": "perhaps"}])
def test_a_bad_price_is_told_and_leaves_out_no_order(
    shop: Shop, tmp_path: Path, bad: dict[str, str]
) -> None:
    folder = History([order(1)], products=[product(**bad)]).write(tmp_path / "old")

    refused, imported = run_import(folder), run_import(folder, "--skip-bad")

    (name, value) = next(iter(bad.items()))
    assert f"products.csv, line 2: {name} '{value}' must be" in refused.stderr
    assert "leaves out" not in refused.stderr
    assert imported.exit_code == 0
    assert "skipped    1 bad row; 0 orders are left out" in imported.stdout
    assert [event.stream_id for event in read_log(shop.engine)] == [
        "customer-ALICE",
        "order-1",
    ]


@pytest.mark.parametrize("odd", ["A 1", "Röd", "-7", "x" * 41])
def test_an_id_that_no_product_can_have_is_noted_in_the_orders_alone(
    shop: Shop, tmp_path: Path, odd: str
) -> None:
    result = import_two_orders(tmp_path, product(odd))

    assert result.exit_code == 0, result.output
    streams = {event.stream_id for event in read_log(shop.engine)}
    assert streams == {"customer-ALICE", "order-1", "order-2"}
    assert read_log(shop.engine)[-1].data["items"][0]["product_id"] == odd
    assert "1 product has an id that no product here can have: " in result.stdout


def test_new_products_get_numbers_behind_all_of_the_files(
    shop: Shop, tmp_path: Path
) -> None:
    unlisted = product("78", unit_price="0")
    history = History([order(1)], products=[product(), product("A-9"), unlisted])

    run_import(history.write(tmp_path / "old"))

    assert last_number(shop.engine, "product_numbers") == 78


def test_a_price_that_was_changed_here_stays_and_the_rest_is_imported(
    shop: Shop, tmp_path: Path, do: Do
) -> None:
    run_import(History([order(1)]).write(tmp_path / "old"))
    do(ChangePrice(product_id="11", unit_price=5_500))

    newer = History(
        [order(1), order(2)],
        products=[product(unit_price="60.00", discontinued="1"), product("12")],
    )
    result = run_import(newer.write(tmp_path / "old"))

    assert result.exit_code == 0, result.output
    assert listed(shop)["11"].unit_price == 5_500
    assert "unchanged  1 product is on the price list otherwise, and stays: 11" in (
        result.stdout
    )
    added = [event.stream_id for event in read_log(shop.engine)[4:]]
    assert added == ["product-12", "order-2"]


def test_a_product_that_a_newer_export_discontinues_is_taken_off_the_list(
    shop: Shop, tmp_path: Path
) -> None:
    import_two_orders(tmp_path, product())

    result = import_two_orders(tmp_path, product(discontinued="1"))

    assert result.exit_code == 0, result.output
    assert listed(shop) == {}


def test_an_import_of_the_version_before_gets_its_products_by_the_next(
    shop: Shop, tmp_path: Path
) -> None:
    folder = History(
        [order(1, shipped_date="1996-07-16"), order(2, freight="")],
        lines=[line(1, discount="0.05"), line(1), line(2)],
    ).write(tmp_path / "old")
    import_as_before(shop, folder)
    before = read_log(shop.engine)

    result = run_import(folder)

    assert result.exit_code == 0, result.output
    assert "imported   1 product: 1 event in" in result.stdout
    assert "there      4 events were in the log already" in result.stdout
    assert read_log(shop.engine)[:-1] == before
    assert set(listed(shop)) == {"11"}
    assert "nothing to do: all 5 events" in run_import(folder).stdout


@pytest.mark.parametrize(
    "changed",
    [
        History([order(1, freight="1.00")]),
        History([order(1)], lines=[line(1, quantity="3")]),
        History([order(1, ship_city="Oslo")]),
        History([order(1, "1996-07-05")]),
    ],
)
def test_what_the_version_before_imported_otherwise_is_refused(
    shop: Shop, tmp_path: Path, changed: History
) -> None:
    import_as_before(shop, History([order(1)]).write(tmp_path / "old"))

    result = run_import(changed.write(tmp_path / "old"))

    assert result.exit_code == 1
    assert "order-1 was imported with other content" in result.stderr
    assert of_product(shop) == []


def test_a_forgotten_customer_s_old_orders_are_the_same_history(
    shop: Shop, tmp_path: Path, do: Do
) -> None:
    folder = History([order(1)], [customer()]).write(tmp_path / "old")
    import_as_before(shop, folder)
    do(forget)

    result = run_import(folder)

    assert result.exit_code == 0, result.output
    assert "imported   1 product" in result.stdout
