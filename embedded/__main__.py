"""`python -m embedded`, which is what `./recount` becomes once it has installed."""

import sys

from embedded.cli import main

sys.exit(main(sys.argv[1:]))
