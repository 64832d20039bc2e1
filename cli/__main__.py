"""`python -m cli`, which `./recount` hands its other commands on to."""

from cli import main

main()
