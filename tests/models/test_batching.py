"""Pictures that wait together go through a network together, and everybody gets their own answer."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest
import torch
from PIL import Image
from torch import Tensor

from demo.data.samples import EXAMPLES, read_example
from demo.models.backbone import Backbone, load_backbone
from demo.models.batching import Answers, Batcher
from demo.models.plan import MAX_BATCH, Plan
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import Settings
from demo.tasks.predict import predict
from tests.patience import PATIENCE_S, wait_for


class Gate:
    """A forward pass that notes its batches, waits to be let through, and fails for pictures of -1."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, pictures: Tensor) -> Answers:
        self.sizes.append(len(pictures))
        self.entered.release()
        assert self.open.wait(PATIENCE_S)
        if (pictures < 0).any():
            raise RuntimeError("a bad picture")
        values = pictures.flatten(1)[:, :1]
        return Answers(values, values * 10)


def picture(value: float) -> Tensor:
    return torch.full((1, 3, 2, 2), value)


def one_at_a_time(gate: Gate, max_batch: int = MAX_BATCH) -> Batcher:
    return Batcher(gate, Plan(1, max_batch), is_alone=True)


def are_waiting(batcher: Batcher, number: int) -> bool:
    return len(batcher._waiting) == number


def ask_while_one_runs(
    batcher: Batcher, gate: Gate, pool: ThreadPoolExecutor, values: list[float]
) -> list[Future[Answers]]:
    """Let the first caller occupy the network until all others wait, in their order."""
    asked = [pool.submit(batcher.run, picture(values[0]))]
    assert gate.entered.acquire(timeout=PATIENCE_S)
    for number, value in enumerate(values[1:], 1):
        asked.append(pool.submit(batcher.run, picture(value)))
        wait_for(partial(are_waiting, batcher, number))
    gate.open.set()
    return asked


def test_those_who_wait_share_a_pass_and_get_their_own_answers() -> None:
    gate = Gate()
    with ThreadPoolExecutor(6) as pool:
        asked = ask_while_one_runs(one_at_a_time(gate), gate, pool, [1, 2, 3, 4, 5, 6])
        answers = [each.result(PATIENCE_S) for each in asked]
    assert gate.sizes == [1, 5]
    assert [float(each.features) for each in answers] == [1, 2, 3, 4, 5, 6]
    assert [float(each.logits) for each in answers] == [10, 20, 30, 40, 50, 60]


def test_a_batch_has_its_limit_and_the_longest_waiting_go_first() -> None:
    gate, num_callers = Gate(), 1 + 4 + 3
    with ThreadPoolExecutor(num_callers) as pool:
        asked = ask_while_one_runs(one_at_a_time(gate, 4), gate, pool, list(range(num_callers)))
        for each in asked:
            each.result(PATIENCE_S)
    assert gate.sizes == [1, 4, 3]


def test_an_error_reaches_its_own_batch_and_nobody_else() -> None:
    gate = Gate()
    batcher = one_at_a_time(gate)
    with ThreadPoolExecutor(3) as pool:
        first, *others = ask_while_one_runs(batcher, gate, pool, [1, -1, 2])
        assert float(first.result(PATIENCE_S).features) == 1
        for each in others:
            with pytest.raises(RuntimeError, match="a bad picture"):
                each.result(PATIENCE_S)
    assert float(batcher.run(picture(3)).features) == 3


def test_one_alone_does_not_wait() -> None:
    gate = Gate()
    gate.open.set()
    assert float(one_at_a_time(gate).run(picture(7)).features) == 7
    assert gate.sizes == [1]


def test_many_threads_get_what_they_would_get_alone(embedded: Backbone, settings: Settings) -> None:
    pictures = [read_example(example, settings) for example in EXAMPLES]
    alone = [embedded.run([each]).logits for each in pictures]

    def ask(each: Image.Image) -> Tensor:
        return embedded.answer(embedded.transform(each)[None]).logits

    with ThreadPoolExecutor(len(pictures)) as pool:
        together = list(pool.map(ask, pictures))
    probabilities = [torch.softmax(torch.cat(logits), dim=1) for logits in (together, alone)]
    torch.testing.assert_close(*probabilities, rtol=0, atol=1e-5)


def test_answers_have_the_features_that_heads_are_trained_on(embedded: Backbone, cat: Image.Image) -> None:
    answers = embedded.answer(embedded.transform(cat)[None])
    torch.testing.assert_close(answers.features, embedded.run([cat]).features, rtol=1e-4, atol=1e-4)


def test_bfloat16_sees_the_same_and_is_a_little_less_sure(embedded: Backbone, settings: Settings) -> None:
    rounded = load_backbone(ZOO[EMBEDDED], precision="bfloat16")
    for example in EXAMPLES:
        picture = read_example(example, settings)
        exact, near = predict(embedded, picture, top_k=20), predict(rounded, picture, top_k=20)
        if exact.top[0].probability - exact.top[1].probability > 0.1:  # the cat's two best are closer than that
            assert near.top[0].class_name == exact.top[0].class_name
        probabilities = {best.class_name: best.probability for best in near.top}
        assert all(abs(probabilities.get(best.class_name, 0.0) - best.probability) <= 0.05 for best in exact.top)


def test_a_processor_without_onednn_answers_the_same(
    embedded: Backbone, cat: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)  # as on Apple's
    monkeypatch.setattr("demo.models.answering._PackedConvolution", None)
    plain = load_backbone(ZOO[EMBEDDED])
    batch = embedded.transform(cat)[None]
    for ours, theirs in zip(plain.answer(batch), embedded.answer(batch), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
