"""A name of 200 letters without a blank makes no page wider than its window."""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest

from tests.support.visiting import CLOCKS, Browser, Send, Work

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
STATIC = Path(__file__).parents[2] / "webapp" / "static"
WIDTHS = (360, 768, 1280)
LONG = "W" * 200
SHORT = "M" * 60
MEASURE = """
<script>
addEventListener("load", () => setTimeout(() => {
  const found = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument.documentElement;
    found[frame.title] = page.scrollWidth - page.clientWidth;
  }
  document.getElementById("found").textContent = JSON.stringify(found);
}, 500));
</script>
"""


def test_a_long_name_may_break_anywhere() -> None:
    """Said by the stylesheet itself, where no browser is at hand to measure."""
    body = re.search(r"\nbody \{([^}]*)\}", (STATIC / "recount.css").read_text())

    assert body is not None
    assert "overflow-wrap: anywhere" in body[1]


@pytest.mark.skipif(CHROMIUM is None, reason="wants a Chromium")
def test_long_names_make_no_page_wider(
    browser: Browser, send: Send, work: Work, tmp_path: Path
) -> None:
    long_address = {"name": LONG, "street": LONG, "city": SHORT, "country": SHORT}
    customer = {"customer_id": "A" * 40, "name": LONG, "contact_name": LONG}
    customer |= {"email": f"{'e' * 180}@example.com", "phone": SHORT}
    work(send("RegisterCustomer", {**customer, "address": long_address}, key="a"))
    item = {**CLOCKS["items"][0], "product": LONG, "product_id": SHORT}
    order = {"customer_id": "A" * 40, "items": [item], "address": long_address}
    placed = send("PlaceOrder", order, key="b")
    work(placed)
    about = {"order_id": 1}
    work(send("ReceivePayment", {**about, "amount": 2500}, key="c"))
    work(send("ShipOrder", {**about, "tracking_no": SHORT}, key="d"))
    refused = send("CancelOrder", {**about, "reason": "R" * 500}, key="e")
    work(refused)
    work(send("OpenAccount", {"account_id": "A" * 40}, key="f"))
    fates = [x.headers["Location"].rpartition("/")[2] for x in (placed, refused)]
    paths = [
        *("/orders", "/orders/1", "/orders/1/delivery", "/orders/new?customer=17"),
        *("/customers", f"/customers/{'A' * 40}", f"/customers/{'A' * 40}/edit"),
        *("/accounts", f"/accounts/{'A' * 40}", f"/orders?q={LONG}"),
        *(f"/commands/{fate}" for fate in fates),
    ]
    pages = {path: styled(browser.see(path)) for path in paths}

    assert {
        name: extra for name, extra in measured(pages, tmp_path).items() if extra
    } == {}


def styled(page: str) -> str:
    """Return *page* with its stylesheets in it, and without its scripts."""
    for name in ("vendor/pico/pico.min.css", "recount.css"):
        before, after = re.split(
            rf'<link rel="stylesheet" href="/static/{re.escape(name)}[^"]*">', page
        )
        page = f"{before}<style>{(STATIC / name).read_text()}</style>{after}"
    assert page.count("<style>") == 2
    return re.sub(r"<script.*?</script>", "", page)


def measured(pages: dict[str, str], folder: Path) -> dict[str, int]:
    """Return how many pixels each page is wider than its window, by path and width."""
    frames = [
        f'<iframe title="{escape(path)} at {width}" width="{width}" height="900"'
        f' srcdoc="{escape(page)}"></iframe>'
        for path, page in pages.items()
        for width in WIDTHS
    ]
    file = folder / "pages.html"
    file.write_text(f"<!doctype html>{''.join(frames)}<pre id='found'></pre>{MEASURE}")
    assert CHROMIUM is not None
    dumped = subprocess.run(
        [
            CHROMIUM,
            *("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--virtual-time-budget=10000", f"--user-data-dir={folder / 'profile'}"),
            file.as_uri(),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    told = re.search(r"<pre id=\"found\">(.*?)</pre>", dumped)
    assert told is not None, dumped[-2000:]
    found: dict[str, int] = json.loads(unescape(told[1]))
    assert len(found) == len(frames)
    return found
