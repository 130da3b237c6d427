"""What happens on ZeroGPU, for a process that plays a Space: each story returns what the test looks at."""

from contextlib import closing
from dataclasses import replace
from typing import Any

from demo.data.dataset import Dataset, make_dataset
from demo.data.starters import read_starter
from demo.models.backbone import Backbone, load_backbone
from demo.models.recipe import Optimizer, Recipe, Trains
from demo.models.zoo import EMBEDDED, StageLabel, find_spec
from demo.settings import Settings
from demo.tasks import ascent, finetune, lease
from demo.tasks.errors import GpuNotLent
from demo.tasks.finetune import FineTuned
from demo.visitors.jobs import Job

SETTINGS = Settings(backbone=EMBEDDED, max_pictures=12)
DEEPER = Recipe(Trains.LAST_STAGE, Optimizer.SGD, learning_rate=0.005, epochs=2, flips=False, batch_size=8)
EPOCHS = 30


def lend() -> dict[str, Any]:
    """Train the last stage and ascend with the lent GPU and here, and leave a training after its first step."""
    backbone, dataset = _begin()
    steps = list(lease.fine_tune(backbone, dataset, DEEPER, SETTINGS))
    *_, there = (step for step in steps if isinstance(step, FineTuned))
    *_, here = finetune.fine_tune(backbone, dataset, DEEPER, SETTINGS)
    assert isinstance(here, FineTuned)
    climbed = [_climb(climb(backbone, StageLabel.LOW, 3, num_steps=3)) for climb in (lease.ascend, ascent.ascend)]
    with closing(lease.fine_tune(backbone, dataset, replace(DEEPER, epochs=50), SETTINGS)) as leaving:
        next(leaving)
    return {
        "kinds": sorted({type(step).__name__ for step in steps}),
        "names": [list(there.head.class_names), list(dataset.class_names)],
        "difference": _differ(there, here),
        "climbed": climbed,
    }


def refuse() -> dict[str, Any]:
    """Train where no GPU is lent, or where the process that has it is killed: a job says so, and begins anew."""
    backbone, dataset = _begin()
    job = Job(lambda: lease.fine_tune(backbone, dataset, replace(DEEPER, epochs=EPOCHS), SETTINGS))
    job.run()
    refused = isinstance(job.refusal, GpuNotLent)
    return {"refused": refused, "epochs": [each.epoch for each in job.points], "trained": job.result is not None}


break_off = refuse


def _begin() -> tuple[Backbone, Dataset]:
    """Return what is trained; the page's process has trained on its processor before, as it does."""
    dataset = make_dataset(read_starter("signs", SETTINGS), SETTINGS)
    backbone = load_backbone(find_spec(EMBEDDED))
    list(finetune.fine_tune(backbone, dataset, Recipe(epochs=1, flips=False), SETTINGS))
    return backbone, dataset


def _climb(steps: Any) -> list[float]:
    return [step.activation for step in steps if isinstance(step, ascent.AscentStep)]


def _differ(there: FineTuned, here: FineTuned) -> float:
    """Return the largest difference between two trainings' tensors."""
    pairs = [(there.head.module.state_dict(), here.head.module.state_dict()), (there.head.tuned, here.head.tuned)]
    return max(float((a[name] - b[name]).abs().max()) for a, b in pairs for name in a)
