"""Run README's first line as a newcomer would, and ask the page that opens what is on a photograph.

`python3 .ci/open_page.py "python3 -m venv .venv && ... app.py"`, with any Python: gradio's client is that of `.venv`.
Ends with 1 where the page does not open or takes the cat for something else.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

DEADLINE_S = 900  # torch and what it brings are 6 GB on Linux
ASK = """
import sys
from gradio_client import Client, handle_file
client = Client(sys.argv[1], verbose=False, analytics_enabled=False)
answer = client.predict(handle_file("demo/assets/chelsea.png"), "", 5, api_name="/predict")
print("the page opened, and answers:", answer)
sys.exit("cat" not in str(answer))
"""


def main(line: str) -> int:
    """Open the page, ask it, close it, and return the exit status."""
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port)}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell begins in the background ignores it
    page = subprocess.Popen(["bash", "-c", line], env=environment, start_new_session=True)
    try:
        if not wait_for(url, page):
            print("the page did not open:", line)
            return 1
        return subprocess.run([".venv/bin/python", "-c", ASK, url], check=False).returncode
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(page.pid, signal.SIGINT)  # as Ctrl-C does
        page.wait(60)


def wait_for(url: str, page: "subprocess.Popen[bytes]") -> bool:
    """Return whether the page answers before the deadline, and before its process ends."""
    ends_at = time.monotonic() + DEADLINE_S
    while time.monotonic() < ends_at and page.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    return False


def find_free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
