"""The glossary: what a script underlines and explains on the page, and the fold with all of it.

The script comes after the page, with the words of both languages: demo/ui/scripts/later/glossary.js.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from demo.words.glossary import Term
from demo.words.language import CHINESE, ENGLISH, Words

_SCRIPT = Path(__file__).parents[1] / "scripts" / "later" / "glossary.js"
# Where each term can be seen: a tab, and a panel of it.
PLACES = {
    "loss": ("finetune", "train"),
    "cross_entropy": ("finetune", "train"),
    "epoch": ("finetune", "train"),
    "batch_size": ("finetune", "train"),
    "learning_rate": ("finetune", "train"),
    "momentum": ("finetune", "train"),
    "weight_decay": ("finetune", "train"),
    "sgd": ("finetune", "train"),
    "adamw": ("finetune", "train"),
    "dropout": ("finetune", "train"),
    "head": ("finetune", "train"),
    "backbone": ("finetune", "train"),
    "fine_tuning": ("finetune", "train"),
    "parameters": ("finetune", "train"),
    "validation": ("finetune", "wrong"),
    "overfitting": ("finetune", "wrong"),
    "precision": ("finetune", "wrong"),
    "recall": ("finetune", "wrong"),
    "f1": ("finetune", "wrong"),
    "wilson": ("finetune", "wrong"),
    "cosine": ("finetune", "wrong"),
    "calibration": ("finetune", "wrong"),
    "logits": ("finetune", "wrong"),
    "temperature": ("finetune", "wrong"),
    "pca": ("finetune", "wrong"),
    "softmax": ("predict", ""),
    "top1": ("predict", "history"),
    "multiply_adds": ("predict", "history"),
    "batch_norm": ("inside", "depth"),
    "relu": ("inside", "neuron"),
    "convolution": ("inside", "neuron"),
    "kernel": ("inside", "neuron"),
    "pooling": ("inside", "neuron"),
    "stride": ("inside", "ladder"),
    "receptive_field": ("inside", "ladder"),
    "feature_map": ("inside", "ladder"),
    "channel": ("inside", "channel"),
    "norm": ("inside", "residual"),
    "shortcut": ("inside", "residual"),
}


def glossary_script() -> str:
    """Return the script, and before it what it knows."""
    told = {words.language: tell_glossary(words) for words in (ENGLISH, CHINESE)}
    script = _SCRIPT.read_text(encoding="utf-8")
    return f"{{\nconst GLOSSARIES = {json.dumps(told, ensure_ascii=False)};\n{script}}}\n"


def tell_glossary(words: Words) -> dict[str, Any]:
    """Return what the script knows in one language: a pattern that finds all forms, the term of each, and the terms."""
    terms = list_terms(words)
    names = {form.lower(): name for name, term in terms.items() for form in term.forms.split("|")}
    longest_first = sorted(names, key=len, reverse=True)  # a feature map is no map
    return {
        "pattern": rf"(?<![A-Za-z\d_.-])(?:{'|'.join(longest_first)})(?![A-Za-z\d_])",
        "names": names,
        "terms": {
            name: {
                "name": term.name,
                "sentence": term.sentence,
                "see": words.glossary.see.format(place=name_place(words, name)),
                "query": f"?{urlencode(dict(zip(('tab', 'panel'), filter(None, PLACES[name]), strict=False)))}",
            }
            for name, term in terms.items()
        },
    }


def list_terms(words: Words) -> dict[str, Term]:
    """Return all terms of a language, by their names in code."""
    terms = words.glossary.terms
    return {each.name: getattr(terms, each.name) for each in fields(terms)}


def name_place(words: Words, name: str) -> str:
    """Return what the page calls the place where a term can be seen."""
    tab, panel = PLACES[name]
    ours = {"predict": words.predict.tab, "finetune": words.finetune.tab, "inside": words.inside.tab}[tab]
    within = {
        "predict": {"": "", "history": words.predict.history.title},
        "finetune": words.finetune.steps.names,
        "inside": {panel: getattr(words.inside, panel.replace("-", "_"), words.predict).tab},
    }[tab][panel]
    return " › ".join(filter(None, (ours, within)))


def build_glossary(words: Words) -> None:
    """Lay out the fold with all terms, which is filled when it is opened."""
    ours = words.glossary
    gr.HTML(f"<details><summary>{ours.title}</summary><p>{ours.help}</p></details>", padding=False, elem_id="glossary")
