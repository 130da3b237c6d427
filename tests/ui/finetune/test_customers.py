"""Two customers on one network: whose numbers are whose, and that nothing crosses between their sessions."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import torch
from PIL import Image

from demo.data.dataset import Dataset, Split, make_dataset
from demo.data.starters import STARTERS, read_starter
from demo.models.backbone import Backbone
from demo.models.errors import WeightsDamaged
from demo.models.head import Head, build_head
from demo.models.recipe import Optimizer, Recipe
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.customers import Answer, ask, choose_questions, count_shared, digest_head, digest_network
from demo.tasks.finetune import FineTuned, fine_tune
from demo.ui.finetune import customers
from demo.ui.finetune.customer_story import Asked, Departure, Event, Fingerprints, Held, Outcome, draw_events
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH, Words
from tests.networks import summary
from tests.pictures import noise
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor

FEW = 4  # pictures of each class, of which one is for validation


def read_few(starter: str, settings: Settings) -> Dataset:
    few = replace(settings, max_pictures=FEW * len(STARTERS[starter].class_names))
    return make_dataset(read_starter(starter, few), settings)


@pytest.fixture(scope="module")
def signs(settings: Settings) -> Dataset:
    return read_few("signs", settings)


def head_of(seed: int, names: tuple[str, ...], num_features: int) -> Head:
    module = build_head(num_features, len(names), generator=torch.Generator().manual_seed(seed))
    return Head(module.eval().requires_grad_(False), names, EMBEDDED, summary())


# The task: fingerprints and answers.


def copy_of(backbone: Backbone) -> Backbone:
    """Return a network of its own with the same numbers."""
    return backbone.open_private({name: each.clone() for name, each in backbone.network.state_dict().items()})


def test_the_same_numbers_have_the_same_fingerprint(embedded: Backbone) -> None:
    digest = digest_network(embedded)
    assert len(digest) == 64
    assert int(digest, 16) > 0
    copy = copy_of(embedded)
    assert digest_network(copy) == digest
    copy.network.to(memory_format=torch.contiguous_format)
    assert digest_network(copy) == digest


@pytest.mark.parametrize("kind", ["parameters", "buffers"])
def test_one_changed_number_of_a_network_changes_its_fingerprint(embedded: Backbone, kind: str) -> None:
    before, copy = digest_network(embedded), copy_of(embedded)
    *_, last = getattr(copy.network, kind)()
    last.data[(0,) * last.dim()] += 1
    assert digest_network(copy) != before
    assert digest_network(embedded) == before


def test_the_smallest_change_of_a_head_changes_its_fingerprint() -> None:
    head, same, other = (head_of(seed, ("a", "b"), 8) for seed in (0, 0, 1))
    assert digest_head(head) == digest_head(same)
    assert digest_head(head) != digest_head(other)
    weight = same.module.get_parameter("weight")
    weight.data[0, 0] = torch.nextafter(weight.data[0, 0], torch.tensor(1e9))
    assert digest_head(head) != digest_head(same)
    tuned = Head(head.module, head.class_names, head.backbone_name, head.summary, {"norm": torch.ones(3)})
    assert digest_head(tuned) != digest_head(head)


def test_heads_share_the_network_without_its_classifier(embedded: Backbone) -> None:
    spec = embedded.spec
    classifier = (spec.num_features + 1) * len(spec.class_names)
    assert count_shared(embedded) == sum(each.numel() for each in embedded.network.parameters()) - classifier


def test_questions_are_validation_pictures_of_different_classes(signs: Dataset) -> None:
    questions = choose_questions(signs, 4)
    assert [each.class_idx for each in questions] == [0, 1, 2, 3]
    assert {each.split for each in questions} == {Split.VALIDATION}
    assert len(choose_questions(signs, 99)) == len(signs.class_names)


def test_an_answer_names_its_best_class() -> None:
    answer = Answer(("a", "b", "c"), (0.2, 0.7, 0.1))
    assert (answer.class_name, answer.probability) == ("b", 0.7)


def test_each_head_answers_only_with_its_own_classes(embedded: Backbone) -> None:
    pictures: list[Image.Image] = [noise(seed) for seed in range(3)]
    for seed, names in enumerate([("0", "1", "2"), ("stop", "yield")]):
        head = head_of(seed, names, embedded.spec.num_features)
        answers = ask(embedded, head, pictures)
        assert {each.class_names for each in answers} == {names}
        assert {each.class_name for each in answers} <= set(names)
        assert [sum(each.probabilities) for each in answers] == pytest.approx([1, 1, 1])
        assert ask(embedded, head, pictures) == answers


def test_training_one_head_leaves_the_network_and_another_head_as_they_were(
    embedded: Backbone, signs: Dataset, settings: Settings
) -> None:
    other = head_of(0, ("0", "1"), embedded.spec.num_features)
    before = digest_network(embedded), digest_head(other)
    *_, trained = fine_tune(embedded, signs, Recipe(optimizer=Optimizer.RIDGE), settings)
    assert isinstance(trained, FineTuned)
    assert (digest_network(embedded), digest_head(other)) == before
    assert digest_head(trained.head) != before[1]


# The page.


class Told(NamedTuple):
    """What the page showed at last, what it was told by, and the heads that there were."""

    status: str
    story: str
    events: list[Event]
    heads: list["weakref.ref[Head]"]
    num_sessions: int  # more than before


def tell(visitor: Visitor, server: Server) -> Told:
    """Let two customers in, with few pictures."""
    heads, events, before = list[Any](), list[Event](), len(server.rooms.sessions)

    def ask_and_note(backbone: Backbone, head: Head, pictures: list[Image.Image]) -> tuple[Answer, ...]:
        heads.append(weakref.ref(head))
        return ask(backbone, head, pictures)

    def draw_and_note(words: Words, found: list[Event]) -> str:
        events[:] = found
        return draw_events(words, found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(customers, "_PICTURES_PER_CLASS", FEW)
        patch.setattr(customers, "ask", ask_and_note)
        patch.setattr(customers, "draw_events", draw_and_note)
        button, status, story = visitor.call("let_customers_in")
    assert button["interactive"]
    return Told(status, story, events, heads, len(server.rooms.sessions) - before)


def kept_by(session: Session) -> list[Any]:
    """Return what a visitor would notice of their session if it were another."""
    photo, pictures, jobs = session.photo_number, session.pictures.collection, dict(session.jobs)
    return [session.ref, session.state, photo, pictures, session.trained, jobs]


@pytest.fixture(scope="module")
def told(server: Server) -> Iterator[Told]:
    page = Visitor(server.url)
    own = server.rooms.sessions.attach(page.token)
    before = kept_by(own)
    yield tell(page, server)
    assert kept_by(own) == before  # the visitor's own session is not touched
    page.close()


def of_kind(told: Told, kind: type[Any]) -> list[Any]:
    return [each for each in told.events if isinstance(each, kind)]


def rows(words: Words, story: str, title: str) -> list[list[str]]:
    """Return the texts of the rows of one section's table, the header first."""
    (section,) = [
        each for each in story.split("<section>") if f"<h4>{getattr(words.finetune.customers, title)}</h4>" in each
    ]
    return [Markup(row).texts for row in section.split("<tr>")[1:]]


