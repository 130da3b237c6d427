"""A folder -> a new private repository on the Hugging Face Hub, by its owner's own token."""

import logging
import re
from contextlib import ExitStack
from pathlib import Path

from demo.errors import DemoError, log_unexpected
from demo.tasks.errors import HubFailed, HubNameTaken, HubNameWrong, HubNotAllowed, HubTokenMissing, HubTokenRefused

HUB = "https://huggingface.co"  # never the mirror that HF_ENDPOINT names: the token is for the Hub alone

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_NAME = re.compile(rf"(?:{_PART}/)?{_PART}")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{8,256}")  # what is anything else never leaves


def check_push(name: str, token: str) -> None:
    """Check the name of a repository and the form of a token.

    Raises:
        HubNameWrong: If it cannot be a repository's.
        HubTokenMissing: If there is none.
    """
    name = name.strip()
    if not _NAME.fullmatch(name) or ".." in name or "--" in name or name.endswith((".", "-", ".git")):
        raise HubNameWrong(name=name[:100])
    if not _TOKEN.fullmatch(token.strip()):  # an empty one would let the library look for one of this machine's
        raise HubTokenMissing()


def push_folder(folder: Path, name: str, token: str, *, endpoint: str = HUB) -> str:
    """Make a private repository and put the files of a folder into it; none that exists is changed.

    The token is sent to the Hub and nowhere else, and is not kept: no error, no log and no file holds it.

    Args:
        folder: What to send, without its subfolders.
        name: The repository's, with or without the owner's before a slash.
        token: The owner's, with the right to write.
        endpoint: The Hub's address.

    Returns:
        The address of the repository.

    Raises:
        HubError: One of its kinds.

    Source:
        https://huggingface.co/docs/huggingface_hub/guides/upload
    """
    check_push(name, token)
    try:
        return _push(folder, name.strip(), token.strip(), endpoint)
    except Exception as error:  # the library raises many kinds, and some hold the request with the token
        failure = _explain(error, name.strip())
    raise failure  # outside, so that the library's error does not hang on it


def _push(folder: Path, name: str, token: str, endpoint: str) -> str:
    from huggingface_hub import CommitOperationAdd, HfApi, constants
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    constants.HF_HUB_DISABLE_TELEMETRY = True  # or it would tell, and ask, what this machine is
    for library in ("huggingface_hub", "httpx2", "httpcore2"):  # they name the repository
        logging.getLogger(library).setLevel(logging.ERROR)
    api = HfApi(endpoint=endpoint, token=token)
    repository = api.create_repo(name, private=True)
    with ExitStack() as stack:
        # Open files are sent by plain requests; paths would go through a program that keeps notes in a cache.
        files = [(path.name, stack.enter_context(path.open("rb"))) for path in sorted(folder.iterdir())]
        operations = [CommitOperationAdd(*each) for each in files]
        api.create_commit(repository.repo_id, operations, commit_message="Add the model")
    return str(repository.url)


def _explain(error: Exception, name: str) -> DemoError:
    while isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):  # around that of a large file
        error = error.__cause__
    status = getattr(getattr(error, "response", None), "status_code", 0)
    match status:
        case 401:
            return HubTokenRefused()
        case 403:
            return HubNotAllowed(name=name)
        case 409:
            return HubNameTaken(name=name)
        case 0 if not isinstance(error, OSError) and not type(error).__module__.startswith("http"):
            log_unexpected(error, "a push to the Hub")
    return HubFailed(reason=f"HTTP {status}" if status else type(error).__name__)
