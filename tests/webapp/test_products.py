"""The price list on pages: adding a product, its price, its name, its end."""

from tests.support.visiting import Browser, Send, Work, value_of


def add(browser: Browser, work: Work, **typed: str) -> str:
    sent = browser.send(
        "/products/new", **{"name": "CLOCK", "unit_price": "12.50", **typed}
    )
    assert sent.status_code == 303, sent.text
    work(sent)
    return browser.fate(sent)


def test_an_empty_price_list_says_how_to_begin(browser: Browser) -> None:
    assert "Add the first one" in browser.see("/products")


def test_a_product_gets_the_next_number_or_a_code_of_its_own(
    browser: Browser, work: Work
) -> None:
    assert "Product 1 is added" in add(browser, work)
    assert "Product RC-1 is added" in add(browser, work, product_id="RC-1")
    page = browser.see("/products")

    assert 'href="/products/1"' in page
    assert 'href="/products/RC-1"' in page
    assert page.count("12.50 EUR") == 2


def test_a_product_is_searched_for_and_what_was_found_is_marked(
    browser: Browser, work: Work
) -> None:
    add(browser, work, name="Möwe pen")
    add(browser, work, name="Ink")

    assert "<mark>Möw</mark>e pen" in browser.see("/products?q=mow")
    assert ">Ink<" not in browser.see("/products?q=mow")
    assert "This is like them" in browser.see("/products?q=mowa")
    nothing = browser.see("/products?q=sundial&listed=true")
    assert "No product was found." in nothing
    assert '<input type="hidden" name="listed" value="true">' in nothing


def test_a_price_is_changed_from_now_on(browser: Browser, work: Work) -> None:
    add(browser, work)
    assert value_of(browser.see("/products/1"), "unit_price") == "12.50"
    sent = browser.send("/products/1/price", form="/products/1", unit_price="13.00")
    work(sent)

    assert "The price of product 1 is changed" in browser.fate(sent)
    assert "13.00 EUR" in browser.see("/products/1")


def test_a_product_is_renamed(browser: Browser, work: Work) -> None:
    add(browser, work)
    work(browser.send("/products/1/name", form="/products/1", name="RETRO-CLOCK"))

    assert "<h1>RETRO-CLOCK</h1>" in browser.see("/products/1")


def test_a_discontinued_product_offers_nothing_but_to_be_added_again(
    browser: Browser, work: Work
) -> None:
    add(browser, work, product_id="RC-1")
    work(browser.send("/products/RC-1/ending", form="/products/RC-1"))
    page = browser.see("/products/RC-1")
    add(browser, work, product_id="RC-1", unit_price="14.00")

    assert "It is discontinued" in page
    assert 'action="/products/RC-1/' not in page
    assert "14.00 EUR" in browser.see("/products/RC-1")


def test_a_product_that_is_on_the_list_is_not_added_again(
    browser: Browser, send: Send, work: Work
) -> None:
    add(browser, work, product_id="RC-1")

    assert "is on the price list already" in add(browser, work, product_id="RC-1")


def test_two_who_change_a_price_do_not_overwrite_each_other(
    browser: Browser, work: Work
) -> None:
    add(browser, work)
    first, second = (
        browser.send(
            "/products/1/price", form="/products/1", unit_price=price, key=price
        )
        for price in ("13.00", "14.00")
    )
    work(first, second)

    assert "Somebody else has changed it meanwhile" in browser.fate(second)
    assert "13.00 EUR" in browser.see("/products/1")


def test_an_empty_list_tells_how_past_orders_fill_it(browser: Browser) -> None:
    assert "recount products adopt" in browser.see("/products")
