"""The lesson's two customers: two sessions side by side on one frozen network, and nothing crosses.

The story is a stream of values: a step before each thing that is done, an event for what came of it.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from enum import IntEnum

from PIL import Image

from demo.data.collection import Collection
from demo.data.dataset import read_sample
from demo.data.starters import STARTERS
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.recipe import Optimizer, Recipe
from demo.models.weights import usable_backbone
from demo.tasks.customers import (
    Answer,
    Fingerprints,
    Outcome,
    ask,
    choose_questions,
    digest_head,
    sum_up,
    take_fingerprints,
)
from demo.visitors.errors import NoHead, SessionExpired
from demo.visitors.jobs import Job
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session

_STARTERS = ("digits", "signs")  # what A brings, and B
_PICTURES_PER_CLASS = 12
_QUESTIONS_EACH = 2
_RECIPE = Recipe(optimizer=Optimizer.RIDGE)  # solved at once: what takes time is that the network sees each picture
_WATCH_EVERY_S = 0.4


class Customer(IntEnum):
    """The two, by their place wherever there is something of each."""

    A = 0
    B = 1


@dataclass(frozen=True)
class Bringing:
    """A customer's pictures are about to be read."""

    customer: Customer
    starter: str


@dataclass(frozen=True)
class Training:
    """A customer's head is being trained; `job` is None until it is in the line."""

    customer: Customer
    job: Job | None = None


@dataclass(frozen=True)
class Asking:
    """Both heads are about to be asked the same."""


@dataclass(frozen=True)
class Leaving:
    """A customer's session is about to end."""

    customer: Customer


@dataclass(frozen=True)
class Brought:
    """One customer's pictures by their digests, and a small one (JPEG) of each class."""

    starter: str
    digests: frozenset[str]
    thumbnails: tuple[bytes, ...]


@dataclass(frozen=True)
class Asked:
    """One picture (JPEG), the class that it shows, and what each customer's head says."""

    truth: str
    thumbnail: bytes
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Held:
    """How many pictures of each customer (columns) each customer's session (rows) has anything of."""

    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Departure:
    """What was found after A had left: whether A's session is gone and empty, and all else as before."""

    session_ended: bool
    nothing_left: bool
    head_unchanged: bool
    answers_unchanged: bool
    network_unchanged: bool

    @property
    def is_clean(self) -> bool:
        """Whether nothing crossed from one customer to the other, and nothing stayed."""
        return all(astuple(self))


Step = Bringing | Training | Asking | Leaving
Event = Brought | Outcome | Fingerprints | Asked | Held | Departure
Story = Generator[Step | Event, None, None]


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

    def session(self, customer: Customer) -> Session:
        return self.rooms.sessions.find(self.refs[customer])

    def head(self, customer: Customer) -> Head:
        head = self.session(customer).state.head
        if head is None:
            raise NoHead()
        return head

    def ask(self, customer: Customer, questions: Sequence[_Question]) -> tuple[Answer, ...]:
        return ask(self.backbone, self.head(customer), [each.picture for each in questions])

    def take_fingerprints(self, *customers: Customer) -> Fingerprints:
        """Return those of the network and of the heads of some customers."""
        return take_fingerprints(self.backbone, [self.head(each) if each in customers else None for each in Customer])


def tell(rooms: Rooms) -> Story:
    """Do what the two customers do, and tell it; however the stream ends, their sessions end with it."""
    name = usable_backbone(rooms.settings.backbone)
    # The network is on loan for as long as it takes: the very same one throughout.
    with _ending_sessions(rooms) as refs, rooms.backbones.lend(name) as backbone:
        team = _Team(rooms, backbone, refs)
        brought = yield from _let_in(team)
        yield (before := team.take_fingerprints())
        yield from _train(team, Customer.A)
        yield team.take_fingerprints(Customer.A)
        yield from _train(team, Customer.B)
        yield team.take_fingerprints(*Customer)
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


def _let_in(team: _Team) -> Generator[Step | Event, None, list[Brought]]:
    """Begin a session for each customer, as a visitor's page does, and bring the customer's pictures into it."""
    rooms, all_brought = team.rooms, []
    for customer, starter in zip(Customer, _STARTERS, strict=True):
        yield Bringing(customer, starter)
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


def _train(team: _Team, customer: Customer) -> Story:
    """Train a head for one customer on the way that every visitor's training goes."""
    session = team.session(customer)
    yield Training(customer)
    job = team.rooms.train(session, session.pictures.find_dataset(), _RECIPE)
    while not job.done.wait(_WATCH_EVERY_S):
        yield Training(customer, job)
    if job.error is not None:
        raise job.error
    yield sum_up(team.backbone, team.head(customer), session.pictures.find_dataset())


def _choose_questions(team: _Team) -> list[_Question]:
    datasets = [team.session(customer).pictures.find_dataset() for customer in Customer]
    return [
        _Question(dataset.class_names[sample.class_idx], sample.thumbnail, read_sample(sample, team.rooms.settings))
        for dataset in datasets
        for sample in choose_questions(dataset, _QUESTIONS_EACH)
    ]


def _ask_both(
    team: _Team, questions: Sequence[_Question]
) -> Generator[Step | Event, None, tuple[tuple[Answer, ...], ...]]:
    yield Asking()
    answers = tuple(team.ask(customer, questions) for customer in Customer)
    for question, *said in zip(questions, *answers, strict=True):
        yield Asked(question.truth, question.thumbnail, tuple(said))
    return answers


def _count_held(team: _Team, brought: Sequence[Brought]) -> Held:
    held = [_find_digests(team.session(customer), team.backbone.spec.name) for customer in Customer]
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
    head, session = digest_head(team.head(Customer.B)), team.session(Customer.A)
    yield Leaving(Customer.A)
    team.rooms.sessions.end(team.refs[Customer.A].token)
    after = team.take_fingerprints(Customer.B)
    yield after
    yield Departure(
        session_ended=_is_gone(team, Customer.A),
        nothing_left=session.state.head is None and not _find_digests(session, team.backbone.spec.name),
        head_unchanged=after.heads[Customer.B] == head,
        answers_unchanged=team.ask(Customer.B, questions) == answers[Customer.B],
        network_unchanged=after.network == before.network,
    )


def _is_gone(team: _Team, customer: Customer) -> bool:
    try:
        team.session(customer)
    except SessionExpired:
        return True
    return False