def test_the_network_is_the_same_from_first_to_last(told: Told, server: Server) -> None:
    taken = of_kind(told, Fingerprints)
    with server.rooms.backbones.lend(EMBEDDED) as backbone:
        assert [each.network for each in taken] == [digest_network(backbone)] * 4
    a, b = taken[2].heads
    assert None not in (a, b)
    assert a != b
    assert [each.heads for each in taken] == [(None, None), (a, None), (a, b), (None, b)]
    words = ENGLISH.finetune.customers
    network, none = taken[0].network[:12], words.no_head
    assert rows(ENGLISH, told.story, "fingerprints")[1:] == [
        [words.moments[0], network, none, none],
        [words.moments[1], network, a[:12], none],
        [words.moments[2], network, a[:12], b[:12]],
        [words.moments[3], network, words.head_gone, b[:12]],
    ]


def test_each_head_knows_its_own_customers_classes_alone(told: Told) -> None:
    digits = set(STARTERS["digits"].class_names)
    signs = {ENGLISH.finetune.gather.starter_classes[name] for name in STARTERS["signs"].class_names}
    asked = of_kind(told, Asked)
    assert len(asked) == 4
    for each in asked:
        of_a, of_b = each.answers
        assert set(of_a.class_names) == digits
        assert set(of_b.class_names) == signs
    assert [each.truth in digits for each in asked] == [True, True, False, False]
    assert [each.truth in signs for each in asked] == [False, False, True, True]
    for row, each in zip(rows(ENGLISH, told.story, "asked")[1:], asked, strict=True):
        said = [f"{answer.class_name} ({100 * answer.probability:.0f}%)" for answer in each.answers]
        assert row == [each.truth, *said]


def test_what_each_got_stands_side_by_side(told: Told) -> None:
    a, b = of_kind(told, Outcome)
    assert (a.num_pictures, a.count, b.num_pictures, b.count) == (10 * FEW, 10, 6 * FEW, 6)
    assert a.num_shared == b.num_shared > 100 * a.num_own > 100 * b.num_own
    header, *facts = rows(ENGLISH, told.story, "heads")
    assert header == list(ENGLISH.finetune.customers.names)
    assert [row[0] for row in facts] == list(ENGLISH.finetune.customers.head_facts)
    assert facts[2][1:] == [f"{a.correct}/10", f"{b.correct}/6"]
    assert facts[4][1:] == [f"{a.num_own:,}", f"{b.num_own:,}"]


def test_no_session_holds_anothers_pictures(told: Told) -> None:
    assert of_kind(told, Held) == [Held(((10 * FEW, 0), (0, 6 * FEW)))]
    assert [row[1:] for row in rows(ENGLISH, told.story, "held")[1:]] == [["40", "0"], ["0", "24"]]


