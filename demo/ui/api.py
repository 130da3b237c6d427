"""The public API: three stateless functions, files in, JSON and files out. They never touch a session."""

from contextlib import AbstractContextManager
from typing import Any

import gradio as gr
from PIL import Image

from demo.data.dataset import Dataset, read_dataset
from demo.data.errors import NoArchive, NoImage
from demo.data.images import read_image
from demo.figures import draw_grid, draw_overlay, join_pictures
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.headfile import write_head
from demo.models.recipe import Balance, Recipe
from demo.models.weights import usable_backbone
from demo.models.zoo import StageLabel
from demo.tasks.activations import capture_stages
from demo.tasks.evaluate import wilson
from demo.tasks.predict import predict
from demo.ui.handlers import Cost, bind, costs
from demo.ui.inside.tab import NUM_MAPS
from demo.ui.parts.values import parse_whole
from demo.ui.server.internals import get_upload_folder, save_bytes_to_cache
from demo.ui.server.uploads import taken_file
from demo.visitors.jobs import Job
from demo.visitors.rooms import Rooms

# The lines of programs stand beside those of the page. Predictions that are asked for at the same time share forward
# passes. Of programs one training at a time is in the line of trainings, so that visitors wait for no more than that.
_PREDICTION = {"concurrency_id": "predict", "concurrency_limit": 16}
_TRAINING = {"concurrency_id": "api_fine_tune", "concurrency_limit": 1}
_ACTIVATIONS = {"concurrency_id": "api_activations", "concurrency_limit": 1}


@costs(Cost.PREDICT)
def answer_predict(rooms: Rooms, image: dict[str, Any] | None, backbone: str, top_k: float) -> dict[str, Any]:
    """Name what a network pretrained on ImageNet sees in one picture.

    Args:
        image: A picture file: JPEG, PNG, WebP, GIF, BMP or AVIF.
        backbone: Name of the network, for example "resnet50"; empty for the default.
        top_k: How many classes to name, 1 to 20.

    Returns:
        The backbone, the seconds that it took, and the predictions, the most probable first.
    """
    picture = _read_picture(rooms, image)
    with _backbone(rooms, backbone) as network:
        answer = predict(network, picture, top_k=parse_whole("top_k", top_k))
    return {
        "backbone": answer.backbone_name,
        "seconds": answer.seconds,
        "predictions": [
            {"class_index": best.class_idx, "class_name": best.class_name, "probability": best.probability}
            for best in answer.top
        ],
    }


@costs(Cost.READ)
def answer_fine_tune(
    rooms: Rooms, dataset_zip: dict[str, Any] | None, backbone: str, epochs: float
) -> tuple[dict[str, Any], str]:
    """Train a new linear head on a frozen network with the pictures of one zip of class folders.

    The recipe is the page's default: AdamW, learning rate 0.001, each training picture also mirrored.

    Args:
        dataset_zip: Zip with a folder of pictures for each class; an outer folder and train, val and test
            folders are recognised.
        backbone: Name of the network, for example "resnet50"; empty for the default.
        epochs: How often the head goes through all training pictures.

    Returns:
        The classes, counts and skipped files; accuracies (0 to 1) of validation and test pictures with 95% intervals,
        and balanced accuracies where classes differ in size; whether training balanced the classes; and the head as a
        safetensors file.
    """
    recipe = Recipe(epochs=parse_whole("epochs", epochs), max_epochs=rooms.settings.max_epochs)
    with _backbone(rooms, backbone) as network:
        spec = network.spec
    with taken_file(dataset_zip, NoArchive) as (path, name):
        dataset = read_dataset(path, rooms.settings, name=name)
    head = _train(rooms, spec.name, dataset, recipe)
    content = write_head(head, spec)
    return _report(rooms, dataset, head), save_bytes_to_cache(content, "head.safetensors", get_upload_folder())


