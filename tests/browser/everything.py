"""Ways to everything that the page can show: each tab, the tabs within it, and whatever is folded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

TABS = ("predict", "finetune", "inside")
TRAINING_MS = 200_000  # a busy machine trains at a tenth of its speed
# Waits until nothing changes for a while and nothing in sight is greyed, as when what was opened has had its answer
# from the server; whatever turns or blinks for ever waits for nobody.
_SETTLE = """() => new Promise((resolve) => {
  const began = performance.now();
  let changed = began;
  const observer = new MutationObserver(() => { changed = performance.now(); });
  observer.observe(document.body, {subtree: true, childList: true, characterData: true});
  const timer = setInterval(() => {
    const now = performance.now();
    const isGreyed = [...document.querySelectorAll(".pending")].some((each) => each.checkVisibility());
    if (isGreyed ? now - began < 60_000 : now - changed < 400 && now - began < 6_000) return;
    clearInterval(timer);
    observer.disconnect();
    resolve();
  }, 50);
})"""

# Opens what is folded, and returns how much that was.
_UNFOLD = """() => {
  const labels = [...document.querySelectorAll(".label-wrap:not(.open)")].filter((each) => each.checkVisibility());
  const details = [...document.querySelectorAll("details:not([open])")];
  labels.forEach((each) => each.click());
  details.forEach((each) => { each.open = true });
  return labels.length + details.length;
}"""
_FIND_TABS = """(all) => all.filter((each) => each.offsetParent && each.id).map((each) => {
  let depth = 0;
  for (let panel = each; (panel = panel.parentElement.closest("[role=tabpanel]")); ) depth += 1;
  return [each.id, depth];
})"""


def teach(page: Any, archive: Path | None = None) -> None:
    """Choose a photograph, and train a head on a zip of pictures, or on the road signs that the program draws."""
    page.click("#example-cat")
    open_tab(page, "finetune-tab")
    if archive is None:
        open_tab(page, "starters-tab")
        page.click("#starter-signs")
    else:
        open_tab(page, "zip-tab")
        page.set_input_files("#archive input[type=file]", archive)
    page.wait_for_selector("#report .counts")
    open_tab(page, "step-train")
    page.wait_for_selector("#train:not([disabled])")
    page.click("#train")
    page.wait_for_selector(".status.trained", timeout=TRAINING_MS)
    open_tab(page, "step-wrong")
    page.wait_for_selector("#confusion [data-pick]")
    page.locator("#confusion [data-pick]:enabled").first.click()
    page.locator("#cell [data-pick]").first.click()
    page.wait_for_selector("#picture-detail img")


def settle(page: Any) -> None:
    """Wait until the page has stopped changing."""
    page.evaluate(_SETTLE)


def open_tab(page: Any, name: str) -> None:
    """Open a tab by its name, if the page has it; a phone's last tabs are behind a button."""
    settle(page)
    button = page.locator(f"#{name}-button")
    if not button.count() and name == "starters-tab":
        page.click("#finetune-tab .overflow-menu > button")
        button = page.locator("#finetune-tab .overflow-dropdown button").last
    if button.count():
        button.click()


def show_each(page: Any, tab: str) -> Iterator[tuple[str, str]]:
    """Open a tab, and each tab within it in turn, those within others first.

    Yields:
        The name of what is shown, and the id of the button that opened it, which is empty where the whole page is new.
    """
    open_tab(page, f"{tab}-tab")
    settle(page)
    seen: set[str] = set()
    yield tab, ""
    while True:
        found = page.eval_on_selector_all(f"#{tab}-tab [role=tab]", _FIND_TABS)
        left = sorted((-depth, name) for name, depth in found if name not in seen)
        if not left:
            return
        name = left[0][1]
        seen.add(name)
        page.click(f"#{name}")
        settle(page)
        yield f"{tab}-{name.removesuffix('-button').removesuffix('-tab').removesuffix('-panel')}", name


def unfold(page: Any) -> None:
    """Open whatever is folded in what is shown, and whatever that brings to light."""
    for _ in range(4):
        if not page.evaluate(_UNFOLD):
            break
        settle(page)


def show_theme(page: Any, theme: str) -> None:
    """Show the page in "light" or "dark"."""
    page.evaluate("(is) => document.body.classList.toggle('dark', is)", theme == "dark")
    page.wait_for_timeout(200)
