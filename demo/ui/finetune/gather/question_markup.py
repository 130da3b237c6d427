"""What is asked of a visitor before anything is trained, as HTML: the question, pictures of its subjects, answers."""

import html
from collections.abc import Iterator

from demo.data.collection import Collection, Picture
from demo.data.questions import put_question
from demo.data.reading import Question
from demo.ui.finetune.gather.picks import draw_button
from demo.ui.parts.markup import draw_picture, draw_status
from demo.visitors.pictures import Pictures
from demo.words.language import Words

_MAX_SUBJECTS = 6
_MAX_THUMBNAILS = 4  # of each subject


def draw_questions(words: Words, pictures: Pictures) -> str:
    """Return what is asked of the pictures; once all is answered and they can be learned from, that this is so."""
    collection = pictures.collection
    reading = collection.reading if collection else None
    if collection is None or reading is None or not reading.questions:
        return ""
    ours, asked = words.finetune.reading.ask, reading.open_questions
    if not asked:
        return draw_status(ours.is_settled) if pictures.dataset else ""
    drawn = "".join(_draw_question(words, collection, each, is_first=each is asked[0]) for each in asked)
    return f'<section class="asks" role="group"><h3>{ours.title.format(count=len(asked))}</h3>{drawn}</section>'


def is_asked(pictures: Pictures) -> bool:
    """Say whether something is asked that has no answer yet: nothing is trained before it has."""
    reading = pictures.collection.reading if pictures.collection else None
    return reading is not None and bool(reading.open_questions)


def _draw_question(words: Words, collection: Collection, question: Question, *, is_first: bool) -> str:
    ours = words.finetune.reading.ask.answers[question.doubt]
    answers = "".join(
        draw_button(
            f"answer-{question.doubt}-{answer}",
            ours[answer],
            css_class="likeliest" if number == 0 else "",
            is_heir=is_first and number == 0,
        )
        for number, answer in enumerate(question.answers)
    )
    shown = "".join(_draw_subject(words, collection, each) for each in question.subjects[:_MAX_SUBJECTS])
    asked = html.escape(words.explain(put_question(question)))
    return f'<div class="asked" role="group" aria-label="{asked}"><p>{asked}</p>{shown}<p>{answers}</p></div>'


def _draw_subject(words: Words, collection: Collection, subject: str) -> str:
    pictures = [each for _, each in zip(range(_MAX_THUMBNAILS), _find_pictures(collection, subject), strict=False)]
    alt = words.finetune.gather.thumbnail_alt
    drawn = "".join(draw_picture(each.thumbnail, alt.format(name=each.path)) for each in pictures)
    return f'<div class="thumbnails"><b>{html.escape(subject)}</b>{drawn}</div>' if drawn else ""


def _find_pictures(collection: Collection, subject: str) -> Iterator[Picture]:
    """Yield the pictures of a subject: the name of a class, of a folder, or what a file's name begins with."""
    for each in collection.classes:
        if each.name == subject:
            yield from each.pictures
            return
    for picture in (*collection.pictures, *collection.unused):
        name = picture.path.rpartition("/")[2]
        if f"/{subject}/" in f"/{picture.path}" or name.startswith(subject):
            yield picture
