"""`python -m cli`, which `./recount` becomes for its other commands."""

from cli import main

main()
