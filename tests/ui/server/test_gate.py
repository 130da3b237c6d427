"""What stands in front of gradio, as a stranger with a socket meets it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from demo.settings import MEGABYTE, Settings
from demo.ui.server.errors import AddressRefused, BodyTooLarge, BodyUnreadable
from demo.ui.server.gate import content_policy
from demo.words.language import CHINESE, ENGLISH
from tests.patience import PATIENCE_S, wait_for
from tests.served import Server
from tests.visitor import Visitor

JSON = {"Content-Type": "application/json"}
BOUNDARY = b"--cut"
FORM = {"Content-Type": "multipart/form-data; boundary=cut"}
FILE_PART = BOUNDARY + b'\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
FIELD_PART = BOUNDARY + b'\r\nContent-Disposition: form-data; name="note"\r\n\r\n'


def chunks(first: bytes, num_bytes: int) -> Iterator[bytes]:
    """Yield a body of unstated length, in pieces."""
    yield first
    for _ in range(num_bytes // 65_536):
        yield bytes(65_536)


def send(server: Server, path: str, body: Iterator[bytes] | bytes, headers: dict[str, str]) -> httpx.Response | None:
    """Send a body; None if the server has hung up before all of it was sent, which is a refusal too."""
    try:
        return httpx.post(f"{server.url}/gradio_api{path}", content=body, headers=headers, verify=False, timeout=30)
    except httpx.TransportError:
        return None


def is_refused(answer: httpx.Response | None, status: int) -> bool:
    return answer is None or answer.status_code == status


def upload_folders(server: Server) -> set[Path]:
    return set(Path(server.page.app.uploaded_file_dir).iterdir())


@contextmanager
def connected(server: Server, path: str, num_bytes: int) -> Iterator[socket.socket]:
    """Begin an upload by hand."""
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=30) as connection:
        head = f"POST /gradio_api{path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {num_bytes}\r\n"
        connection.sendall(f"{head}Content-Type: {FORM['Content-Type']}\r\n\r\n".encode())
        yield connection


def new_folders(server: Server, before: set[Path]) -> set[Path]:
    """Return what has come; what was there before may be swept at any time."""
    return upload_folders(server) - before


def wait_until_gone(server: Server, before: set[Path]) -> None:
    wait_for(lambda: not new_folders(server, before))


@pytest.mark.parametrize("path", ["/queue/join", "/call/predict", "/cancel"])
@pytest.mark.parametrize("is_stated", [True, False], ids=["stated", "unstated"])
def test_a_large_body_is_refused_whether_its_length_is_stated_or_not(
    path: str, is_stated: bool, server: Server
) -> None:
    body = b'{"data": ["' + b"a" * (2 * MEGABYTE) + b'"]}'
    answer = send(server, path, body if is_stated else iter([body[:900_000], body[900_000:]]), JSON)
    assert is_refused(answer, 413)
    if answer is not None:
        assert answer.json()["detail"] == ENGLISH.explain(BodyTooLarge(limit=1.0))


def test_a_large_upload_is_refused_before_it_is_read(server: Server, settings: Settings) -> None:
    before = upload_folders(server)
    answer = send(server, "/upload", FILE_PART + bytes(settings.max_upload_bytes + 1), FORM)
    assert is_refused(answer, 413)
    assert not new_folders(server, before)


def test_an_upload_that_grows_too_large_is_cut_and_leaves_no_file(server: Server, settings: Settings) -> None:
    before = upload_folders(server)
    assert is_refused(send(server, "/upload", chunks(FILE_PART, settings.max_upload_bytes + MEGABYTE), FORM), 413)
    wait_until_gone(server, before)


def test_a_form_of_other_fields_is_refused(server: Server) -> None:
    before = upload_folders(server)
    assert is_refused(send(server, "/upload", chunks(FIELD_PART, 10 * MEGABYTE), FORM), 400)
    wait_until_gone(server, before)


def test_a_thousand_files_at_once_are_refused(server: Server, settings: Settings) -> None:
    before = upload_folders(server)
    answer = httpx.post(
        f"{server.url}/gradio_api/upload",
        files=[("files", (f"{number}.png", b"x")) for number in range(1000)],
        verify=False,
        timeout=60,
    )
    assert answer.status_code == 400
    assert str(settings.max_pictures) in answer.text
    wait_until_gone(server, before)


@pytest.mark.parametrize("body", [b"", b"no form", FIELD_PART[:30], b"\x00" * 100])
def test_what_is_no_form_is_refused(body: bytes, server: Server) -> None:
    assert is_refused(send(server, "/upload", body, {"Content-Type": "text/plain"}), 400)
    assert is_refused(send(server, "/upload", body, {"Content-Type": "multipart/form-data"}), 400)


def test_a_cut_upload_leaves_no_file(server: Server) -> None:
    before = upload_folders(server)
    with connected(server, "/upload", 1_000_000) as connection:
        connection.sendall(FILE_PART + bytes(300_000))
        wait_for(lambda: new_folders(server, before))  # it is on its way
    wait_until_gone(server, before)


def test_a_stalled_upload_is_given_up(server: Server) -> None:
    before = upload_folders(server)
    object.__setattr__(server.rooms.settings, "upload_idle_s", 0.2)  # the running server's own, for this test
    try:
        with connected(server, "/upload", 1_000_000) as connection:
            connection.sendall(FILE_PART + bytes(1000))
            assert b" 408 " in connection.recv(4096)
    finally:
        object.__setattr__(server.rooms.settings, "upload_idle_s", Settings.upload_idle_s)
    wait_until_gone(server, before)


@pytest.fixture
def slow_upload(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Begin an upload that takes the only place, and send no more than its first bytes."""
    before = upload_folders(server)
    monkeypatch.setattr("demo.ui.server.uploads._POLL_S", 0.05)
    object.__setattr__(server.rooms.settings, "max_uploads", 1)
    try:
        with connected(server, "/upload", 1_000_000) as slow:
            slow.sendall(FILE_PART)
            wait_for(lambda: new_folders(server, before))
            yield slow
    finally:
        object.__setattr__(server.rooms.settings, "max_uploads", Settings.max_uploads)


