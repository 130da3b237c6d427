"""The choices that put a reading right, and the questions that they settle."""

from demo.data.reading import ANSWERS, Answer, Choices, Doubt, LabelTable, Question, Reading, Role


def test_an_answer_settles_its_question_and_no_other() -> None:
    questions = Question(Doubt.MASKS, ("images", "masks")), Question(Doubt.EMPTY, ("bee",))
    choices = Choices().assign("data/test", Role.TEST).answer(Doubt.MASKS, Answer.KEEP)
    assert Reading(questions=questions).open_questions == questions
    assert Reading(questions=questions, choices=choices).open_questions == questions[1:]
    assert choices.roles == {"data/test": Role.TEST}


def test_each_doubt_can_be_settled() -> None:
    assert set(ANSWERS) == set(Doubt)
    assert all(Question(doubt, ()).answers for doubt in Doubt)


def test_a_column_is_named_with_its_table() -> None:
    table = LabelTable("train/labels.csv", "class", ("class", "author"), 12)
    assert (table.key(), table.key("author")) == ("train/labels.csv#class", "train/labels.csv#author")
