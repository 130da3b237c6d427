"""The residual lab: what a block adds to what comes in, and what is left of the answer without its parts."""

import html
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from demo.data.dataset import Split
from demo.models.zoo import find_spec
from demo.tasks.blocks import Block, BlockKind, list_blocks
from demo.tasks.evaluate import Accuracy, measure
from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import score
from demo.tasks.predict import ClassProbability, predict
from demo.tasks.residual import Answer, BlockTrial, measure_without, switch_off, try_block, view_block
from demo.ui.handlers import Cost, costs, listen
from demo.ui.inside.block_markup import draw_drawing, draw_view, write_shape
from demo.ui.inside.panel import Paper, Subject, build_panel, needs_photo, own_queue
from demo.ui.parts.markup import draw_status, draw_table, draw_way
from demo.ui.parts.outputs import unchanged
from demo.visitors.errors import NoHead
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session, Trained
from demo.words.labs import ResidualWords
from demo.words.language import Words

PAPER = Paper("He et al. 2015", "https://arxiv.org/abs/1512.03385")
_MAX_NAME_LENGTH = 40
_ALIKE, _SURE = 0.01, 0.5  # two probabilities differ by a point at least; below a half an answer is not sure


class Off(NamedTuple):
    """What is switched off: the names of blocks without their shortcut, and of blocks that are off as a whole."""

    shortcuts: tuple[str, ...]
    blocks: tuple[str, ...]

    def keep_only(self, names: Collection[str]) -> "Off":
        """Return what is left of it in a network with blocks of these names."""
        return Off(*(tuple(each for each in chosen if each in names) for chosen in self))


class OffControls(NamedTuple):
    """The controls of what is switched off."""

    shortcuts: Any
    blocks: Any


class AnswerOutputs(NamedTuple):
    """The best classes before and after, and the count of the validation pictures."""

    answers: Any
    counted: Any


class ResidualOutputs(NamedTuple):
    """The hint of a panel that has nothing to show, or the lab."""

    hint: Any
    lab: Any
    block: Any
    drawn: Any
    off: OffControls
    answers: AnswerOutputs
    count_button: Any


def _hide_lab(sentence: str) -> ResidualOutputs:
    return unchanged(ResidualOutputs)._replace(hint=sentence, lab=gr.Column(visible=False))


@costs(Cost.COMPUTE)
@needs_photo(ResidualOutputs, without_photo=_hide_lab)
def open_residual(rooms: Rooms, subject: Subject, block: Any, shortcuts: Any, blocks: Any) -> ResidualOutputs:
    """Offer the blocks of the network in use, and draw what was chosen as far as the network has it."""
    words, known = rooms.words.inside.residual, list_blocks(subject.backbone)
    if not known:
        return _hide_lab(draw_absent(words, subject.backbone.spec.name))
    names = [each.name for each in known]
    chosen, off = _parse_name(block) if block in names else names[0], parse_off(shortcuts, blocks).keep_only(names)
    can_count = find_counted(subject.session) is not None
    hint = "" if can_count else f'<p class="hint">{words.count_hint}</p>'
    return ResidualOutputs(
        hint="",
        lab=gr.Column(visible=True),
        block=gr.Dropdown([(_name_block(words, each), each.name) for each in known], value=chosen),
        drawn=_draw_block(rooms.words, subject, chosen),
        off=OffControls(*(gr.Dropdown(names, value=list(each)) for each in off)),
        answers=AnswerOutputs(draw_answers(rooms.words, subject, off), hint),
        count_button=gr.Button(visible=can_count),
    )


@costs(Cost.COMPUTE)
@needs_photo()
def draw_block(rooms: Rooms, subject: Subject, block: Any) -> str:
    """Return, as HTML, what flows in a block, and the block with its shapes."""
    return _draw_block(rooms.words, subject, _parse_name(block))


@costs(Cost.COMPUTE)
@needs_photo(AnswerOutputs)
def compare_answers(rooms: Rooms, subject: Subject, shortcuts: Any, blocks: Any) -> AnswerOutputs:
    """Draw the best classes before and after; what was counted before belongs to another choice."""
    return AnswerOutputs(draw_answers(rooms.words, subject, parse_off(shortcuts, blocks)), "")


