"""`python -m webapp.cli`, which `./recount` hands its other commands on to."""

from webapp.cli import main

main()
