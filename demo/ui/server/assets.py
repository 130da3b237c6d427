"""What gradio's scripts will ask for, told beforehand: otherwise each is found only once the one before it has run.

A script of our own that can come after the page is among the files too.

gradio's bundler writes in each script which files its parts need, as `import(...)` beside a list of numbers. Of these
the page needs what its kinds of components do. Where a list cannot be read, the browser finds the files by itself.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import gradio as gr
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Answers = tuple[Response, Response]  # as it is, and compressed

# The name of such a file holds a digest: it never changes.
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
# A worker has a policy of its own: it computes, and asks nobody.
_WORKER = {"Content-Security-Policy": "default-src 'none'"}
_FOLDER = Path(gr.__file__).parent / "templates" / "frontend"
_ENTRY = re.compile(r'src="\./assets/(index-[\w-]+\.js)"')
_FILES = re.compile(r"__vite__mapDeps=.*?m\.f=\[(.*?)\]", re.S)
_PART = r"import\(`\./%s-[\w-]+\.js`\).*?__vite__mapDeps\(\[([\d,]*)\]\)"
_COMPONENT = r"[{,]%s:\{(?:(?!\}[,}]\w+:\{).)*?component:.*?__vite__mapDeps\(\[([\d,]*)\]\)"

# CSS classes of gradio's elements that `demo/ui/parts/style.py` names, with the use of each.
STYLED = {
    "gradio-container": "the width of the page",
    "fillable": "the room of a phone, to its edges",
    "nav-holder": "no bar of pages above the page, whose head has its own",
    "tab-container": "tabs that fit a phone",
    "html-container": "no padding round HTML, and long names of files that wrap",
    "label-wrap": "titles of folded panels at their start",
    "toast-title": "no heading over an error's sentence",
    "meta-text": "no English word in the corner of what is loading, on the Chinese page",
    "meta-text-center": "likewise in its middle",
}
READ_BY_SCRIPTS = {
    "navigator.language": "one language on one page",
    "__vite__mapDeps": "scripts and style sheets that are fetched before they are missed",
}


class Assets:
    """The files of gradio's that a page needs: its scripts are preloaded, its style sheets are one.

    Args:
        page: The page, by whose kinds of components they are found.
        later: A script of our own, which runs when the document is there.
        shrinker: A script of our own, which is fetched when it is needed first; `shrinker` is its address then.
    """

    def __init__(self, page: gr.Blocks, later: str = "", shrinker: str = "") -> None:
        names = list(dict.fromkeys(_find_files({block.get_block_name() for block in page.blocks.values()})))
        self._scripts = [name for name in names if name.endswith(".js")]
        self._sheets = [name for name in names if name.endswith(".css") and "url(" not in _read(name)]
        style = "\n".join(map(_read, self._sheets))
        self._style_name, self._later_name = _name("components", style, "css"), later and _name("later", later, "js")
        texts = {self._style_name: style, self._later_name: later} | {name: _read(name) for name in self._scripts}
        self.files = {
            f"/assets/{name}": make_answers(text, str(mimetypes.guess_type(name)[0]), _FOR_EVER)
            for name, text in texts.items()
            if name
        }
        name = _name("shrinker", shrinker, "js")
        self.shrinker = f"./assets/{name}"
        self.files[f"/assets/{name}"] = make_answers(shrinker, "text/javascript", _FOR_EVER | _WORKER)

    @property
    def links(self) -> str:
        """The links of a document. gradio asks for no sheet that the document has, not even for a disabled one."""
        sheet = f'<link rel="stylesheet" href="./assets/{self._style_name}">' if self._sheets else ""
        told = (f'<link rel="stylesheet" crossorigin disabled href="./assets/{name}">' for name in self._sheets)
        scripts = (f'<link rel="modulepreload" crossorigin href="./assets/{name}">' for name in self._scripts)
        later = f'<script defer src="./assets/{self._later_name}"></script>' if self._later_name else ""
        return sheet + "".join(told) + "".join(scripts) + later


class Shelf:
    """ASGI middleware that answers with what is always the same, compressed once, by path, with headers of its own."""

    def __init__(self, app: ASGIApp, files: Mapping[str, Answers]) -> None:
        self._app, self._files = app, files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        answers = self._files.get(scope.get("path", ""))
        if answers is None or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        plain, packed = answers
        takes_packed = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        await (packed if takes_packed else plain)(scope, receive, send)


def _name(kind: str, text: str, ending: str) -> str:
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.{ending}"


def make_answers(text: str, kind: str, headers: Mapping[str, str]) -> Answers:
    """Return the answers with a text of a MIME type as it is, and compressed."""
    content, headers = text.encode(), {**headers, "Vary": "Accept-Encoding"}
    packed = gzip.compress(content, mtime=0)
    return Response(content, headers=headers, media_type=kind), Response(
        packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=kind
    )


def _find_files(kinds: set[str]) -> Iterator[str]:
    """Yield the names of all files that a page with these kinds of components needs, the first to run first."""
    entry = _ENTRY.search((_FOLDER / "index.html").read_text(encoding="utf-8"))
    if entry is None:
        return
    at_once = _list_files(entry[1])
    yield from at_once
    for name in at_once:
        if name.startswith("Index-"):
            yield from _pick_files(name, _PART % "Blocks")
        elif name.startswith("core-") and name.endswith(".js"):
            for kind in sorted(kinds):
                yield from _pick_files(name, _COMPONENT % kind)


def _pick_files(script: str, part: str) -> Iterator[str]:
    files, found = _list_files(script), re.search(part, _read(script), re.S)
    yield from (files[int(number)] for number in found[1].split(",")) if found else ()


def _list_files(script: str) -> list[str]:
    found = _FILES.search(_read(script))
    return re.findall(r'"\./([^"]+)"', found[1]) if found else []


def _read(name: str) -> str:
    return (_FOLDER / "assets" / name).read_text(encoding="utf-8")


def is_in_the_page(name: str) -> bool:
    """Say whether gradio's scripts and style sheets have a name."""
    return name in _read_all()


@cache
def _read_all() -> str:
    return "\n".join(_read(path.name) for path in (_FOLDER / "assets").glob("*.[cj]s*") if path.suffix != ".json")