def test_a_full_house_lets_the_slowest_upload_go(
    slow_upload: socket.socket, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.ui.server.uploads._NEW_S", 0.1)  # for as long the newcomer has to wait
    answer = send(server, "/upload", FILE_PART + b"x\r\n--cut--\r\n", FORM)
    assert answer is not None
    assert answer.status_code == 200
    assert b" 408 " in slow_upload.recv(4096)


@pytest.mark.usefixtures("slow_upload")
def test_a_full_house_of_which_none_is_slow_takes_nobody(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.ui.server.uploads._NEW_S", PATIENCE_S)
    answer = send(server, "/upload", FILE_PART + b"x\r\n--cut--\r\n", FORM)
    assert answer is not None
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_slow_body_is_given_up(server: Server) -> None:
    object.__setattr__(server.rooms.settings, "max_body_s", 0.2)
    try:
        with connected(server, "/queue/join", 1000) as connection:
            connection.sendall(b"{")
            assert b" 408 " in connection.recv(4096)
    finally:
        object.__setattr__(server.rooms.settings, "max_body_s", Settings.max_body_s)


def test_the_same_file_of_two_visitors_lies_in_two_places(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "same.png"
    path.write_bytes(b"the same")
    first, second = Visitor(server.url), Visitor(server.url)
    places = [Path(visitor.upload(path)["path"]) for visitor in (first, second)]
    assert places[0] != places[1]
    assert all(len(place.parent.name) == 32 for place in places)
    first.close()
    second.close()


@pytest.mark.parametrize(
    "name", ["../../up.png", "/etc/passwd", "a/b.png", "..", "", "<img src=x>.png", "x" * 300 + ".png", "照片.png"]
)
def test_a_files_name_leads_nowhere(name: str, server: Server) -> None:
    (answer,) = httpx.post(
        f"{server.url}/gradio_api/upload", files=[("files", (name or "blob", b"x"))], verify=False
    ).json()
    folder = Path(server.page.app.uploaded_file_dir)
    assert Path(answer).resolve().parent.parent == folder
    assert Path(answer).is_file()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("con.png", "_con.png"),
        ("LPT1", "_LPT1"),
        ("console.png", "console.png"),
        (f"{'x' * 150}.png", f"{'x' * 76}.png"),
    ],
)
def test_an_upload_gets_a_name_that_every_system_can_keep(sent: str, kept: str, server: Server) -> None:
    files = [("files", (sent, b"x"))]
    (answer,) = httpx.post(f"{server.url}/gradio_api/upload", files=files, verify=False).json()
    assert Path(answer).name == kept


@pytest.mark.parametrize(
    "address",
    ["http://example.org/a.png", "https://127.0.0.1/a", "HTTP://example.org", "file:///etc/passwd", " http://a"],
)
def test_files_are_not_fetched_from_addresses(address: str, server: Server) -> None:
    file = {"path": address, "meta": {"_type": "gradio.FileData"}}
    sentence = ENGLISH.explain(AddressRefused(address=address.strip()[:40]))
    attach = next(number for number, each in server.page.fns.items() if each.api_name == "attach")
    page_event = {"data": [None, file, None], "fn_index": attach, "session_hash": "a"}
    answer = send(server, "/queue/join", json.dumps(page_event).encode(), JSON)
    assert answer is not None
    assert answer.status_code == 400
    assert answer.json()["detail"] == sentence
    for image in (file, address, {"url": address}):  # of a program, which is told in the stream of its answer
        begun = send(server, "/call/predict", json.dumps({"data": [image, "", 5]}).encode(), JSON)
        assert begun is not None
        told = httpx.get(f"{server.url}/gradio_api/call/predict/{begun.json()['event_id']}", verify=False).text
        assert json.loads(told.split("event: error\ndata: ")[1])["error"] == sentence


def test_a_class_may_be_called_like_an_address(server: Server) -> None:
    visitor = Visitor(server.url)
    assert "http://cats" in str(visitor.call("make_class", "http://cats"))
    visitor.close()


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://example.org/a.png",
        "/gradio_api/file=https://example.org/a.png",
        "/gradio_api/file/http://example.org/a.png",
        "/gradio_api/proxy=https://example.hf.space/a",
        "/gradio_api/deep_link?session_hash=a",
        "/monitoring",
        "/monitoring/summary",
        "/openapi.json",
        "/docs",
        "/gradio_api/dev/reload",
        "/gradio_api/startup-events",
        "/gradio_api/custom_component/a/b/c/d.js",
        "/gradio_api/vibe-code",
    ],
)
def test_doors_that_the_page_does_not_need_are_closed(path: str, server: Server) -> None:
    assert httpx.get(server.url + path, verify=False).status_code == 404


