"""Entry point of the demo: settings, page, launch."""

from demo.settings import Settings
from demo.ui.context import Context
from demo.ui.page import build_page
from demo.ui.server import launch

context = Context.of(Settings.from_environment())
demo = build_page(context)

if __name__ == "__main__":
    launch(demo, context)
