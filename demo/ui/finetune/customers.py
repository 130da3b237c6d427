"""The lesson's two customers: two sessions side by side on one frozen network, and nothing crosses."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from PIL import Image

from demo.data.collection import Collection
from demo.data.dataset import read_sample
from demo.data.starters import STARTERS
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.recipe import Optimizer, Recipe
from demo.models.weights import usable_backbone
from demo.tasks.customers import Answer, ask, choose_questions, count_shared, digest_head, digest_network
from demo.tasks.features import FeatureProgress
from demo.ui.finetune.customer_story import Asked, Brought, Departure, Event, Fingerprints, Held, Outcome, draw_events
from demo.ui.handlers import COMPUTE, LIGHT, bind, bind_slow
from demo.ui.parts.markup import draw_status
from demo.visitors.errors import NoHead, SessionExpired
from demo.visitors.jobs import Job
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session

A, B = range(2)
_STARTERS = ("digits", "signs")  # what A brings, and B
_PICTURES_PER_CLASS = 12
_QUESTIONS_EACH = 2
_RECIPE = Recipe(optimizer=Optimizer.RIDGE)  # solved at once: what takes time is that the network looks at pictures
_LOOK_EVERY_S = 0.4

Story = Generator[str | Event, None, None]  # a sentence before each step, and what came of it


@dataclass(frozen=True, eq=False)
class _Question:
    truth: str
    thumbnail: bytes
    picture: Image.Image


@dataclass(frozen=True, eq=False)
class _Team:
    """One network and two customers' sessions, which are looked up each time: nothing here keeps what they hold."""

    rooms: Rooms
    backbone: Backbone
    refs: list[Ref]

    def session(self, customer: int) -> Session:
        return self.rooms.sessions.find(self.refs[customer])

    def head(self, customer: int) -> Head:
        head = self.session(customer).state.head
        if head is None:
            raise NoHead()
        return head

    def ask(self, customer: int, questions: Sequence[_Question]) -> tuple[Answer, ...]:
        return ask(self.backbone, self.head(customer), [each.picture for each in questions])

    def take_fingerprints(self, *customers: int) -> Fingerprints:
        """Return those of the network and of the heads of some customers."""
        heads = (digest_head(self.head(each)) if each in customers else None for each in (A, B))
        return Fingerprints(digest_network(self.backbone), tuple(heads))


def open_door(rooms: Rooms) -> list[Any]:
    """Say that it begins; other visitors may come first."""
    return [gr.Button(interactive=False), draw_status(rooms.words.finetune.customers.opening), ""]


def let_customers_in(rooms: Rooms) -> Generator[list[Any], None, None]:
    """Show step by step what happens to two customers; their sessions end with this stream, however it ends."""
    words = rooms.words.finetune.customers
    status, events = draw_status(words.opening), list[Event]()
    with closing(_tell(rooms)) as story:
        for step in story:
            if isinstance(step, str):
                status = draw_status(step)
            else:
                events.append(step)
            yield [gr.skip(), status, draw_events(rooms.words, events)]
    is_true = all(all(each.findings) for each in events if isinstance(each, Departure))
    status = draw_status(words.done, kind="trained") if is_true else draw_status(words.crossed, kind="failed")
    yield [gr.Button(interactive=True), status, draw_events(rooms.words, events)]


def close_door() -> list[Any]:
    """Let the visitor try again after an error, which a toast has told."""
    return [gr.Button(interactive=True), ""]


def build_customers(rooms: Rooms) -> None:
    """Lay out the demonstration and wire it; it has nothing to do with the visitor's own session."""
    words = rooms.words.finetune.customers
    with gr.Accordion(words.title, open=False, elem_id="customers-panel"):
        gr.HTML(f'<p class="help">{words.help}</p>', padding=False)
        start = gr.Button(words.let_in, elem_id="let-customers-in")
        status = gr.HTML("", padding=False, elem_id="customers-status")
        story = gr.HTML("", padding=False, elem_id="customers-story")
    shown = [start, status, story]
    # A line of its own, so that it never holds up a prediction.
    settings = {**COMPUTE, "show_progress": "hidden", "concurrency_id": "customers", "concurrency_limit": 1}
    opening = start.click(bind(rooms, open_door), None, shown, **LIGHT)
    telling = opening.then(bind_slow(rooms, let_customers_in), None, shown, **settings)
    telling.failure(close_door, None, [start, status], **LIGHT)


def _tell(rooms: Rooms) -> Story:
    name = usable_backbone(rooms.settings.backbone)
    # The network is on loan for as long as it takes: the very same one throughout.
    with _ending_sessions(rooms) as refs, rooms.backbones.lend(name) as backbone:
        team = _Team(rooms, backbone, refs)
        brought = yield from _let_in(team)
        yield (before := team.take_fingerprints())
        yield from _train(team, A)
        yield team.take_fingerprints(A)
        yield from _train(team, B)
        yield team.take_fingerprints(A, B)
        questions = _choose_questions(team)
        answers = yield from _ask_both(team, questions)
        yield _count_held(team, brought)
        yield from _let_out(team, before, questions, answers)


