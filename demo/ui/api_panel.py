"""The panel at the end of the page that says how programs use it, with examples made from the endpoints themselves."""

import html
import json
from collections.abc import Callable
from typing import Any

import gradio as gr

from demo.ui.api.agents import PATH, welcomes_agents
from demo.ui.api.endpoints import ENDPOINTS, Endpoint
from demo.ui.api.schemas import RECIPE, Schema, takes_file
from demo.ui.server.assets import Answers, make_answers
from demo.words.api import ApiWords
from demo.words.language import CHINESE, ENGLISH, Words

_ADDRESS = "http://127.0.0.1:7860"  # until a script puts the page's own in its place
_FILES = {"image": "photo.jpg", "files": "photos.zip", "dataset_zip": "pictures.zip"}  # what the examples send
# What else they send. The others can be left out, and a head is what a training has given.
_VALUES: dict[str, dict[str, Any]] = {
    "predict": {"top_k": 5},
    "fine_tune": {"recipe": {"optimizer": "sgd", "epochs": 10}, "split": 1},
    "class_map": {"target": "tabby", "stage": "high"},
    "activations": {"stage": "low"},
}
_KINDS = {"string": "text", "integer": "number", "number": "number", "object": "object"}


def write_python(api_name: str, address: str = _ADDRESS) -> str:
    """Return a program in Python that asks an endpoint."""
    lines = [f"    {name}={value}," for name, value in _write_values(api_name, repr).items()]
    call = "\n".join(["answer = client.predict(", *lines, f'    api_name="/{api_name}",', ")"])
    return f"""from gradio_client import Client, handle_file

client = Client("{address}")
{call}
print(answer)"""


def write_javascript(api_name: str, address: str = _ADDRESS) -> str:
    """Return a program for Node.js that asks an endpoint; it ends itself, for gradio's client stays."""
    lines = "".join(f"  {name}: {value},\n" for name, value in _write_values(api_name, json.dumps).items())
    return f"""import {{ Client, handle_file }} from "@gradio/client";

const client = await Client.connect("{address}");
const answer = await client.predict("/{api_name}", {{
{lines}}});
console.log(JSON.stringify(answer.data, null, 2));
process.exit();"""


def write_curl(api_name: str, address: str = _ADDRESS) -> str:
    """Return commands that send a file to an endpoint, ask it, and wait for its answer."""
    lines, values = [f"URL={address}/gradio_api"], dict(_VALUES.get(api_name, {}))
    body = json.dumps(values)[1:-1]
    for name in _files_of(ENDPOINTS[api_name]):
        lines.append(f"""FILE=$(curl -s -F files=@{_FILES[name]} $URL/upload | cut -d '"' -f 2)""")
        body = f'"{name}": "\'$FILE\'"' + (f", {body}" if body else "")
    call = f"$URL/call/v2/{api_name}"
    lines.append(f"""ID=$(curl -s -H "Content-Type: application/json" -d '{{{body}}}' {call} | cut -d '"' -f 4)""")
    return "\n".join([*lines, f"curl -sN {call}/$ID"])


_WRITERS = {"Python": write_python, "JavaScript": write_javascript, "curl": write_curl}


def draw_api(words: Words) -> str:
    """Return what the panel says, as HTML: the endpoints, each folded."""
    address = f'<code lang="en"><span data-address>{_ADDRESS}</span>{PATH}</code>'
    agents = f"<p>{words.api.agents.format(address=address)}</p>" if welcomes_agents() else ""
    return agents + "".join(_draw_endpoint(words.api, each) for each in ENDPOINTS.values())


def make_api_panels() -> dict[str, Answers]:
    """Return the answers with what the panels say, by their paths; few unfold one, and it is much."""
    headers = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}
    headers |= {"Cache-Control": "no-cache"}
    return {_place(words): make_answers(draw_api(words), "text/html", headers) for words in (ENGLISH, CHINESE)}


def build_api_panel(words: Words) -> None:
    """Lay out the panel, folded; demo/ui/scripts/api.js fetches what it says."""
    folded = (
        f'<details data-more=".{_place(words)}"><summary>{words.api.title}</summary><p>{words.api.intro}</p></details>'
    )
    gr.HTML(folded, padding=False, elem_id="api")


def _place(words: Words) -> str:
    return "/api-panel" if words.language == ENGLISH.language else "/zh/api-panel"


def _write_values(api_name: str, write: Callable[[Any], str]) -> dict[str, str]:
    """Return what an example hands over for each parameter, in a language that writes values in its own way."""
    files = {name: f"handle_file({json.dumps(_FILES[name])})" for name in _files_of(ENDPOINTS[api_name])}
    return files | {name: write(value) for name, value in _VALUES.get(api_name, {}).items()}


def _files_of(endpoint: Endpoint) -> list[str]:
    return [name for name in endpoint.required if takes_file(name)]


def _draw_endpoint(words: ApiWords, endpoint: Endpoint) -> str:
    takes = "".join(
        _draw_parameter(words, name, schema, endpoint.defaults[name])
        for name, schema in endpoint.schemas(words).items()
    )
    examples = "".join(_draw_example(words, language, write(endpoint.name)) for language, write in _WRITERS.items())
    taken = f"<p><b>{words.takes}</b></p><ul>{takes}</ul>" if takes else ""
    return (
        f'<details><summary><code lang="en">/{endpoint.name}</code> {html.escape(words.does[endpoint.name])}</summary>'
        f"{taken}<p><b>{words.gives}</b> {html.escape(words.answers[endpoint.name])}</p>{examples}</details>"
    )


def _draw_parameter(words: ApiWords, name: str, schema: Schema, default: Any) -> str:
    kinds = [_name_kind(words, name, schema)]
    if isinstance(default, int | str) and default != "":
        kinds.append(words.default.format(value=f'<code lang="en">{default}</code>'))
    inner = ""
    if name == "recipe":
        rows = "".join(_draw_parameter(words, each, RECIPE[each], None) for each in RECIPE)
        inner = f"<ul>{rows}</ul>"
    says = words.recipe[name] if name in words.recipe and "description" not in schema else schema["description"]
    return f'<li><code lang="en">{name}</code> ({"; ".join(kinds)}) – {html.escape(says)}{inner}</li>'


def _name_kind(words: ApiWords, name: str, schema: Schema) -> str:
    if takes_file(name):
        return words.kinds["files" if "anyOf" in schema else "file"]
    if choices := [each for each in schema.get("enum", ()) if each]:
        listed = ", ".join(f'<code lang="en">{each}</code>' for each in choices)
        return words.kinds["choice"].format(choices=listed)
    if schema.get("type") == "boolean":
        return words.kinds["choice"].format(choices='<code lang="en">true</code>, <code lang="en">false</code>')
    return words.kinds[_KINDS[schema["type"]]] if "type" in schema else words.kinds["text"]


def _draw_example(words: ApiWords, language: str, code: str) -> str:
    before, after = html.escape(code, quote=False).split(_ADDRESS)
    shown = f"{before}<span data-address>{_ADDRESS}</span>{after}"
    return (
        f'<div class="example-code"><p><b lang="en">{language}</b> <button type="button">{words.copy}</button></p>'
        f'<pre tabindex="0" lang="en" aria-label="{language}"><code>{shown}</code></pre></div>'
    )
