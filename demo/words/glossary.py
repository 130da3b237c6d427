"""The words of the glossary: what a first-year student has not met before, a sentence for each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A term: what it is called, the forms in which it stands on the page, split by "|", and a sentence on it."""

    name: str
    forms: str
    sentence: str


@dataclass(frozen=True)
class Terms:
    """All terms, in the order of the glossary."""

    loss: Term
    cross_entropy: Term
    epoch: Term
    batch_size: Term
    learning_rate: Term
    momentum: Term
    weight_decay: Term
    sgd: Term
    adamw: Term
    dropout: Term
    head: Term
    backbone: Term
    fine_tuning: Term
    parameters: Term
    validation: Term
    overfitting: Term
    precision: Term
    recall: Term
    f1: Term
    wilson: Term
    cosine: Term
    calibration: Term
    logits: Term
    temperature: Term
    pca: Term
    softmax: Term
    top1: Term
    multiply_adds: Term
    batch_norm: Term
    relu: Term
    convolution: Term
    kernel: Term
    pooling: Term
    stride: Term
    receptive_field: Term
    feature_map: Term
    channel: Term
    norm: Term
    shortcut: Term


@dataclass(frozen=True)
class GlossaryWords:
    """The glossary; `see` leads to the place of the page where a term can be seen."""

    title: str
    help: str
    see: str
    terms: Terms
