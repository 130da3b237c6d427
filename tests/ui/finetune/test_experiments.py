"""What runs in a session: the race, the learning curve, trainings; how each is stopped, and what a failure leaves."""

import errno
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from demo.data.errors import NoDataset, TooFewClasses
from demo.pace import rest
from demo.tasks import race
from demo.tasks.evaluate import Accuracy
from demo.tasks.features import FeatureProgress
from demo.tasks.fewshot import FewShotPoint
from demo.tasks.finetune import FineTuned, fine_tune
from demo.tasks.fit import BatchProgress, EpochResult
from demo.tasks.race import Contender, Finish, RacePoint
from demo.ui.finetune.experiments import Experiment, draw_few, draw_finishes
from demo.ui.finetune.recipe_form import RecipeFacts
from demo.ui.finetune.steps import Buttons, Controls
from demo.ui.finetune.tab import FineTuneTab, Training
from demo.visitors.errors import TrainingRunning, TrainingStopped
from demo.visitors.jobs import Job, JobKind
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH, Words
from tests.patience import PATIENCE_S
from tests.pictures import MakeZip, colour_folders, write_zip
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor, fill, recipe_values

RIDGE = recipe_values(optimizer="ridge")
LAST_STAGE = recipe_values(200, trains="last_stage", batch_size=4, flips=False)


@pytest.fixture
def visitor(visit: Visit, make_zip: MakeZip) -> Visitor:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    return visitor


