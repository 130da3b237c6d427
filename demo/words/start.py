"""What is said to whoever starts the page, of the place where it is to run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StartWords:
    """How something was found, and a sentence for each thing that is well."""

    well: str
    limited: str
    wrong: str
    settings: str
    port: str
    uploads: str
    disk: str
    disk_unknown: str
    device: str
    memory: str
    memory_unknown: str
    weights: str
    weights_absent: str
    kept: str
