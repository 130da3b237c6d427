"""What the five steps say of themselves: what was done, what is missing, the way on, what runs."""

import pytest

from demo.ui.finetune.steps import Steps
from demo.ui.finetune.tab import FineTuneTab
from demo.visitors.jobs import JobKind
from demo.words.language import ENGLISH
from tests.pictures import MakeZip, colour_folders
from tests.visitor import Markup, Visit, Visitor, fill, recipe_values

WORDS = ENGLISH.finetune.steps


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    return visit()


def steps(visitor: Visitor) -> Steps:
    return fill(Steps, visitor.call("show_steps"))


def labels(shown: Steps) -> list[str]:
    """Return what stands behind each step's name."""
    names = [WORDS.names[name] for name in Steps._fields]
    return [step.tab["label"].removeprefix(name).strip() for name, step in zip(names, shown, strict=True)]


def ways(shown: Steps, which: str) -> list[str]:
    """Return where each step leads, by what is missing or by its way on."""
    return [dict(Markup(getattr(step, which)).attributes).get("data-to") or "" for step in shown]


def test_without_pictures_every_step_says_where_they_come_from(visitor: Visitor) -> None:
    shown = steps(visitor)
    assert labels(shown) == [""] * 5
    assert ways(shown, "missing") == ["", "pictures", "train", "pictures", "train"]
    assert ways(shown, "way_on") == [""] * 5


def test_each_step_says_what_was_done_and_leads_on(visitor: Visitor, make_zip: MakeZip) -> None:
    visitor.bring(make_zip(colour_folders(6)))
    shown = steps(visitor)
    assert labels(shown) == ["✓ 2 classes, 12", "", "", "", ""]
    assert ways(shown, "missing") == ["", "", "train", "", "train"]
    assert ways(shown, "way_on") == ["train", "", "", "train", ""]
    visitor.train(*recipe_values(optimizer="ridge"))
    shown = steps(visitor)
    pictures, trained, wrong, experiments, keep = labels(shown)
    right = int(trained.split()[1])
    assert trained == WORDS.trained.format(correct=right, count=int(trained.split()[-1]))
    assert wrong == WORDS.wrong.format(wrong=int(trained.split()[-1]) - right, count=int(trained.split()[-1]))
    assert (pictures, experiments, keep) == ("✓ 2 classes, 12", "", "")
    assert ways(shown, "missing") == [""] * 5
    assert ways(shown, "way_on") == ["train", "wrong", "experiments", "keep", "predict"]
    visitor.call("export_trained")
    assert labels(steps(visitor))[4] == WORDS.kept


@pytest.mark.usefixtures("held_line")
def test_what_runs_is_said_on_every_step(visitor: Visitor, make_zip: MakeZip) -> None:
    visitor.bring(make_zip(colour_folders(6)))
    for kind, values in ((JobKind.TRAINING, recipe_values(1)), (JobKind.RACE, [])):
        visitor.call(f"start_{kind}", *values)
        controls = fill(FineTuneTab, visitor.call("show_session")).jobs.controls
        said = Markup(controls.running)
        assert said.texts[0].startswith(WORDS.jobs[kind])
        assert ("data-pick", "stop") in said.attributes
        step = controls.steps.train if kind is JobKind.TRAINING else controls.steps.experiments
        assert step.tab["label"].endswith(WORDS.at_work)
        other = controls.steps.experiments if kind is JobKind.TRAINING else controls.steps.train
        assert Markup(other.missing).texts[0].strip() in (WORDS.busy, WORDS.experimenting)
        visitor.call("stop_training")
        assert fill(FineTuneTab, visitor.call("show_session")).jobs.controls.running == ""
