"""What the two customers' demonstration says."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CustomersWords:
    """One network, two customers: what happens to whom."""

    title: str
    help: str
    let_in: str
    names: tuple[str, str]
    opening: str
    bringing: str
    training: str
    asking: str
    leaving: str
    done: str
    crossed: str

    arrivals: str
    brought: str

    heads: str
    heads_help: str
    head_facts: tuple[str, str, str, str, str, str]

    asked: str
    asked_help: str
    asked_picture: str
    asked_truth: str
    says: str
    answer: str

    fingerprints: str
    fingerprints_help: str
    moment: str
    shared_network: str
    head_of: str
    moments: tuple[str, str, str, str]
    no_head: str
    head_gone: str

    held: str
    held_help: str
    session_of: str
    pictures_of: str

    departure: str
    departure_help: str
    checked: str
    finding: str
    yes: str
    no: str
    checks: Mapping[str, str]  # by the field of Departure