@costs(Cost.READ)
def count_again(rooms: Rooms, ref: Ref, shortcuts: Any, blocks: Any) -> Iterator[str]:
    """Count the right answers to the validation pictures with parts switched off; may be closed at any yield."""
    session, words, off = rooms.sessions.find(ref), rooms.words.inside.residual, parse_off(shortcuts, blocks)
    state, trained = session.state, find_counted(session)
    if trained is None:
        raise NoHead()
    before = measure(score(trained.head, trained.features, Split.VALIDATION))
    with rooms.lend(state) as backbone:
        view = switch_off(backbone, shortcuts=off.shortcuts, blocks=off.blocks)
        for step in measure_without(view, trained.dataset, trained.head, rooms.settings):
            if isinstance(step, FeatureProgress):
                yield draw_status(words.counting.format(done=step.done, total=step.total))
            else:
                yield draw_counted(words, before, step, off)


def parse_off(shortcuts: Any, blocks: Any) -> Off:
    """Return what is to be switched off; a program may send anything, and `switch_off` checks the names."""
    return Off(_parse_names(shortcuts), _parse_names(blocks))


def find_counted(session: Session) -> Trained | None:
    """Return the head whose validation pictures can be counted: the one that answers, if it was trained here."""
    trained = session.results
    if trained is None or trained.head is not session.state.answering_head:
        return None
    return trained if trained.features.chosen(Split.VALIDATION).any() else None


def draw_absent(words: ResidualWords, backbone_name: str) -> str:
    """Return, as HTML, why a network has nothing to show."""
    sentence = words.absent.format(
        backbone=find_spec(backbone_name).display_name, reason=words.absent_reasons[backbone_name]
    )
    return f'<p class="hint">{sentence}</p>'


def draw_answers(words: Words, subject: Subject, off: Off) -> str:
    """Return the best classes of the whole network and of a view without parts, side by side."""
    ours = words.inside.residual
    if not any(off):
        return f'<p class="hint">{ours.nothing_off}</p>'
    view = switch_off(subject.backbone, shortcuts=off.shortcuts, blocks=off.blocks)
    before, after = (predict(each, subject.photo, head=subject.head).top for each in (subject.backbone, view))
    rows = [
        (place, *(part for each in pair for part in _answer_cells(words, subject, each)))
        for place, pair in enumerate(zip(before, after, strict=True), 1)
    ]
    title = ours.answers.format(**_count(off))
    return f"<h3>{title}</h3>{draw_table(ours.answer_columns, rows, css_class='counts')}"


def _answer_cells(words: Words, subject: Subject, best: ClassProbability) -> tuple[str, str]:
    return subject.name_class(words, best), f"{100 * best.probability:.1f}%"


def draw_trial(words: ResidualWords, trial: BlockTrial) -> str:
    """Return what one block's two halves are worth to the answer, in a sentence made from the numbers and a table."""
    whole = trial.whole
    verdict = "alike" if abs(trial.difference) < _ALIKE else "shortcut" if trial.difference > 0 else "block"
    sentence = words.trial.format(
        name=html.escape(whole.class_name),
        block=trial.block,
        whole=100 * whole.probability,
        block_off=100 * trial.block_off.probability,
        shortcut_off=100 * trial.shortcut_off.probability,
    )
    unsure = f" {words.trial_unsure}" if whole.probability < _SURE else ""
    answers = (Answer(whole, whole.probability), trial.block_off, trial.shortcut_off)
    rows = [
        (row, f"{each.best.class_name} {100 * each.best.probability:.1f}%", f"{100 * each.probability:.1f}%")
        for row, each in zip(words.trial_rows.values(), answers, strict=True)
    ]
    header = [title.format(name=whole.class_name) for title in words.trial_columns]
    return (
        f'<p class="answer">{sentence} {words.trial_verdicts[verdict]}{unsure}</p>'
        f"{draw_table(header, rows, css_class='counts')}"
    )


