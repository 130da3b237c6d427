"""What ImageNet's 1,000 classes are called in another language than the networks' files, which have them in English.

Each name was written for this page from the class's synset in WordNet and its gloss. Seven follow what the class's
photographs show, which is another sense of the word than the gloss has: bulbul, Dutch oven, pier, pinwheel, sunglass,
hot pot and cup.
"""

from collections.abc import Mapping
from pathlib import Path


def read_classes(file: Path) -> tuple[tuple[str, str], ...]:
    """Read a file of two columns: the WordNet number of each class ("n" and eight digits), and its name.

    Returns:
        The rows by class index, in the order of the networks' classes.
    """
    number_and_name = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
    return tuple((number, name) for number, name in number_and_name)


CHINESE_CLASSES = read_classes(Path(__file__).with_name("classes_zh.tsv"))
CLASS_NAMES: Mapping[str, tuple[str, ...]] = {"zh-Hans": tuple(name for _, name in CHINESE_CLASSES)}
