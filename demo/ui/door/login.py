"""The login: a page by itself, which asks nothing of the server but to take a password."""

import html
import secrets

from starlette.responses import HTMLResponse
from starlette.types import Scope

from demo.words.language import Words

# A link may carry the password behind its #, which no browser sends: it is given to the form, and taken off.
_SCRIPT = """
const key = new URLSearchParams(location.hash.slice(1)).get("key");
if (key) {
  history.replaceState(null, "", location.pathname + location.search);
  document.forms[0].password.value = key;
  document.forms[0].submit();
}
"""
_STYLE = """
:root { color-scheme: light dark; --ink: #1c1925; --soft: #555064; --paper: #f7f6f9; --card: #fff; --line: #9a94a8;
  --act: #1f6a80; --alarm: #a3123a; }
@media (prefers-color-scheme: dark) { :root { --ink: #eeecf2; --soft: #c4bfcf; --paper: #121018; --card: #1c1925;
  --line: #6f697e; --act: #82bccb; --alarm: #ff9db3; } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
main { box-sizing: border-box; width: min(28rem, 100%); padding: 1.5rem; }
h1 { font-size: 1.375rem; line-height: 1.3; margin: 0 0 .5rem; }
p { margin: 0 0 1rem; color: var(--soft); }
p[role=alert] { color: var(--alarm); font-weight: 600; }
form { padding: 1rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input, button { box-sizing: border-box; width: 100%; min-height: 2.75rem; font: inherit; border-radius: 6px; }
input { padding: 0 .75rem; border: 1px solid var(--line); background: var(--paper); color: var(--ink); }
button { margin-top: .75rem; border: 0; background: var(--act); color: var(--card); font-weight: 600; cursor: pointer; }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
"""
# Of a page that is open already, the password is only taken off the address: a projector may show it.
FORGET_KEY = """<script>
if (location.hash.startsWith("#key=")) history.replaceState(null, "", location.pathname + location.search);
</script>"""


def draw_login(words: Words, wanted: str, said: str, *, is_spoken: bool, ancestors: str) -> HTMLResponse:
    """Return the login page.

    Args:
        words: Those of its language.
        wanted: Where a right password leads, from the login.
        said: What was wrong, if anything.
        is_spoken: Whether the password may be seen while it is typed.
        ancestors: The directive of the content-security policy on who may show it in a frame.
    """
    ours, nonce = words.door, secrets.token_urlsafe(16)
    lead = f'<p role="alert">{html.escape(said)}</p>' if said else f"<p>{ours.lead}</p>"
    kind, autocomplete = ("text", "off") if is_spoken else ("password", "current-password")
    page = f"""<!doctype html>
<html lang="{words.language}"><head><meta charset="utf-8"><meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{words.page.title}</title>
<style nonce="{nonce}">{_STYLE}</style></head>
<body><main><h1>{words.page.title}</h1>{lead}
<form method="post" action="login"><input type="hidden" name="next" value="{html.escape(wanted)}">
<label for="password">{ours.label}</label>
<input id="password" name="password" type="{kind}" autocomplete="{autocomplete}" autocapitalize="none"
  autocorrect="off" spellcheck="false" required autofocus>
<button>{ours.enter}</button></form></main><script nonce="{nonce}">{_SCRIPT}</script></body></html>"""
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; form-action 'self'"
    policy = f"{policy}; base-uri 'none'; {ancestors}"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"})


def place_beside_login(scope: Scope) -> str:
    """Return the address of a request's page from the login, which is beside it."""
    name: str = scope["path"].rpartition("/")[2]
    query: str = scope.get("query_string", b"").decode("latin-1")
    if name in ("", "login"):  # by its own address the login leads to the first page
        name = "./"
    return name + (f"?{query}" if query else "")
