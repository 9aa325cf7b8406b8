"""`python -m ondol` is the `ondol` command."""

from ondol.cli.main import main

main()