@pytest.mark.parametrize(
    "path", ["/run/predict", "/api/predict", "/process_recording", "/vibe-edit", "/component_server", "/../login"]
)
def test_nothing_else_can_be_sent_to(path: str, server: Server) -> None:
    answer = send(server, path, b"{}", JSON)
    assert answer is not None
    assert answer.status_code == 404
    assert httpx.delete(f"{server.url}/gradio_api/queue/join", verify=False).status_code == 404


@pytest.mark.parametrize("path", ["/etc/passwd", "../app.py", "app.py", "demo/settings.py", "%2e%2e/app.py"])
def test_no_file_but_uploads_can_be_read(path: str, server: Server) -> None:
    assert httpx.get(f"{server.url}/gradio_api/file={path}", verify=False).status_code in (403, 404)


def test_no_file_of_the_servers_own_can_be_read(server: Server) -> None:
    lock = Path(os.environ["GRADIO_TEMP_DIR"], ".lock")
    assert lock.is_file()
    assert httpx.get(f"{server.url}/gradio_api/file={lock}", verify=False).status_code == 404


def test_private_events_are_no_functions_of_the_api(server: Server) -> None:
    answer = httpx.post(f"{server.url}/gradio_api/call/attach", json={"data": [""]}, verify=False)
    assert answer.json()["detail"].startswith('The API has no function "attach".')


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff\xfe", b'{"data": NaN'])
def test_a_body_that_is_no_json_is_refused(body: bytes, server: Server) -> None:
    answer = send(server, "/call/predict", body, JSON)
    assert answer is not None
    assert answer.json()["detail"] == ENGLISH.explain(BodyUnreadable())


def test_a_refusal_speaks_the_pages_language(server: Server) -> None:
    referer = {"Referer": f"{server.url}/zh", "Accept-Language": "en"}
    answer = send(server, "/queue/join", b"{", {**JSON, **referer})
    assert answer is not None
    assert answer.json()["detail"] == CHINESE.explain(BodyUnreadable())
    answer = send(server, "/queue/join", b"{", {**JSON, "Accept-Language": "zh-CN,zh;q=0.9"})
    assert answer is not None
    assert answer.json()["detail"] == CHINESE.explain(BodyUnreadable())


@pytest.mark.parametrize("path", ["/", "/zh", "/config", "/gradio_api/info", "/gradio_api/file=nowhere", "/theme.css"])
def test_every_answer_is_labelled(path: str, server: Server) -> None:
    headers = httpx.get(server.url + path, verify=False).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "sandbox" in policy if "file=" in path else policy == content_policy()
    assert "Set-Cookie" not in headers


def test_the_policy_lets_nothing_in_from_elsewhere_and_names_who_may_show_the_page() -> None:
    policy, _, ancestors = content_policy(("https://moodle.school",)).partition("frame-ancestors")
    assert "http" not in policy
    assert "script-src-attr 'none'" in policy
    assert ancestors == " 'self' https://moodle.school"
    assert content_policy().endswith("frame-ancestors 'self'")
