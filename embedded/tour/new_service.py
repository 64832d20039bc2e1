"""
A service that did not exist when the events happened: what each product has earned.

`python -m embedded.tour.new_service ADDRESS HEADER NOTES` follows the log over HTTP,
from the place that its file of notes has. It needs no more than the standard library.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen


def main(address: str, header: Path, notes: Path) -> None:
    kept = json.loads(notes.read_text()) if notes.exists() else {}
    earned: Counter[str] = Counter(kept.get("earned", {}))
    place = kept.get("next", "/api/events?types=OrderCreated&limit=200")
    events = 0
    is_last = False
    while not is_last:
        page = get(address + place, header)
        for event in page["events"]:
            for item in event["data"]["items"]:
                earned[item["product"]] += item["quantity"] * item["unit_price"]
        events += len(page["events"])
        place, is_last = page["next"], page["is_last"]
        # What is known and how far it was read, in one file: neither without the other.
        notes.write_text(json.dumps({"next": place, "earned": earned}))
    print(f"orders read: {events}; what has earned most so far:")
    for product, amount in earned.most_common(3):
        print(f"{amount / 100:12,.2f}  {product}")


def get(url: str, header: Path) -> dict[str, Any]:
    name, _, value = header.read_text().strip().partition(": ")
    # The address is the shop's own.
    with urlopen(Request(url, headers={name: value}), timeout=30) as answer:
        page: dict[str, Any] = json.load(answer)
        return page


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
