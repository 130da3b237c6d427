"""Entry point of the demo, as a Space starts it; `python -m demo serve --help` lists more ways to open the page."""

import sys

from demo.command.serve import check, prepare
from demo.settings import end_if_wrong

if __name__ == "__main__" and sys.argv[1:] == ["--check"]:
    sys.exit(check())

with end_if_wrong():
    demo, open_page = prepare()

if __name__ == "__main__":
    with end_if_wrong():
        open_page()
