"""The commands of the demo: `python -m demo serve` opens the page, `python -m demo --help` lists all."""

import sys

from demo.command.line import main

if __name__ == "__main__":
    sys.exit(main())
