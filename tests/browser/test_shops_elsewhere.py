"""Amounts and dates are written and read as where the shop is."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.browsing import Browsers, see_order
from tests.support.chores import Measure
from tests.support.databases import Databases
from tests.support.running_shop import RunningShop, running_shop
from tests.support.settings import settings_for


@pytest.fixture
def in_germany(databases: Databases) -> Iterator[RunningShop]:
    folder = Path(tempfile.mkdtemp(prefix="recount-"))
    with databases.lend() as url:
        settings = replace(settings_for(url), locale="de")
        with running_shop(settings, folder, has_history=False) as shop:
            yield shop
    shutil.rmtree(folder, ignore_errors=True)


def test_a_german_shop_reads_and_writes_a_comma(
    in_germany: RunningShop, browsers: Browsers, chore: Measure
) -> None:
    desk = in_germany
    customer = desk.do("RegisterCustomer", name="Bäckerei Süß")
    desk.settle()
    here = replace(browsers, address=desk.address)
    page = here.of("ines", f"/orders/new?customer={customer}")
    with chore("an order in a German shop", page, loads=2):
        page.get_by_label("Product", exact=True).first.fill("Brezelständer")
        page.get_by_label("Not on the list").first.check()
        page.get_by_label("Quantity").first.fill("3")
        page.get_by_label("Unit price").first.fill("1.235,90")
        page.get_by_label("Street and number").fill("Am Markt 1")
        page.get_by_label("City").fill("Ulm")
        page.get_by_label("Country").fill("Deutschland")
        page.keyboard.press("Enter")
        see_order(page)

    expect(page.locator(".facts").first).to_contain_text("Total3.707,70 EUR")


def test_what_can_be_read_in_two_ways_is_asked_back(
    in_germany: RunningShop, browsers: Browsers, chore: Measure
) -> None:
    desk = in_germany
    customer = desk.do("RegisterCustomer", name="Bäckerei Süß")
    order_id = desk.order(("Brezelständer", 1, 500_000), customer=customer)
    desk.settle()
    here = replace(browsers, address=desk.address)
    page = here.of("ines", f"/orders/{order_id}")
    with chore("an amount that can be read in two ways", page, loads=1):
        page.get_by_label("Amount").fill("1,234")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("1,234")