@contextmanager
def _ending_sessions(rooms: Rooms) -> Iterator[list[Ref]]:
    """Take note of the customers' sessions; however it goes, all of them end."""
    refs: list[Ref] = []
    try:
        yield refs
    finally:
        for ref in refs:
            rooms.sessions.end(ref.token)


def _let_in(team: _Team) -> Generator[str | Event, None, list[Brought]]:
    """Begin a session for each customer, as a visitor's page does, and bring the customer's pictures into it."""
    rooms, words, all_brought = team.rooms, team.rooms.words, []
    for name, starter in zip(words.finetune.customers.names, _STARTERS, strict=True):
        yield words.finetune.customers.bringing.format(customer=name, pictures=words.finetune.gather.starters[starter])
        collection = _read_pictures(rooms, starter)
        session = rooms.sessions.attach("")
        team.refs.append(session.ref)
        session.choose_collection(collection, rooms.settings)
        digests = frozenset(picture.stored.digest for picture in collection.pictures)
        brought = Brought(starter, digests, tuple(each.pictures[0].thumbnail for each in collection.classes))
        yield brought
        all_brought.append(brought)
    return all_brought


def _read_pictures(rooms: Rooms, starter: str) -> Collection:
    """Read a few pictures of each class of a starter set."""
    num_pictures = min(rooms.settings.max_pictures, _PICTURES_PER_CLASS * len(STARTERS[starter].class_names))
    return rooms.read_starter(starter, replace(rooms.settings, max_pictures=num_pictures))


def _train(team: _Team, customer: int) -> Story:
    """Train a head for one customer on the way that every visitor's training goes."""
    rooms, words = team.rooms, team.rooms.words
    session = team.session(customer)
    sentence = words.finetune.customers.training.format(customer=words.finetune.customers.names[customer])
    yield sentence
    job = rooms.train(session, session.pictures.find_dataset(), _RECIPE)
    while not job.done.wait(_LOOK_EVERY_S):
        yield f"{sentence} {_describe_progress(rooms, job)}"
    if job.error is not None:
        raise job.error
    yield _sum_up(team, customer)


def _describe_progress(rooms: Rooms, job: Job) -> str:
    if rooms.line.num_ahead(job):
        return rooms.describe_wait(job)
    if isinstance(job.progress, FeatureProgress):
        return rooms.words.finetune.training.reading.format(done=job.progress.done, total=job.progress.total)
    return rooms.words.finetune.training.starting


def _sum_up(team: _Team, customer: int) -> Outcome:
    head, dataset = team.head(customer), team.session(customer).pictures.find_dataset()
    return Outcome(
        head.class_names,
        len(dataset.samples),
        head.summary.val_correct,
        head.summary.val_count,
        head.num_parameters,
        count_shared(team.backbone),
    )


def _choose_questions(team: _Team) -> list[_Question]:
    datasets = [team.session(customer).pictures.find_dataset() for customer in (A, B)]
    return [
        _Question(dataset.class_names[sample.class_idx], sample.thumbnail, read_sample(sample, team.rooms.settings))
        for dataset in datasets
        for sample in choose_questions(dataset, _QUESTIONS_EACH)
    ]


def _ask_both(
    team: _Team, questions: Sequence[_Question]
) -> Generator[str | Event, None, tuple[tuple[Answer, ...], ...]]:
    yield team.rooms.words.finetune.customers.asking
    answers = tuple(team.ask(customer, questions) for customer in (A, B))
    for question, *said in zip(questions, *answers, strict=True):
        yield Asked(question.truth, question.thumbnail, tuple(said))
    return answers


def _count_held(team: _Team, brought: Sequence[Brought]) -> Held:
    held = [_find_digests(team.session(customer), team.backbone.spec.name) for customer in (A, B)]
    return Held(tuple(tuple(len(theirs & each.digests) for each in brought) for theirs in held))


def _find_digests(session: Session, backbone_name: str) -> set[str]:
    """Return the digests of all pictures of which a session has anything: bytes, features, or a head's training."""
    pictures = session.pictures.collection.pictures if session.pictures.collection else ()
    trained_on = session.results.dataset.samples if session.results else ()
    held = {each.stored.digest for each in pictures} | {each.digest for each in trained_on}
    return held | {digest for _, digest in session.cache.rows(backbone_name)}


def _let_out(
    team: _Team, before: Fingerprints, questions: Sequence[_Question], answers: Sequence[tuple[Answer, ...]]
) -> Story:
    """End A's session, and see what is left of A and whether B's head is as it was."""
    words, head, session = team.rooms.words.finetune.customers, digest_head(team.head(B)), team.session(A)
    yield words.leaving.format(customer=words.names[A])
    team.rooms.sessions.end(team.refs[A].token)
    after = team.take_fingerprints(B)
    yield after
    yield Departure(
        (
            _is_gone(team, A),
            session.state.head is None and not _find_digests(session, team.backbone.spec.name),
            after.heads[B] == head,
            team.ask(B, questions) == answers[B],
            after.network == before.network,
        )
    )


def _is_gone(team: _Team, customer: int) -> bool:
    try:
        team.session(customer)
    except SessionExpired:
        return True
    return False
