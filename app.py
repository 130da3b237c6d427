"""Entry point of the demo: settings, page, launch."""

from demo.settings import Settings, end_if_wrong

with end_if_wrong():
    settings = Settings.from_environment()  # before torch and gradio, whose imports take seconds
    from demo.models.possible import check_possible

    check_possible(settings)
    from demo.ui.server.launch import launch

    from demo.ui.page import build_page
    from demo.visitors.rooms import Rooms

    rooms = Rooms.of(settings)
    demo = build_page(rooms)

if __name__ == "__main__":
    with end_if_wrong():
        launch(demo, rooms)
