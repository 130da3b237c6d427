"""What a network says of the photograph, as HTML: the five best classes as bars, and its stages as small pictures."""

import html
from weakref import WeakKeyDictionary

from PIL import Image

from demo.data.samples import EXAMPLES
from demo.figures import draw_overlay
from demo.models.zoo import StageLabel, find_spec
from demo.tasks.activations import StageActivations
from demo.tasks.exhibits import Seen
from demo.tasks.predict import ClassProbability, Prediction
from demo.ui.parts.examples import address_of
from demo.ui.parts.markup import draw_picture, encode_jpeg
from demo.visitors.rooms import Rooms
from demo.visitors.session import Session
from demo.words.language import Words
from demo.words.page import PredictWords

_THUMBNAIL_PX = 144
# Those of the examples are kept, as long as what is drawn is.
_drawn: WeakKeyDictionary[StageActivations, tuple[bytes, ...]] = WeakKeyDictionary()


def draw_answer(rooms: Rooms, session: Session, seen: Seen | None) -> str:
    """Return the answer to a session's photograph, or what to do first; `data-` attributes say where the page is."""
    words, example = rooms.words, session.photos.example
    place = f'data-network="{session.state.backbone_name}"'
    if example:
        place += f' data-example="{example.name}"'
    is_waking = seen is None and bool(example or session.photos.kept)
    said = answer_line(words, seen.prediction if seen else None, is_waking=is_waking)
    said += "".join(f'<p class="hint">{words.photo.notes[note]}</p>' for note in session.photos.notes)
    if seen:
        is_strange = example is not None and not example.class_idxs and not seen.prediction.own_classes
        note = f'<p class="hint">{words.predict.no_word_note}</p>' if is_strange else ""
        said += f"{draw_bars(words, seen.prediction)}{note}{draw_stages(words.predict, seen)}"
    return f'<div class="answered" {place}>{said}</div>'


def draw_opening(words: Words, seen: Seen) -> str:
    """Return the first example with the answer to it, for a document whose page is not there yet."""
    examples = "".join(
        f'<button data-for="example-{each.name}" class="example example-{each.name}">'
        f"{words.predict.example_names[each.name]}</button>"
        for each in EXAMPLES
    )
    picture = f'<img src="{address_of(EXAMPLES[0])}" alt="{words.photo.alt}">'
    answer = f"{answer_line(words, seen.prediction)}{draw_bars(words, seen.prediction)}"
    return (
        f'<div><div id="first-photo">{picture}</div><div class="examples">{examples}</div></div>'
        f'<div class="answered">{answer}{draw_stages(words.predict, seen)}{draw_next_steps(words)}</div>'
    )


def draw_next_steps(words: Words) -> str:
    """Return what a visitor can do after the first look: a script brings a photograph, or opens a place of the page."""
    ours, lesson = words.predict, words.lesson
    return (
        f'<p class="next-steps"><button type="button" class="next" data-bring>{ours.next_photo}</button> '
        f'<a class="next" href="?tab=finetune" data-to="finetune">{ours.next_teach}</a> '
        f'<a class="next" href="?tab=inside" data-to="inside">{ours.next_inside}</a> '
        f'<a class="next" href="?lesson=1" data-act="click" data-pick="open" title="{lesson.start_help}">'
        f"{lesson.start}</a></p>"
    )


def answer_line(words: Words, prediction: Prediction | None, *, is_waking: bool = False) -> str:
    """Return one line: who answered what, and how sure; or what to do first, or what is waited for."""
    if prediction is None:
        return (
            f'<p class="hint" role="status">{words.photo.waking}</p>'
            if is_waking
            else f'<p class="hint">{words.photo.missing}</p>'
        )
    best = prediction.top[0]
    line = words.photo.answer.format(
        backbone=find_spec(prediction.backbone_name).display_name,
        classes=words.photo.answer_own if prediction.own_classes else words.photo.answer_imagenet,
        best=draw_name(words, prediction, best),
        percent=100 * best.probability,
    )
    return f'<p class="answer" role="status">{line}</p>'


def draw_bars(words: Words, prediction: Prediction) -> str:
    """Return the best classes with their probabilities; a bar is as long as the probability is large."""
    bars = "".join(
        f'<li style="--share: {best.probability:.3f}"><span>{draw_name(words, prediction, best)}</span> '
        f"<b>{100 * best.probability:.1f}%</b></li>"
        for best in prediction.top
    )
    return f'<ol class="bars" aria-label="{words.predict.top_classes}">{bars}</ol>'


def draw_name(words: Words, prediction: Prediction, best: ClassProbability) -> str:
    """Return as HTML what a class of a prediction is called; what is English on a Chinese page is marked as such.

    An index tells apart ImageNet's two classes "crane", and two "maillot", where English has one name for both.
    """
    english = html.escape(best.class_name)
    if prediction.own_classes:
        return english
    if words.language != "en":
        return words.class_name(best.class_idx, f'<span lang="en">{english}</span>')
    is_twice = [each.class_name for each in prediction.top].count(best.class_name) > 1
    return f"{english} ({best.class_idx})" if is_twice else english


def draw_stages(words: PredictWords, seen: Seen) -> str:
    """Return what the network is given, and on it what its three stages respond to; a click leads to tab 3."""
    captions = [words.network_input, *(words.stages[label] for label in StageLabel)]
    figures = "".join(
        f"<figure>{draw_picture(jpeg, caption)}<figcaption>{caption}</figcaption></figure>"
        for caption, jpeg in zip(captions, _draw_thumbnails(seen.activations), strict=True)
    )
    return f'<a class="stages" href="?tab=inside" data-to="inside" title="{words.stages_title}">{figures}</a>'


def _draw_thumbnails(activations: StageActivations) -> tuple[bytes, ...]:
    """Return JPEGs: the network's input, and on it the mean activation of each stage."""
    drawn = _drawn.get(activations)
    if drawn is None:
        picture, side_px = activations.network_input, _THUMBNAIL_PX
        small = picture.resize((side_px, side_px), Image.Resampling.LANCZOS)
        stages = [draw_overlay(each.mean, picture, side_px=side_px) for each in activations.stages]
        drawn = tuple(encode_jpeg(each, quality=65) for each in (small, *stages))
        _drawn[activations] = drawn
    return drawn
