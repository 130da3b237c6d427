"""What a folder of training, validation or test pictures is called, in many languages: a hint, never a proof."""

import re
import unicodedata

from demo.data.reading import Role

# What stands behind the word in one: trainset, Testbilder, trainingdata.
_THINGS = (
    r"s?(sets?|datas?|datasets?|images?|imgs?|pics?|pictures?|photos?|samples?|splits?|folders?|daten|datensatz|bilder|"
    r"menge|satz|fotos?)?\d*"
)
_WORDS = {
    Role.TRAIN: (
        "train|training|trn|learn|learning|trainval|"
        "trainier|lern|lernen|entrainement|apprentissage|entrenamiento|entreno|aprendizaje|treino|treinamento|"
        "addestramento|allenamento|обучение|обучающая|обучающие|тренировка|тренировочные|trening|egitim|xunlian"
    ),
    Role.VALIDATION: (
        "val|valid|validate|validation|validating|dev|devel|eval|evaluate|evaluation|"
        "validierung|evaluierung|validacion|evaluacion|validacao|avaliacao|convalida|validazione|"
        "валидация|валидационные|проверка|проверочные|walidacja|dogrulama|yanzheng|pinggu"
    ),
    Role.TEST: (
        "test|tests|testing|tst|holdout|prueba|pruebas|teste|testes|prova|essai|pruf|prufung|"
        "тест|тестовые|тестовая|тестирование|ceshi"
    ),
}
_LATIN = {role: re.compile(f"({words}){_THINGS}") for role, words in _WORDS.items()}
# Languages that are written without blanks: the word may stand anywhere in the name.
_UNSPACED = {
    Role.TRAIN: ("训练", "訓練", "学习", "學習", "学習", "トレーニング", "훈련", "학습"),
    Role.VALIDATION: ("验证", "驗證", "校验", "评估", "評估", "検証", "バリデーション", "評価", "검증", "평가"),
    Role.TEST: ("测试", "測試", "テスト", "試験", "시험", "테스트"),
}
_UNLABELLED = re.compile(r"(pred|predict|predictions?|unlabel|unlabell?ed|unknown|inference|submission|samples?)\d*")
_UNLABELLED_UNSPACED = ("预测", "預測", "未标注", "未標註", "无标签", "未分類", "ラベルなし", "推論", "예측")
_TOKEN = re.compile(r"[^\W\d_]+\d*")
_CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")


def find_split(name: str) -> Role | None:
    """Return the split that a folder's name tells of: "train", "seg_train", "TestSet", "训练集"; None if it tells none.

    The first word that is one decides; accents, capitals and what stands around the word do not matter.
    """
    plain = unicodedata.normalize("NFKC", _without_accents(name))
    for token in _TOKEN.findall(_CAMEL.sub(" ", plain)):
        for role, words in _LATIN.items():
            if words.fullmatch(token.casefold()):
                return role
    whole = unicodedata.normalize("NFKC", name)
    return next((role for role, words in _UNSPACED.items() if any(word in whole for word in words)), None)


def _without_accents(name: str) -> str:
    """Take the accents off Latin letters; Russian's й and Korean syllables stay whole."""
    decomposed = unicodedata.normalize("NFD", name)
    kept = "".join(
        character
        for place, character in enumerate(decomposed)
        if not (unicodedata.combining(character) and decomposed[max(0, place - 1)].isascii())
    )
    return unicodedata.normalize("NFC", kept)


def is_unlabelled(name: str) -> bool:
    """Say whether a folder's name tells that its pictures have no classes: "seg_pred", "unlabeled", "未标注"."""
    tokens = [token.casefold() for token in _TOKEN.findall(_CAMEL.sub(" ", name))]
    return any(_UNLABELLED.fullmatch(token) for token in tokens) or any(word in name for word in _UNLABELLED_UNSPACED)