def draw_counted(words: ResidualWords, before: Accuracy, after: Accuracy, off: Off) -> str:
    """Return what the head gets right of the validation pictures, before and after."""
    sentence = words.counted.format(before=before.correct, after=after.correct, count=after.count, **_count(off))
    rows = [
        (
            name,
            f"{each.correct}/{each.count}",
            f"{100 * each.share:.1f}%",
            f"{100 * each.low:.1f}–{100 * each.high:.1f}%",
        )
        for name, each in ((words.before, before), (words.after, after))
    ]
    return draw_status(sentence, kind="trained") + draw_table(words.count_columns, rows, css_class="counts")


def build_residual(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words.inside.residual
    with build_panel(rooms, ref, words, PAPER, elem_id="residual-panel") as panel:
        hint = gr.HTML("", padding=False, elem_id="residual-hint")
        with gr.Column(visible=False) as lab:
            block = gr.Dropdown([], label=words.block, interactive=True, elem_id="block")
            drawn = gr.HTML("", padding=False, elem_id="block-view")
            off = _build_off(words)
            answers = gr.HTML("", padding=False, elem_id="answers-without")
            count = gr.Button(words.count, elem_id="count-again")
            counted = gr.HTML("", padding=False, elem_id="counted")
    both = AnswerOutputs(answers, counted)
    outputs = ResidualOutputs(hint, lab, block, drawn, off, both, count)
    options = {"show_progress": "hidden", **own_queue("count")}
    counting = listen(rooms, count.click, count_again, [ref, *off], counted, reveals=counted, **options)
    panel.listen(panel.renewed, open_residual, [block, *off], outputs, cancels=[counting])
    panel.listen(block.input, draw_block, [block], drawn)
    panel.listen([each.input for each in off], compare_answers, [*off], both, cancels=[counting], reveals=answers)


def _build_off(words: ResidualWords) -> OffControls:
    with gr.Row():
        return OffControls(
            *(
                gr.Dropdown([], multiselect=True, label=label, interactive=True, min_width=260, elem_id=elem_id)
                for label, elem_id in ((words.shortcuts_off, "shortcuts-off"), (words.blocks_off, "blocks-off"))
            )
        )


def _draw_block(words: Words, subject: Subject, name: str) -> str:
    ours, view = words.inside.residual, view_block(subject.backbone, name, subject.photo)
    trial = _name_classes(words, subject, try_block(subject.backbone, name, subject.photo, head=subject.head))
    block = next(each for each in list_blocks(subject.backbone) if each.name == name)
    return draw_trial(ours, trial) + draw_view(ours, block, view) + draw_drawing(ours, block) + _turned(ours, block)


def _name_classes(words: Words, subject: Subject, trial: BlockTrial) -> BlockTrial:
    """Return a trial whose classes are called as the page calls them."""

    def name(best: ClassProbability) -> ClassProbability:
        return replace(best, class_name=subject.name_class(words, best))

    block_off, shortcut_off = (replace(each, best=name(each.best)) for each in (trial.block_off, trial.shortcut_off))
    return replace(trial, whole=name(trial.whole), block_off=block_off, shortcut_off=shortcut_off)


def _turned(words: ResidualWords, block: Block) -> str:
    """Return what an inverted residual is: a bottleneck turned round, with its numbers of channels."""
    if block.kind is not BlockKind.INVERTED:
        return ""
    outside, inside = block.input_shape[0], max(each.shape[0] for each in block.layers)
    way = draw_way("?tab=inside&panel=blocks", words.to_blocks)
    return f'<p class="hint">{words.turned.format(outside=outside, inside=inside)} {way}</p>'


def _name_block(words: ResidualWords, block: Block) -> str:
    return words.block_choice.format(
        name=block.name, kind=words.kinds[block.kind.value], shape=write_shape(block.output_shape)
    )


def _count(off: Off) -> dict[str, int]:
    """Return how much is off, by the placeholders of the sentences; a block that is named twice counts once."""
    return {name: len(set(names)) for name, names in off._asdict().items()}


def _parse_name(value: Any) -> str:
    return str(value)[:_MAX_NAME_LENGTH]


def _parse_names(values: Any) -> tuple[str, ...]:
    """Return the names that a control sends; None is what it sends where nothing was chosen."""
    listed = values if isinstance(values, list) else [values]
    return tuple(_parse_name(each) for each in listed if each is not None)
