"""
Rebuilds of read models, measured.

    .venv/bin/python -m benchmarks.rebuilding again --times 3
    .venv/bin/python -m benchmarks.rebuilding load --events 1000000
    .venv/bin/python -m benchmarks.rebuilding rates --orders 20000
    .venv/bin/python -m benchmarks.rebuilding keys --rows 10000

`again` asks the `./recount up` that runs; the others bring servers of their own.
"""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.rebuilding import again, keys, rates, under_load

WAYS: Mapping[str, Any] = {
    "again": again,
    "load": under_load,
    "rates": rates,
    "keys": keys,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="rebuilding",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ways = parser.add_subparsers(dest="way", required=True)
    for name, module in WAYS.items():
        text = (module.__doc__ or "").strip().splitlines()[0]
        module.add_options(ways.add_parser(name, help=text))
    options = parser.parse_args()
    return int(WAYS[options.way].measure(options))


if __name__ == "__main__":
    sys.exit(main())
