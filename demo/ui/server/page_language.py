"""One language on one page: gradio's words follow the browser's language, which a script in the page sets first."""

import json
import re

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from demo.words.language import CHINESE, ENGLISH, Words

_TAGS = {ENGLISH.language: "en", CHINESE.language: "zh-CN"}  # languages for which gradio has words
_HEAD = re.compile(rb"<head[^>]*>")

# The first page of a browser tab goes to the remembered language, or else to the browser's; a later one stays, so that
# nobody is ever sent back. sessionStorage holds the tab's last language: where the page has another, the visitor has
# switched, and localStorage remembers it. Where storage is forbidden, a later page is one that a link here has led to.
_SCRIPT = """<script>
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


def words_at(path: str) -> Words:
    """Return the words of the page at an address."""
    return CHINESE if path.partition("?")[0].rstrip("/").endswith("/zh") else ENGLISH


def put_first(path: str, body: bytes) -> bytes:
    """Return a document with the script of its language before all other scripts."""
    script = (_SCRIPT % json.dumps(_TAGS[words_at(path).language])).encode()
    return _HEAD.sub(lambda head: head[0] + script, body, count=1)


def tell_language(path: str, send: Send) -> Send:
    """Put the script before all others of a page; responses that are not plain HTML in one piece stay unchanged."""
    start: Message | None = None

    async def send_told(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start" and _is_document(message):
            start = message  # the length is set when the body is known
            return
        if start is not None:
            before, start = start, None
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                message = {**message, "body": put_first(path, message.get("body", b""))}
                MutableHeaders(scope=before)["Content-Length"] = str(len(message["body"]))
            await send(before)
        await send(message)

    return send_told


def _is_document(start: Message) -> bool:
    headers = MutableHeaders(scope=start)
    is_plain = "content-encoding" not in headers and "content-length" in headers
    return is_plain and start["status"] == 200 and headers.get("content-type", "").startswith("text/html")