@pytest.fixture(scope="module")
def ended(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A page on which a race and a learning curve have ended; the contenders ran for two epochs and one."""
    recipes = {each: replace(recipe, epochs=1) for each, recipe in race._RECIPES.items()}
    recipes[Contender.SCRATCH] = replace(recipes[Contender.SCRATCH], epochs=2)
    visitor = Visitor(server.url)
    visitor.bring(write_zip(tmp_path_factory.mktemp("upload") / "colours.zip", colour_folders()))
    with pytest.MonkeyPatch.context() as short:
        short.setattr(race, "_RECIPES", recipes)
        for name in ("race", "curve"):
            visitor.call(f"start_{name}")
            visitor.call(f"watch_{name}")
    yield visitor
    visitor.close()


@pytest.fixture(scope="module")
def jobs(ended: Visitor, server: Server) -> Mapping[JobKind, Job]:
    return server.rooms.sessions.attach(ended.token).jobs


def rows(table: str) -> list[list[str]]:
    """Return the texts of a table's rows, the header first."""
    return [Markup(row).texts for row in table.split("<tr>")[1:]]


class WatchedExperiment(NamedTuple):
    """What a watcher of an experiment fills."""

    shown: Experiment
    controls: Controls


class WatchedTraining(NamedTuple):
    """What a watcher of a training fills."""

    ref: Any
    shown: Training
    controls: Controls


class Stopped(NamedTuple):
    """What Stop fills."""

    shown: Training
    controls: Controls


def watch(visitor: Visitor, name: str) -> WatchedExperiment | WatchedTraining:
    """Watch a job of a session until it has ended; return what is shown last."""
    outputs = visitor.call(f"watch_{name}")
    return fill(WatchedTraining, outputs) if name == "training" else fill(WatchedExperiment, outputs)


def stop(visitor: Visitor) -> Buttons:
    return fill(Stopped, visitor.call("stop_training")).controls.buttons


def show_session(visitor: Visitor) -> FineTuneTab:
    return fill(FineTuneTab, visitor.call("show_session"))


def pressable(buttons: Buttons) -> Buttons:
    """Say which of the buttons can be pressed."""
    return Buttons(*(button["interactive"] for button in buttons))


FREE = Buttons(*[True, False] * (len(Buttons._fields) // 2))
BUSY = Buttons(*[False, True] * (len(Buttons._fields) // 2))
NOTHING = Buttons(*[False] * len(Buttons._fields))


def test_four_ways_to_learn_race(ended: Visitor, jobs: Mapping[JobKind, Job]) -> None:
    (status, plot, table), controls = fill(WatchedExperiment, ended.call("watch_race"))
    assert Markup(status).texts == [ENGLISH.finetune.experiments.done]
    assert pressable(controls.buttons) == FREE
    points = jobs[JobKind.RACE].points
    finishes = [each for each in points if isinstance(each, Finish)]
    header, *found = rows(table)
    assert header == list(ENGLISH.finetune.experiments.race_columns)
    assert [row[0] for row in found] == [ENGLISH.finetune.experiments.contenders[each] for each in Contender]
    assert [row[1] for row in found] == [f"{each.accuracy.correct}/2" for each in finishes]
    assert [row[4] for row in found] == [f"{each.num_trained:,}" for each in finishes]
    assert [row[5] for row in found] == ["2", "1", "1", "1"]
    assert [row[3] for row in found] == [f"{each.seconds:.1f}" for each in finishes]
    assert [(seconds, share) for seconds, share, _ in plot["value"]["data"]] == [
        (each.seconds, each.val_accuracy) for each in points if isinstance(each, RacePoint)
    ]


def test_balanced_accuracy_is_shown_where_classes_differ_in_size() -> None:
    words = ENGLISH.finetune.experiments
    uneven = Accuracy.of_answers(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]))
    header, row = rows(draw_finishes(words, [Finish(Contender.SCRATCH, 1.0, 7, 2, uneven)]))
    assert header[2:5] == [words.race_columns[2], words.balanced_column, words.race_columns[3]]
    assert row[1:5] == ["3/4", "75.0%", "50.0%", "1.0"]
    header, row = rows(draw_few(words, [FewShotPoint.of(5, [uneven, replace(uneven, balanced=0.75)])]))
    assert header[1:4] == [words.curve_columns[1], words.balanced_column, words.curve_columns[2]]
    assert row[1:4] == ["75.0%", "62.5%", "75.0–75.0%"]


def test_the_contenders_train_what_the_form_counts(ended: Visitor, jobs: Mapping[JobKind, Job]) -> None:
    finishes = {each.contender: each for each in jobs[JobKind.RACE].points if isinstance(each, Finish)}
    for contender, trains in (("random", "head"), ("pretrained", "head"), ("tuned", "last_stage")):
        facts = RecipeFacts(*ended.call("tell_recipe", *recipe_values(trains=trains)))
        assert f"This trains {finishes[Contender(contender)].num_trained:,} parameters" in facts.count


def test_the_accuracy_grows_with_the_pictures(ended: Visitor, jobs: Mapping[JobKind, Job]) -> None:
    (status, plot, table), controls = fill(WatchedExperiment, ended.call("watch_curve"))
    assert Markup(status).texts == [ENGLISH.finetune.experiments.done]
    assert pressable(controls.buttons) == FREE
    header, *found = rows(table)
    assert header == list(ENGLISH.finetune.experiments.curve_columns)
    assert [(row[0], row[3]) for row in found] == [
        ("1", "10"),
        ("2", "10"),
        (ENGLISH.finetune.experiments.all_pictures, "1"),
    ]
    assert found[-1][1:3] == ["100.0%", "100.0–100.0%"]
    points, data = jobs[JobKind.CURVE].points, plot["value"]["data"]
    assert [each[0] for each in data] == [1, 2, 5] * 3  # of 6 pictures 5 are learned from
    for name, values in zip(ENGLISH.finetune.experiments.curve_bands, ("highest", "mean", "lowest"), strict=True):
        assert [each[1] for each in data if each[2] == name] == [getattr(each, values) for each in points]


@pytest.mark.parametrize("name", ["race", "curve"])
def test_another_page_of_the_session_finds_what_came_out(ended: Visitor, visit: Visit, name: str) -> None:
    def find(visitor: Visitor) -> Experiment:
        return fill(WatchedExperiment, visitor.call(f"watch_{name}")).shown

    table, reloaded = find(ended).table, visit(token=ended.token)
    assert getattr(show_session(reloaded).jobs, name).table == table
    assert find(reloaded).table == table
    words, chinese = CHINESE.finetune.experiments, find(visit(token=ended.token, language="zh"))
    assert Markup(chinese.status).texts == [words.done]
    assert rows(chinese.table)[0] == list(words.race_columns if name == "race" else words.curve_columns)
    assert getattr(show_session(visit()).jobs, name) == Experiment("", {"visible": False, "__type__": "update"}, "")


@pytest.mark.parametrize("name", ["race", "curve"])
def test_an_experiment_needs_pictures(visit: Visit, name: str) -> None:
    for made, reason in (([], NoDataset()), (["cat"], TooFewClasses(count=1, names="cat", limit=2))):
        visitor = visit()
        for each in made:
            visitor.call("make_class", each)
        with pytest.raises(Refused) as refused:
            visitor.call(f"start_{name}")
        assert str(refused.value) == ENGLISH.explain(reason)
        assert pressable(watch(visitor, name).controls.buttons) == NOTHING


@pytest.mark.usefixtures("held_line")
def test_whatever_runs_can_be_stopped_and_nothing_runs_beside_it(visitor: Visitor, visit: Visit) -> None:
    starts = {"training": RIDGE, "race": [], "curve": []}
    for name, values in starts.items():
        visitor.call(f"start_{name}", *values)
        assert pressable(show_session(visit(token=visitor.token)).jobs.controls.buttons) == BUSY
        for other, others_values in starts.items():
            with pytest.raises(Refused) as refused:
                visitor.call(f"start_{other}", *others_values)
            assert str(refused.value) == ENGLISH.explain(TrainingRunning())
        assert pressable(stop(visitor)) == FREE
        assert Markup(watch(visitor, name).shown.status).texts == [ENGLISH.explain(TrainingStopped())]


@pytest.mark.usefixtures("held_line")
@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
def test_who_waits_is_told_how_many_are_ahead(visitor: Visitor, visit: Visit, words: Words) -> None:
    visitor.call("start_training", *RIDGE)
    shown = show_session(visit(token=visitor.token, language=words.language[:2]))
    (status,) = Markup(shown.jobs.training.status).texts
    before, after = words.finetune.training.waiting.format(count=1, seconds="|").split("|")
    assert status.startswith(before)
    assert status.endswith(after)


MANY_VIEWS, MANY_STEPS = recipe_values(200, crops=4), recipe_values(200, batch_size=1, flips=False)


@pytest.mark.parametrize(
    ("start", "values", "is_there"),
    [
        pytest.param(
            "training",
            MANY_VIEWS,
            lambda job: isinstance(job.progress, FeatureProgress) and job.progress.done > 0,
            marks=pytest.mark.slow,
        ),
        ("training", MANY_STEPS, lambda job: job.points),
        ("training", LAST_STAGE, lambda job: job.points or isinstance(job.progress, BatchProgress)),
        pytest.param("race", [], lambda job: job.points, marks=pytest.mark.slow),
        pytest.param(
            "race", [], lambda job: any(isinstance(each, Finish) for each in job.points), marks=pytest.mark.slow
        ),
        ("curve", [], lambda job: job.points),
    ],
    ids=["looking at pictures", "in an epoch", "in the last stage", "in a race", "later in a race", "in a curve"],
)
def test_stop_is_heard_at_any_moment(
    visitor: Visitor,
    session: Session,
    make_zip: MakeZip,
    monkeypatch: pytest.MonkeyPatch,
    start: str,
    values: list[Any],
    is_there: Callable[[Job], Any],
) -> None:
    there, stopped = threading.Event(), threading.Event()

    def rest_until_stopped() -> None:
        job = session.jobs.get(JobKind(start))
        if job is not None and job.is_running and is_there(job):
            there.set()
            stopped.wait(PATIENCE_S)
        rest()

    visitor.bring(make_zip(colour_folders(12)))
    visitor.train(*RIDGE)
    before, results = session.state, session.results
    monkeypatch.setattr("demo.visitors.jobs.rest", rest_until_stopped)
    visitor.call(f"start_{start}", *values)
    assert there.wait(PATIENCE_S)
    buttons = stop(visitor)  # does not wait for the step in progress
    stopped.set()
    assert isinstance(session.jobs[JobKind(start)].error, TrainingStopped)
    assert pressable(buttons) == FREE
    assert session.state is before
    assert session.results is results
    assert Markup(watch(visitor, start).shown.status).texts == [ENGLISH.explain(TrainingStopped())]
    assert "Done in" in visitor.train(*RIDGE)
    assert session.state.head is not before.head


@pytest.mark.slow
def test_stop_is_heard_while_it_waits(visitor: Visitor, session: Session, held_line: threading.Event) -> None:
    before = session.state
    visitor.call("start_training", *RIDGE)
    visitor.call("stop_training")
    assert Markup(watch(visitor, "training").shown.status).texts == [ENGLISH.explain(TrainingStopped())]
    assert session.state is before
    visitor.call("start_training", *RIDGE)
    held_line.set()
    assert "Done in" in watch(visitor, "training").shown.status


@pytest.mark.parametrize(
    ("failure", "where"),
    [
        (MemoryError(), FeatureProgress),
        (OSError(errno.ENOSPC, "No space left on device"), EpochResult),
        (RuntimeError("can't allocate memory"), FineTuned),
    ],
    ids=["while it looks at pictures", "after an epoch", "at the end"],
)
def test_a_failure_leaves_the_head_that_was_there(
    visitor: Visitor,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
    where: type,
) -> None:
    visitor.train(*RIDGE)
    before, results = session.state, session.results

    def fail(*values: Any, **options: Any) -> Iterator[Any]:
        for step in fine_tune(*values, **options):
            if isinstance(step, where):
                raise failure from ValueError("somewhere below")
            yield step

    with monkeypatch.context() as broken:
        broken.setattr("demo.visitors.rooms.fine_tune_and_compare", fail)
        visitor.call("start_training", *recipe_values(2))
        watched = watch(visitor, "training")
    status = Markup(watched.shown.status)
    assert status.texts == [ENGLISH.unexpected]
    assert "failed" in status.values("class")[0]
    assert pressable(watched.controls.buttons) == FREE
    assert session.state is before
    assert session.results is results
    assert "somewhere below" in caplog.text
    assert (failure.__traceback__, failure.__cause__) == (None, None)  # they would hold the pictures
    assert "Done in" in visitor.train(*recipe_values(2))
    assert session.state.head is not before.head


@pytest.mark.parametrize(("name", "task"), [("race", "run_race"), ("curve", "measure_curve")])
def test_an_experiment_that_fails_says_so_and_can_be_tried_again(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, name: str, task: str
) -> None:
    def fail(*_values: Any, **_options: Any) -> Iterator[Any]:
        yield FeatureProgress(0, 1)
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(f"demo.ui.finetune.experiments.{task}", fail)
        visitor.call(f"start_{name}")
        (status, plot, table), controls = fill(WatchedExperiment, visitor.call(f"watch_{name}"))
    assert Markup(status).texts == [ENGLISH.unexpected]
    assert (plot["visible"], table) == (False, "")
    assert pressable(controls.buttons) == FREE
    visitor.call(f"start_{name}")
    assert pressable(stop(visitor)) == FREE