def test_when_one_leaves_the_others_head_answers_as_before(told: Told) -> None:
    assert of_kind(told, Departure) == [Departure((True,) * 5)]
    words = ENGLISH.finetune.customers
    assert rows(ENGLISH, told.story, "departure")[1:] == [[check, words.yes] for check in words.checks]
    assert Markup(told.status).texts == [words.done]


def test_nothing_of_the_two_stays(told: Told) -> None:
    assert told.num_sessions == 0
    gc.collect()
    assert len(told.heads) == 3
    assert [head() for head in told.heads] == [None] * 3


@pytest.mark.slow
def test_the_chinese_page_tells_the_same(told: Told, visit: Visit, server: Server) -> None:
    visitor = visit(language="zh")
    chinese = tell(visitor, server)
    assert Markup(chinese.status).texts == [CHINESE.finetune.customers.done]
    assert chinese.num_sessions == 0
    assert of_kind(chinese, Departure) == [Departure((True,) * 5)]
    assert of_kind(chinese, Held) == of_kind(told, Held)
    assert of_kind(chinese, Fingerprints) == of_kind(told, Fingerprints)
    signs = [CHINESE.finetune.gather.starter_classes[name] for name in STARTERS["signs"].class_names]
    assert rows(CHINESE, chinese.story, "heads")[1][2] == CHINESE.list_separator.join(signs)
    assert not any(text in chinese.story for text in ENGLISH.finetune.gather.starter_classes.values())


@pytest.mark.parametrize(
    "place, error",
    [
        ("choose_questions", WeightsDamaged(backbone="EfficientNet", file="a.pth")),
        ("digest_network", ValueError("secret")),
        ("ask", ValueError("secret")),
    ],
)
def test_an_error_in_the_middle_ends_both_sessions(
    visit: Visit, server: Server, monkeypatch: pytest.MonkeyPatch, place: str, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(customers, "_STARTERS", ("signs", "signs"))
    monkeypatch.setattr(customers, "_PICTURES_PER_CLASS", 2)
    monkeypatch.setattr(customers, place, fail)
    visitor = visit()
    before = len(server.rooms.sessions)
    with pytest.raises(Refused) as refused:
        visitor.call("let_customers_in")
    assert str(refused.value) == ENGLISH.explain(error)
    assert len(server.rooms.sessions) == before


def test_a_training_that_fails_ends_both_sessions(
    visit: Visit, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = WeightsDamaged(backbone="EfficientNet", file="a.pth")

    def fail(*_: Any, **__: Any) -> Iterator[None]:
        yield from ()
        raise error

    monkeypatch.setattr("demo.visitors.rooms.fine_tune", fail)
    visitor = visit()
    before = len(server.rooms.sessions)
    with pytest.raises(Refused) as refused:
        visitor.call("let_customers_in")
    assert str(refused.value) == ENGLISH.explain(error)
    assert len(server.rooms.sessions) == before


@pytest.mark.usefixtures("held_line")
@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
def test_a_page_that_closes_in_the_middle_ends_both_sessions(
    server: Server, monkeypatch: pytest.MonkeyPatch, words: Words
) -> None:
    monkeypatch.setattr(customers, "_PICTURES_PER_CLASS", 2)
    monkeypatch.setattr(customers, "_LOOK_EVERY_S", 0.01)
    before = len(server.rooms.sessions)
    story = customers.let_customers_in(replace(server.rooms, words=words))
    statuses = (Markup(status).texts for _, status, _ in story)
    training = words.finetune.customers.training.format(customer=words.finetune.customers.names[0])
    waiting = (
        f"{training} {words.finetune.training.waiting.format(count=1)[:-1]}"  # how long follows, where it is known
    )
    assert any(len(texts) == 1 and texts[0].startswith(waiting) for texts in statuses)
    assert len(server.rooms.sessions) == before + 2
    statuses.close()
    story.close()
    assert len(server.rooms.sessions) == before


def test_a_check_that_fails_is_not_hidden(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customers, "_tell", lambda _: (each for each in [Departure((True, True, False, True, True))]))
    *_, (_, status, story) = customers.let_customers_in(server.rooms)
    words = ENGLISH.finetune.customers
    assert Markup(status).texts == [words.crossed]
    assert "failed" in status
    assert [row[1] for row in rows(ENGLISH, story, "departure")[1:]] == [words.yes, words.yes, words.no] + [
        words.yes
    ] * 2


def test_names_are_shown_as_text() -> None:
    answer = Answer(("<b>x</b>", "y"), (0.9, 0.1))
    drawn = draw_events(ENGLISH, [Asked("<i>truth</i>", b"", (answer, answer))])
    assert "i" not in Markup(drawn).elements
    assert "<i>truth</i>" in Markup(drawn).texts
    assert "<b>x</b> (90%)" in Markup(drawn).texts


def test_while_it_waits_its_button_cannot_be_pressed(visit: Visit) -> None:
    visitor = visit()
    button, status, story = visitor.call("open_door")
    assert (button["interactive"], Markup(status).texts, story) == (False, [ENGLISH.finetune.customers.opening], "")
    button, status = visitor.call("close_door")
    assert (button["interactive"], status) == (True, "")
