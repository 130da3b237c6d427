"""A stand-in of ZeroGPU: what its package `spaces` asks of the host, and a GPU that is none.

The package is the real one: it schedules, forks, pickles and stops as on Hugging Face. It asks this host, and where it
would open CUDA in the forked process, the device of `tests/second_device.py` opens. This module imports nothing of the
demo: a process that plays a Space begins with it.
"""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Platform:
    """Lends a GPU to whoever asks, unless `refusal` says otherwise; keeps a log of what was asked."""

    def __init__(self) -> None:
        self.refusal: tuple[int, dict[str, Any]] | None = None
        self.log: list[tuple[str, dict[str, str]]] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                host._answer(self)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def asked(self, path: str) -> list[dict[str, str]]:
        """Return the parameters of all requests of one kind, such as "/schedule"."""
        return [parameters for each, parameters in self.log if each == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.log.append((parts.path, {name: values[-1] for name, values in parse_qs(parts.query).items()}))
        number = len(self.asked("/schedule"))
        lent = {"idle": False, "nvidiaIndex": number, "nvidiaUUID": "GPU-0", "allowToken": f"token{number}"}
        status, answer = (self.refusal or (200, lent)) if parts.path == "/schedule" else (200, {})
        content = json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


def space_environment(platform: Platform | None = None, **more: str) -> dict[str, str]:
    """Return the environment of a Space, on ZeroGPU where there is a platform."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DEMO_", "GRADIO_"))}
    environment |= {
        "SPACE_ID": "teacher/vision",
        "SPACE_HOST": "teacher-vision.hf.space",
        "SPACE_AUTHOR_NAME": "teacher",
        "SPACE_REPO_NAME": "vision",
        "SPACE_TITLE": "What Pretrained Networks See",
        "SYSTEM": "spaces",
        "ACCELERATOR": "none",
        "CPU_CORES": "2",
        "MEMORY": "16Gi",
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "127.0.0.1",
        "OMP_NUM_THREADS": "2",
    }
    if platform is not None:
        environment |= {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": platform.url, "ACCELERATOR": "zero"}
    return environment | more


def run_in_space(platform: Platform, story: str, folder: Path) -> Any:
    """Run a story of `tests/tasks/lease_stories.py` in a process of its own on ZeroGPU; return what it returns."""
    result = folder / f"{story}.json"
    command = [sys.executable, "-m", "tests.zerogpu", story, str(result)]
    done = subprocess.run(command, env=space_environment(platform), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(result.read_text(encoding="utf-8")) | {"log": done.stderr}


def _open_device(_uuid: str) -> None:
    from tests.second_device import open_second_device

    open_second_device()


def _play(story: str, result: str) -> None:
    """Play the page's process: where a GPU is lent, what it starts as a broker opens the device that is none."""
    import demo.tasks.broker

    if story != "refuse":
        demo.tasks.broker._COMMAND = [sys.executable, "-m", "tests.zerogpu", story]
    from tests.tasks import lease_stories

    Path(result).write_text(json.dumps(getattr(lease_stories, story)()), encoding="utf-8")


def _play_broker(story: str, address: str) -> None:
    import spaces.zero.torch as zero

    import demo.tasks.broker
    import demo.tasks.gpu_work

    zero.init = _open_device
    zero.move = lambda **_: None  # no tensor was ever moved to the GPU beforehand
    demo.tasks.gpu_work._DEVICE = "second"
    if story == "break_off":
        setattr(demo.tasks.gpu_work, "load_backbone", _load_and_die)  # noqa: B010
    demo.tasks.broker.main(address)


def _load_and_die(*arguments: Any) -> Any:
    """Load a network in a process that is killed two seconds later, as when the seconds are over."""
    from demo.models.backbone import load_backbone

    threading.Timer(2.0, os._exit, (1,)).start()
    return load_backbone(*arguments)


if __name__ == "__main__":
    (_play_broker if sys.argv[2].endswith("socket") else _play)(sys.argv[1], sys.argv[2])
