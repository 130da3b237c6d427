"""`python -m demo serve`: each way to open the page, tried."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file

from demo.command.line import main
from demo.command.serve import add_options, read_options
from demo.system import lan_addresses
from tests.conftest import PROJECT
from tests.opened import Opened, command, environment, opened

LAN = ("--lan", "--metrics", "--embed-in", "https://moodle.school/course/1", "--proxy", "127.0.0.2")
FORGED = {"X-Forwarded-Host": "vision.school", "X-Forwarded-Proto": "https", "X-Gradio-Server": "http://evil.example"}


def parse(*arguments: str) -> dict[str, str]:
    import argparse

    parser = argparse.ArgumentParser()
    add_options(parser)
    return read_options(parser.parse_args(arguments))


def test_each_option_is_a_variable() -> None:
    assert parse() == {}
    assert parse("--share", "--device", "cpu") == {"DEMO_SHARE": "1", "DEMO_DEVICE": "cpu"}
    assert parse("--embed-in", "https://a.school", "--password", "") == {
        "DEMO_EMBED_IN": "https://a.school",
        "DEMO_PASSWORD": "",
    }
    assert parse("--port", "8000") == {"GRADIO_SERVER_PORT": "8000", "GRADIO_NUM_PORTS": "1"}


def test_help_takes_no_torch() -> None:
    program = "import sys; import demo.command.line; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert not {"torch", "gradio", "numpy"} & set(run.stdout.split())


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["serve", "--no-such-option"]])
def test_a_wrong_command_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m demo" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--embed-in", "moodle"], "DEMO_EMBED_IN is 'moodle'; it must be "),
        (["--password", "1234"], "DEMO_PASSWORD is '***'; it must be "),
        pytest.param(["--device", "cuda"], "finds no GPU here", marks=[pytest.mark.slow, pytest.mark.ways]),
        pytest.param(["--device", "mps"], "finds no Apple GPU here", marks=[pytest.mark.slow, pytest.mark.ways]),
        pytest.param(
            ["--share"],
            "No share link could be made (Could not get share link",
            marks=[pytest.mark.slow, pytest.mark.ways],
        ),
    ],
)
def test_what_is_not_possible_here_ends_the_start_with_one_sentence(
    options: list[str], told: str, tmp_path: Path
) -> None:
    run = subprocess.run(
        command(*options),
        cwd=PROJECT,
        env=environment(tmp_path, CUDA_VISIBLE_DEVICES=""),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (run.returncode, run.stdout) == (2, "")
    (line,) = run.stderr.splitlines()
    assert told in line


@pytest.fixture(scope="module")
def lan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The page as a class finds it."""
    with opened(tmp_path_factory.mktemp("uploads"), *LAN, until="▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀") as page:
        yield page


@pytest.mark.ways
@pytest.mark.slow
def test_a_class_is_told_addresses_password_and_code(lan: Opened) -> None:
    assert [each for each in lan_addresses() if f"Others open http://{each}:{lan.port}\n" not in lan.told] == []
    assert len(lan.password) == 14
    assert lan.told.count("▄") > 50


@pytest.mark.ways
@pytest.mark.slow
def test_the_whole_page_is_locked_and_a_program_with_the_password_is_answered(lan: Opened, tmp_path: Path) -> None:
    with httpx.Client(base_url=lan.url) as stranger:
        paths = ["/", "/zh", "/teacher", "/config", "/gradio_api/info", "/gradio_api/startup-events", "/metrics"]
        assert {stranger.get(path).status_code for path in paths} == {401}
        assert stranger.get("/healthz").json()["alive"]
        assert stranger.get("/metrics", auth=("any", lan.password)).text.count("demo_requests_total{")
    client = Client(lan.url, auth=("any", lan.password), verbose=False, download_files=str(tmp_path))
    answer = client.predict(handle_file(str(PROJECT / "demo/assets/chelsea.png")), "", 5, api_name="/predict")
    assert len(answer["predictions"]) == 5


@pytest.mark.ways
@pytest.mark.slow
@pytest.mark.parametrize(("own", "root"), [("127.0.0.1", "http://127.0.0.1"), ("127.0.0.2", "https://vision.school")])
def test_a_named_proxy_says_the_pages_address_and_nobody_else_does(lan: Opened, own: str, root: str) -> None:
    transport = httpx.HTTPTransport(local_address=own)
    with httpx.Client(transport=transport, headers={"Authorization": f"Bearer {lan.password}", **FORGED}) as client:
        told = client.get(f"{lan.url}/config").json()["root"]
    assert told == (root if own == "127.0.0.2" else lan.url)


@pytest.mark.ways
@pytest.mark.slow
def test_the_named_site_alone_may_show_it(lan: Opened) -> None:
    headers = {"Authorization": f"Bearer {lan.password}", "Accept": "text/html"}
    for path, sent in (("/", headers), ("/teacher", headers), ("/", {"Accept": "text/html"})):
        answer = httpx.get(lan.url + path, headers=sent)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.endswith("frame-ancestors 'self' https://moodle.school")
        assert "X-Frame-Options" not in answer.headers


@pytest.mark.ways
@pytest.mark.slow
def test_a_page_that_is_ended_leaves_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as page:
        assert httpx.get(f"{page.url}/gradio_api/info").status_code == 200, "on this machine it has no password"
        assert list(tmp_path.glob("demo-*"))
    assert page.process.returncode == 0
    assert list(tmp_path.glob("demo-*")) == []
