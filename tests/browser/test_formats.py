"""Pictures that a browser cannot show are shown as the server has read them."""

from pathlib import Path

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.test_walk import upload
from tests.pictures import encode, heic, smooth

# Whether a photograph is there, and is no broken one.
SHOWN = """() => {
  const image = document.querySelector("#predict-photo img");
  return image && image.complete && image.naturalWidth === 300 && image.src.startsWith("data:image/jpeg");
}"""


@pytest.mark.parametrize("name", ["photo.heic", "photo.tif"])
def test_a_format_that_no_browser_shows_is_shown_in_the_tab_that_it_was_brought_to(
    name: str, open_page: OpenPage, tmp_path: Path
) -> None:
    image, path = smooth(0, (300, 200)), tmp_path / name
    path.write_bytes(heic(image) if name.endswith("heic") else encode(image, "TIFF"))
    page = open_page("/")
    upload(page, "#predict-photo", path)
    page.wait_for_function(SHOWN)
