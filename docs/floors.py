"""Draw the floors of demo/ by their imports: `python docs/floors.py` writes the picture into docs/architecture.md."""

import ast
import sys
from collections import Counter
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "architecture.md"
BEGIN, END = "<!-- floors: begin -->", "<!-- floors: end -->"

# Of what each floor is, from the ground up; the rooms of the page are drawn apart.
FLOORS = {
    "ground": "ground: settings, entrance, errors, logs, system, figures",
    "data": "data: untrusted bytes become pictures, datasets, splits",
    "models": "models: zoo, weights, backbone, head, state",
    "tasks": "tasks: one verb a file",
    "engine": "engine: networks on Ray Serve, for pages on other machines",
    "programs": "programs: what a notebook and a command call",
    "lesson": "lesson: twelve steps, and what each measures",
    "words": "words: every sentence, a TOML a language",
    "visitors": "visitors: sessions, jobs, rooms; no page",
    "parts": "ui/parts: markup, style, values",
    "server": "ui/server, budgets, door, events: what stands round gradio",
    "handlers": "ui/handlers, answer, photo, bring: how gradio calls us",
    "predict": "ui/predict: tab 1",
    "finetune": "ui/finetune: tab 2",
    "inside": "ui/inside: tab 3",
    "guide": "ui/lesson: the guide beside the tabs",
    "page": "ui/page, address, papers, api, privacy",
    "command": "command: a command a file",
}
_OF_THE_PAGE = {"answer": "handlers", "photo": "handlers", "bring": "handlers", "lesson": "guide"}
_OF_THE_PAGE |= {"budgets": "server", "door": "server", "events": "server", "lifetime": "handlers"}
_OF_THE_PAGE |= dict.fromkeys(
    ["address", "api", "api_panel", "papers", "privacy", "reading_report", "survival"], "page"
)


def floor_of(module: str) -> str:
    """Return the floor on which a dotted module of demo lies."""
    parts = module.split(".")[1:]
    if parts[:1] == ["ui"]:
        room = parts[1] if len(parts) > 1 else "page"
        if parts[1:3] == ["server", "launch"]:
            return "page"  # it opens the page, and so stands above it
        return _OF_THE_PAGE.get(room, room)
    if parts == ["__main__"]:
        return "command"
    return parts[0] if parts and parts[0] in FLOORS else "ground"


def count_arrows() -> Counter[tuple[str, str]]:
    """Count the imports from each floor to each other one."""
    arrows: Counter[tuple[str, str]] = Counter()
    for path in sorted((PROJECT / "demo").rglob("*.py")):
        here = floor_of(".".join(path.relative_to(PROJECT).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("demo."):
                there = floor_of(node.module or "")
                arrows[here, there] += here != there
    return arrows


def count_lines(floor: str) -> int:
    """Count the lines of Python on a floor."""
    files = (PROJECT / "demo").rglob("*.py")
    chosen = (each for each in files if floor_of(".".join(each.relative_to(PROJECT).with_suffix("").parts)) == floor)
    return sum(len(each.read_text(encoding="utf-8").splitlines()) for each in chosen)


def draw() -> str:
    """Return the picture as Mermaid: an arrow from each floor to the nearest ones that it builds upon."""
    arrows = {pair for pair, count in count_arrows().items() if count}
    # What is reached by way of another floor needs no arrow of its own.
    direct = {(a, b) for a, b in arrows if not any((a, c) in arrows and (c, b) in arrows for c in FLOORS)}
    boxes = [f'    {name}["{title}<br/>{count_lines(name):,} lines"]' for name, title in FLOORS.items()]
    lines = [f"    {a} --> {b}" for a, b in sorted(direct)]
    return "\n".join(["```mermaid", "graph TD", *boxes, *lines, "```"])


def main() -> int:
    """Write the picture, or with --check say whether it is as the code is."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    new = f"{before}{BEGIN}\n{draw()}\n{END}{after}"
    if "--check" in sys.argv:
        return int(_without_counts(new) != _without_counts(text))
    PAGE.write_text(new, encoding="utf-8")
    return 0


def _without_counts(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if " lines" not in line)


if __name__ == "__main__":
    sys.exit(main())
