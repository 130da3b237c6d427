"""A Hugging Face Hub on this machine, as far as a new repository and one commit go."""

import base64
import hashlib
import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import huggingface_hub
import pytest

from demo.tasks.hub import push_folder

TOKEN = "hf_zebra7391secrettoken"


class HubHost:
    """Takes repositories and files from whoever has the token; keeps a log of what came."""

    def __init__(self, *, status: int = 0, stores_large: bool = True) -> None:
        """Open it.

        Args:
            status: What it answers to everything, in place of doing it.
            stores_large: Whether large files come by requests of their own, as on the Hub; or all within the commit.
        """
        self.status, self.stores_large = status, stores_large
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.is_private: dict[str, bool] = {}
        self.log: list[tuple[str, str, str]] = []  # method, path, authorisation
        self._large: dict[str, bytes] = {}
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                host._take(self)

            def do_PUT(self) -> None:
                host._take(self)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        authorisation = handler.headers.get("Authorization", "")
        path = handler.path.partition("?")[0]
        self.log.append((handler.command, path, authorisation))
        status, answer = self._answer(path, body, authorisation)
        content = json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _answer(self, path: str, body: bytes, authorisation: str) -> tuple[int, Any]:
        if path.startswith("/large/"):  # the store of large files knows no tokens
            self._large[path.removeprefix("/large/")] = body
            return 200, {}
        if self.status:
            return self.status, {"error": f"refused {authorisation}"}
        if authorisation != f"Bearer {TOKEN}":
            return 401, {"error": "Invalid username or password."}
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if "/preupload/" in path:
            files = json.loads(body)["files"]
            return 200, {"files": [self._preupload(each) for each in files]}
        if path.endswith("/info/lfs/objects/batch"):
            return 200, {"transfer": "basic", "objects": [self._place(each) for each in json.loads(body)["objects"]]}
        if "/commit/" in path:
            return self._commit(path, body)
        return 404, {"error": f"no {path}"}

    def _create(self, wanted: dict[str, Any]) -> tuple[int, Any]:
        name = f"{wanted.get('organization') or 'pupil'}/{wanted['name']}"
        if name in self.repositories:
            return 409, {"error": "You already created this model repo", "url": f"{self.url}/{name}"}
        self.repositories[name] = {}
        self.is_private[name] = bool(wanted.get("private")) or wanted.get("visibility") == "private"
        return 200, {"url": f"{self.url}/{name}", "name": name}

    def _preupload(self, file: dict[str, Any]) -> dict[str, Any]:
        is_large = self.stores_large and file["path"].endswith(".safetensors")
        return {"path": file["path"], "uploadMode": "lfs" if is_large else "regular", "shouldIgnore": False}

    def _place(self, wanted: dict[str, Any]) -> dict[str, Any]:
        upload = {"href": f"{self.url}/large/{wanted['oid']}", "header": {}}
        return {**wanted, "authenticated": True, "actions": {"upload": upload}}

    def _commit(self, path: str, body: bytes) -> tuple[int, Any]:
        name = path.removeprefix("/api/models/").partition("/commit/")[0]
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                self.repositories[name][value["path"]] = base64.b64decode(value["content"])
            if line["key"] == "lfsFile":
                content = self._large[value["oid"]]
                assert hashlib.sha256(content).hexdigest() == value["oid"]
                self.repositories[name][value["path"]] = content
        oid = "0" * 40
        return 200, {"commitUrl": f"{self.url}/{name}/commit/{oid}", "commitOid": oid, "success": True}


def replace_hub(monkeypatch: pytest.MonkeyPatch) -> HubHost:
    """Let the page send to a Hub on this machine, which the caller closes; other tests switch the real one off."""
    host = HubHost()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("demo.ui.finetune.keep.panel.push_folder", partial(push_folder, endpoint=host.url))
    return host
