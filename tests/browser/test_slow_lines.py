"""On a line of 48 kbit/s a page comes within seconds."""

from playwright.sync_api import CDPSession, Page

from tests.support.browsing import Browsers
from tests.support.running_shop import RunningShop

BITS_PER_SECOND = 48_000
LATENCY = 150
"""Milliseconds, as a telephone line has it."""
FIRST, NEXT = 6.0, 1.5
"""Seconds until a page is whole: the first one, and those after it."""


def slow_line(page: Page) -> CDPSession:
    """Let all that *page* loads come by a line as slow as one of a telephone."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY,
            "downloadThroughput": BITS_PER_SECOND / 8,
            "uploadThroughput": BITS_PER_SECOND / 8,
        },
    )
    return session


def seconds_until_shown(page: Page, path: str) -> float:
    """Return how long it took until all of a page could be read."""
    page.goto(path, wait_until="load")
    return float(page.evaluate(SHOWN)) / 1_000


SHOWN = """
() => new Promise((tell, fail) => {
  const whole = performance.getEntriesByType("navigation")[0].domInteractive
  new PerformanceObserver((list) => {
    for (const painted of list.getEntriesByName("first-contentful-paint"))
      tell(Math.max(painted.startTime, whole))
  }).observe({type: "paint", buffered: true})
  setTimeout(() => fail("it was not painted"), 30000)
})
"""
"""When it was painted, and all of its document was there."""


def test_the_first_page_is_there_within_six_seconds_and_the_next_within_one_and_a_half(
    browsers: Browsers, desk: RunningShop
) -> None:
    """They are compressed, and what all pages share is kept."""
    order_id = desk.order()
    desk.settle()
    browsers.of("ines")
    # Another one, whose cache is empty.
    page = browsers.of("ines", "about:blank")
    slow_line(page)
    first = seconds_until_shown(page, "/orders")
    pages = (f"/orders/{order_id}", "/customers", "/orders/new", "/products", "/orders")
    following = {path: seconds_until_shown(page, path) for path in pages}
    print(f"48 kbit/s: first {first:.2f} s", following)

    assert first <= FIRST
    assert {path: s for path, s in following.items() if s > NEXT} == {}
