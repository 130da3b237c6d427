"""What the steps measure of a network that is only looked at: on the examples, which are nobody's data."""

from PIL import Image

from demo.data.samples import find_example, read_example
from demo.lesson.found import Found
from demo.models.backbone import Backbone
from demo.models.zoo import StageLabel
from demo.settings import Settings
from demo.tasks.activations import capture_stages
from demo.tasks.block_designs import count_saving
from demo.tasks.blocks import list_blocks
from demo.tasks.cam import Method, map_stages
from demo.tasks.erase import Erasure, Part, erase_by_map
from demo.tasks.moves import LARGEST, Move, move_picture
from demo.tasks.neuron import KERNELS, KernelName, parse_kernel, sweep_angles, sweep_shifts
from demo.tasks.predict import ClassProbability, predict
from demo.tasks.residual import try_block

_FIFTH = 0.2
_NEARLY = 0.8  # a cosine similarity, or a share of an answer, from which on two are called nearly the same
# The answer of two things of which the first, the second, both or neither does something.
_WHICH = {(True, False): 0, (False, True): 1, (True, True): 2, (False, False): 3}
_DEGREES = (0, 30, 60, 90)
_SHIFT_PX, _POOL_PX = 4, 8
_WIDTH = 256  # channels of the blocks that are counted, as in the paper's figure


def measure_words(backbone: Backbone, settings: Settings) -> Found:
    """Ask for a thing that is a class and for one that is none."""
    coffee, astronaut = (predict(backbone, _read(name, settings)).top for name in ("coffee", "astronaut"))
    answer = 1 if astronaut[0].probability < coffee[0].probability / 2 else 2
    return Found(answer, {"coffee": coffee[0], "first": astronaut[0], "second": astronaut[1]})


def measure_edge(_: Backbone, __: Settings) -> Found:
    """Turn a drawn edge in front of a simple cell that likes it upright."""
    sweep = sweep_angles(parse_kernel(KERNELS[KernelName.VERTICAL]))
    by_angle = dict(zip(sweep.steps, sweep.answers, strict=True))
    left = by_angle[90] / by_angle[0]
    answer = 0 if left > _NEARLY else 2 if left < 1 - _NEARLY else 1
    return Found(answer, {f"turned_{degrees}": by_angle[degrees] for degrees in _DEGREES})


def measure_shift(_: Backbone, __: Settings) -> Found:
    """Move a drawn edge in front of a simple and of a complex cell."""
    kernel = parse_kernel(KERNELS[KernelName.VERTICAL])
    simple, complex_ = (sweep_shifts(kernel, pool_px=side).answers for side in (1, _POOL_PX))
    stays = tuple(each[_SHIFT_PX] > _NEARLY * each[0] for each in (simple, complex_))
    numbers = {"simple_rest": simple[0], "simple_moved": simple[_SHIFT_PX]}
    numbers |= {"complex_rest": complex_[0], "complex_moved": complex_[_SHIFT_PX]}
    return Found(_WHICH[stays[0], stays[1]], numbers)


def measure_moves(backbone: Backbone, settings: Settings) -> Found:
    """Shift the cat by half of the picture, and turn it upside down."""
    cat = _read("cat", settings)
    shifted, turned = (move_picture(backbone, cat, move, [LARGEST[move]]) for move in (Move.SHIFT, Move.TURN))
    low = next(each for each in shifted.stages if each.stage.label is StageLabel.LOW)
    numbers: dict[str, float | ClassProbability] = {
        "low_unmoved": low.unmoved[0],
        "low_moved": low.moved[0],
        "features": shifted.features[0],
        "top": shifted.top,
        "probability": shifted.probabilities[0],
        "upside_down": turned.features[0],
    }
    if low.unmoved[0] > shifted.features[0]:
        return Found(0, numbers)
    return Found(1 if shifted.features[0] > _NEARLY else 2, numbers)


def measure_stages(backbone: Backbone, settings: Settings) -> Found:
    """Count the zeros of each stage on the cat."""
    seen = capture_stages(backbone, _read("cat", settings))
    low, _, high = seen.stages
    numbers: dict[str, float] = {f"{each.stage.label}_side": each.values.shape[1] for each in seen.stages}
    numbers |= {f"{each.stage.label}_zeros": each.zero_share for each in seen.stages}
    numbers |= {"silent": int(high.silent.sum()), "channels": len(high.silent)}
    if abs(high.zero_share - low.zero_share) < 0.1:
        return Found(1, numbers)
    return Found(2 if high.zero_share > low.zero_share else 0, numbers)


def measure_heatmaps(backbone: Backbone, settings: Settings) -> Found:
    """Erase what a heatmap calls the hottest fifth, and as much elsewhere, on two photographs."""
    numbers, holds = dict[str, float](), 0
    for name in ("coffee", "cat"):
        erasure = _erase_hottest(backbone, _read(name, settings))
        left = {each.part: each.probability for each in erasure.erased if each.share == _FIFTH}
        numbers |= {f"{name}_before": erasure.before, f"{name}_hottest": left[Part.HOTTEST]}
        numbers |= {f"{name}_random": left[Part.RANDOM]}
        holds += left[Part.HOTTEST] < left[Part.RANDOM]
    return Found(2 - holds, numbers)


def measure_shortcut(backbone: Backbone, settings: Settings) -> Found:
    """Switch off the layers, then the shortcut, of the first block of a network that sees coffee; count weights."""
    trial, saving = try_block(backbone, list_blocks(backbone)[0].name, _read("coffee", settings)), count_saving(_WIDTH)
    changes = [each.best.class_idx != trial.whole.class_idx for each in (trial.block_off, trial.shortcut_off)]
    return Found(
        _WHICH[changes[0], changes[1]],
        {
            "block": trial.block,
            "whole": trial.whole,
            "no_layers": trial.block_off.probability,
            "no_shortcut": trial.shortcut_off.probability,
            "instead": trial.shortcut_off.best,
            "basic": saving.basic,
            "bottleneck": saving.bottleneck,
            "ratio": saving.ratio,
        },
    )


def _read(name: str, settings: Settings) -> Image.Image:
    return read_example(find_example(name), settings)


def _erase_hottest(backbone: Backbone, photo: Image.Image) -> Erasure:
    class_idx = predict(backbone, photo).top[0].class_idx
    values = map_stages(backbone, photo, [class_idx]).of(class_idx, StageLabel.HIGH, Method.GRAD_CAM).values
    return erase_by_map(backbone, photo, class_idx, values)
