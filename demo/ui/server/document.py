"""What is done to each document on its way: the words of its language come first, then a first picture of the page."""

import html
import json
import re
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from demo.words.language import CHINESE, ENGLISH, Words

_TAGS = {ENGLISH.language: "en", CHINESE.language: "zh-CN"}  # languages for which gradio has words

# The first page of a browser tab goes to the remembered language, or else to the browser's; a later one stays, so that
# nobody is ever sent back. sessionStorage holds the tab's last language: where the page has another, the visitor has
# switched, and localStorage remembers it. Where storage is forbidden, a later page is one that a link here has led to.
_LANGUAGE = """<script>
{
  const own = %s, wanted = navigator.language, key = "demo-language";
  let last = document.referrer.startsWith(location.origin + "/") ? own : null, remembered = null;
  try {
    last = sessionStorage.getItem(key);
    if (last && last !== own) localStorage.setItem(key, own);
    remembered = localStorage.getItem(key);
  } catch {}
  if (!last && own === "en" && (remembered ?? wanted).startsWith("zh")) {
    const there = new URL(location.href);
    there.pathname = there.pathname.replace(/\\/*$/, "/zh");
    location.replace(there);
  } else {
    try { sessionStorage.setItem(key, own) } catch {}
  }
  Object.defineProperty(navigator, "language", {get: () => own});
  Object.defineProperty(navigator, "languages", {get: () => [own]});
}
</script>"""

_HTML_TAG = re.compile(r'(<html[^>]*?lang=")[^"]*(")')
_HEAD = re.compile(r"<head[^>]*>")
_GRADIO = re.compile(r"<script>window\.gradio_config = .*?(?=</head>)", re.S)  # what only gradio's own page needs
_BODY = re.compile(r"<body[^>]*>")

# Until gradio's page is attached it is laid out unseen, over the place where it will stand. Where no script runs, the
# first picture is all there is. In a tab that has been here before, or where the address says what to show, the example
# would be a wrong answer: only the frame is shown.
_STYLE = """<style>
.first body { background: var(--bg); color: var(--col); }
.first body.dark { background: var(--bg-dark); color: var(--col-dark); }
.first gradio-app { visibility: hidden; position: fixed; inset: 0 0 auto; }
%s
.again #first-example { display: none; }
.skip { position: fixed; top: -9rem; }
</style>"""
_BEGIN = """<script>
{
  const root = document.documentElement, theme = new URLSearchParams(location.search).get("__theme");
  root.classList.add("first");
  const isDark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.body.classList.toggle("dark", isDark);
  let isAgain = [...new URLSearchParams(location.search).keys()].some((key) => key !== "__theme");
  try { isAgain ||= sessionStorage.getItem("demo-token") !== null } catch {}
  root.classList.toggle("again", isAgain);
}
</script>"""


def words_at(path: str) -> Words:
    """Return the words of the page at an address."""
    return CHINESE if path.partition("?")[0].rstrip("/").endswith("/zh") else ENGLISH


class Document:
    """The rewriting of gradio's documents.

    Args:
        scripts: The page's own scripts, as HTML.
        style: The style sheet of the first picture, which may be used by gradio's page too.
        preloads: Links to what gradio's scripts will ask for, as HTML.

    `examples` have what a first visitor sees below the tabs, by language, once it is known. A click on an element with
    `data-for` is kept, and given to the element with that id.
    """

    def __init__(self, scripts: str, style: str = "", preloads: str = "") -> None:
        self._scripts, self._style, self._preloads = scripts, _STYLE % style, preloads
        self.examples: Mapping[str, str] = {}

    def rewrite(self, path: str, body: bytes) -> bytes:
        """Return a document with its language, and with a first picture before all that has to be fetched."""
        words, text = words_at(path), body.decode()
        later = _GRADIO.search(text)
        text = _GRADIO.sub("", text, count=1)
        text = _HTML_TAG.sub(rf"\g<1>{words.language}\g<2>", text, count=1)
        script = _LANGUAGE % json.dumps(_TAGS[words.language])
        title = f"<title>{html.escape(words.page.title)}</title>{self._style}"
        text = _HEAD.sub(lambda head: head[0] + script + title, text, count=1)
        gradio = later[0] if later else ""
        first = self._draw_first(words) + _BEGIN + self._scripts + self._preloads + gradio
        return _BODY.sub(lambda tag: tag[0] + first, text, count=1).encode()

    def send(self, path: str, send: Send) -> Send:
        """Rewrite what is sent; responses that are not plain HTML in one piece stay unchanged."""
        start: Message | None = None

        async def send_rewritten(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_document(message):
                start = message  # the length is set when the body is known
                return
            if start is not None:
                before, start = start, None
                if message["type"] == "http.response.body" and not message.get("more_body", False):
                    message = {**message, "body": self.rewrite(path, message.get("body", b""))}
                    MutableHeaders(scope=before)["Content-Length"] = str(len(message["body"]))
                await send(before)
            await send(message)

        return send_rewritten

    def _draw_first(self, words: Words) -> str:
        tabs = {"predict": words.predict.tab, "finetune": words.finetune.tab, "inside": words.inside.tab}
        example = self.examples.get(words.language, "")
        buttons = "".join(f'<button data-for="{name}-tab-button">{tab}</button>' for name, tab in tabs.items())
        return (
            f'<div id="first"><header><h1>{words.page.title}</h1><p>{words.page.lead}</p></header>'
            f'<div id="first-tabs">{buttons}</div><div id="first-example">{example}</div></div>'
        )


def _is_document(start: Message) -> bool:
    headers = MutableHeaders(scope=start)
    is_plain = "content-encoding" not in headers and "content-length" in headers
    return is_plain and start["status"] == 200 and headers.get("content-type", "").startswith("text/html")