@costs(Cost.COMPUTE)
def answer_activations(
    rooms: Rooms, image: dict[str, Any] | None, backbone: str
) -> tuple[dict[str, Any], Image.Image, Image.Image, Image.Image]:
    """Show what the low, middle and high stages of a network make of one picture.

    Args:
        image: A picture file: JPEG, PNG, WebP, GIF, BMP or AVIF.
        backbone: Name of the network, for example "resnet50"; empty for the default.

    Returns:
        Label, name of the layer that is shown, shape (C, H, W) and stride of each stage; and for each a PNG with
        its mean activation on the picture, beside its sixteen strongest feature maps.
    """
    picture = _read_picture(rooms, image)
    with _backbone(rooms, backbone) as network:
        activations = capture_stages(network, picture)
    stages = [
        {
            "label": each.stage.label.value,
            "name": each.stage.module,
            "shape": list(each.values.shape),
            "stride": each.stage.stride,
        }
        for each in activations.stages
    ]
    low, middle, high = (
        join_pictures(draw_overlay(each.mean, activations.network_input, side_px=grid.height), grid)
        for each in activations.stages
        for grid in [draw_grid(each.values[each.strongest(NUM_MAPS)])]
    )
    return {"stages": stages}, low, middle, high


def build_api(rooms: Rooms) -> None:
    """Declare the three endpoints on components that are never shown; they only type what goes in and out."""
    with gr.Column(visible=False):
        image = gr.Image(label="image", type="filepath")
        dataset_zip = gr.File(label="dataset_zip")
        backbone = gr.Textbox("", label="backbone")
        top_k = gr.Number(5, label="top_k", precision=0)
        epochs = gr.Number(Recipe.epochs, label="epochs", precision=0)
        answer = gr.JSON(label="answer")
        head = gr.File(label="head")
        pictures = [gr.Image(label=label.value, format="png", type="filepath") for label in StageLabel]
        ask = gr.Button()
    _publish(ask, rooms, answer_predict, "predict", [image, backbone, top_k], answer, **_PREDICTION)
    to_train = [dataset_zip, backbone, epochs]
    _publish(ask, rooms, answer_fine_tune, "fine_tune", to_train, [answer, head], **_TRAINING)
    _publish(ask, rooms, answer_activations, "activations", [image, backbone], [answer, *pictures], **_ACTIVATIONS)


def _publish(
    ask: gr.Button, rooms: Rooms, answer: Any, api_name: str, inputs: Any, outputs: Any, **limits: Any
) -> None:
    call = bind(rooms, answer, is_html=False, gives_way=answer.cost.gives_way)
    # Without gradio's own checks, whose sentences are not ours, numbers come as the caller sent them.
    ask.click(call, inputs, outputs, api_visibility="public", api_name=api_name, preprocess=False, **limits)


def _backbone(rooms: Rooms, name: str) -> AbstractContextManager[Backbone]:
    return rooms.backbones.lend(name or usable_backbone(rooms.settings.backbone))


def _read_picture(rooms: Rooms, image: dict[str, Any] | None) -> Image.Image:
    with taken_file(image, NoImage) as (path, name):
        return read_image(path, rooms.settings, name=name)


def _train(rooms: Rooms, backbone_name: str, dataset: Dataset, recipe: Recipe) -> Head:
    """Train in the line of the page's visitors, and wait for the end."""
    job = Job(lambda: rooms.fine_tune(backbone_name, dataset, recipe))
    rooms.queue.submit(job)
    job.done.wait()
    if job.error is not None:
        raise job.error
    assert job.result is not None, "a job ends with a result or an error"
    return job.result.head


def _report(rooms: Rooms, dataset: Dataset, head: Head) -> dict[str, Any]:
    summary = head.summary
    return {
        "classes": list(dataset.class_names),
        "counts": dataset.counts,
        "skipped": [{"name": each.path, "reason": rooms.words.explain(each.reason)} for each in dataset.skipped],
        "train_accuracy": summary.train_accuracy,
        "val_accuracy": summary.val_accuracy,
        "val_correct": summary.val_correct,
        "val_count": summary.val_count,
        "val_interval": list(wilson(summary.val_correct, summary.val_count)),
        "val_balanced_accuracy": summary.val_balanced,
        "test_accuracy": summary.test_accuracy,
        "test_correct": summary.test_correct,
        "test_count": summary.test_count,
        "test_interval": list(wilson(summary.test_correct, summary.test_count)) if summary.test_count else None,
        "test_balanced_accuracy": summary.test_balanced,
        "classes_balanced": summary.recipe.balance is Balance.ON,
        "seconds": summary.seconds,
    }
