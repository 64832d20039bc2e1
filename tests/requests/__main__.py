"""
Sends requests of every kind to a running shop: none may be a 5xx or take a second.

    python -m tests.requests --seed 7 --count 100000

It asks the running `./recount up`; `--address` and `--header` name another. The shop is
full of nonsense afterwards. The same seed sends the same requests.
"""

import argparse
import re
import sys
import urllib.request
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from embedded.handover import environment
from tasks.shop.local_access import header_file, read_authorization
from tasks.shop.settings import settings_from
from tasks.shop.wiring import Shop
from tests.requests.bodies import Credentials
from tests.requests.making import Maker
from tests.requests.sending import InProcess, Web, WebConnection, send_all
from webapp import create_app


def main() -> int:
    options = parser().parse_args()
    running = environment()
    shop = Shop(settings_from(running))
    header = options.header or header_file(shop.settings.state_dir)
    address = options.address or f"http://127.0.0.1:{running.get('PORT', '5000')}"
    known = known_at(address, read_authorization(Path(header)))
    app = create_app(shop)
    maker = Maker(app, shop.commands, known, options.seed)
    made = (maker.make() for _ in iter(int, 1))
    web: Web = WebConnection(urlsplit(address).netloc)
    if options.in_process:
        web = InProcess(app)
    outcome = send_all(web, islice(made, options.count))
    for status, count in sorted(outcome.statuses.items()):
        print(f"{status}  {count:8,}")
    print(f"slowest {outcome.slowest * 1000:.0f} ms: {outcome.slowest_request[:300]}")
    for line in [*outcome.wrong, *outcome.slow][:50]:
        print(line[:600])
    print(f"{outcome.statuses.total():,} requests sent, seed {options.seed}")
    print(f"{len(outcome.wrong)} not documented, {len(outcome.slow)} over a second")
    return 1 if outcome.wrong or outcome.slow else 0


def known_at(address: str, authorization: str) -> Credentials:
    """Return what a browser has that was let in, from the page of a form."""
    request = urllib.request.Request(
        f"{address}/customers/new", headers={"Authorization": authorization}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        token = re.search('name="csrf_token" value="([^"]+)"', answer.read().decode())
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert token is not None
    return Credentials(authorization, cookie, token[1])


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--address", metavar="URL")
    parser.add_argument(
        "--in-process", action="store_true", help="without a server between"
    )
    parser.add_argument("--header", metavar="FILE", help="as for curl -H @FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
