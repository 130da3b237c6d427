"""One or several zips, or a trusted folder -> the files that they list, and the bytes of each on demand."""

import os
import re
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from demo.data.archives import Archive, Budget, open_archive
from demo.data.errors import (
    ArchiveError,
    EntryDamaged,
    EntryError,
    EntryTooLarge,
    StorageFull,
    TooManyEntries,
    UploadError,
)
from demo.data.layouts.errors import EntryZipTooDeep, TooManyArchives
from demo.data.listing import ListedFile, is_litter, strip_zip_name
from demo.data.names import clean_name
from demo.data.store import no_room
from demo.settings import MEGABYTE, Settings

_MARKED_BYTES = 4096  # beginning of a file in a folder by whose checksum copies are known
_DRAWN = re.compile(rb"drawn (\d{1,7}) of (\d{1,7})")  # what the page writes into a zip that it has drawn from another

Read = Callable[[int], bytes | EntryError]
Peek = Callable[[int], bytes]


@dataclass
class Sources:
    """Open zips and folders.

    Attributes:
        names: The names of the zips.
        files: All files of all of them, in their order.
        refused: Zips inside a zip that cannot be read, and why.
        kept_back: Name of a zip -> pictures that the visitor's browser had and did not send, as far as it says so.
    """

    names: list[str] = field(default_factory=list)
    files: list[ListedFile] = field(default_factory=list)
    refused: dict[ListedFile, UploadError] = field(default_factory=dict)
    kept_back: Counter[str] = field(default_factory=Counter)
    _readers: dict[ListedFile, tuple[Read, Peek]] = field(default_factory=dict)

    def read(self, file: ListedFile, max_bytes: int) -> bytes | EntryError:
        """Return the bytes of a file, or the reason why they cannot be read."""
        return self._readers[file][0](max_bytes)

    def peek(self, file: ListedFile, num_bytes: int) -> bytes:
        """Return the first bytes of a file; nothing of one that cannot be read."""
        return self._readers[file][1](num_bytes)

    def add(self, file: ListedFile, read: Read, peek: Peek) -> None:
        """Add a file, what reads all of it if it has at most so many bytes, and what reads its first ones."""
        self.files.append(file)
        self._readers[file] = read, peek


@contextmanager
def open_sources(sources: Sequence[tuple[Path, str]], settings: Settings) -> Iterator[Sources]:
    """Open uploaded zips, or folders of whoever runs the program.

    Args:
        sources: Files or folders, and their names.
        settings: Limits on zips, on each and on all together. A folder is trusted: only its pictures are limited.

    Raises:
        ArchiveError: One of its kinds, if one of the zips cannot be used.
    """
    if len(sources) > settings.max_archives:
        raise TooManyArchives(count=len(sources), limit=settings.max_archives)
    opened, budget = Sources(), Budget(settings)
    with ExitStack() as stack:
        for path, name in sources:
            opened.names.append(name)
            if path.is_dir():
                _list_folder(opened, path, name)
            else:
                archive = stack.enter_context(open_archive(path, settings, name=name, budget=budget))
                _Zip(opened, stack, budget, settings).list_files(archive, name)
        yield opened


def _list_folder(opened: Sources, top: Path, name: str) -> None:
    for where, folders, file_names in os.walk(top):
        folders[:] = sorted(each for each in folders if not is_litter(each))
        parts = tuple(map(clean_name, Path(where).relative_to(top).parts))
        for file_name in sorted(each for each in file_names if not is_litter(each)):
            path = Path(where, file_name)
            listed = ListedFile(name, parts, clean_name(file_name) or "?", _mark(path), len(opened.files))
            opened.add(listed, partial(_read_file, path), partial(_peek_file, path))


def _mark(path: Path) -> tuple[int, int]:
    try:
        with path.open("rb") as file:
            return path.stat().st_size, zlib.crc32(file.read(_MARKED_BYTES))
    except OSError:
        return 0, 0


def _read_file(path: Path, max_bytes: int) -> bytes | EntryError:
    try:
        if path.stat().st_size > max_bytes:
            return EntryTooLarge(limit=max_bytes / MEGABYTE)
        return path.read_bytes()
    except OSError:
        return EntryDamaged()


def _peek_file(path: Path, num_bytes: int) -> bytes:
    with suppress(OSError), path.open("rb") as file:
        return file.read(num_bytes)
    return b""


@dataclass
class _Zip:
    """One zip and those inside it."""

    opened: Sources
    stack: ExitStack
    budget: Budget
    settings: Settings
    num_inside: int = 0

    def list_files(
        self, archive: Archive, name: str, folders: tuple[str, ...] = (), *, is_inside: bool = False
    ) -> None:
        """List the files of a zip, and those of zips inside it as if each were a folder."""
        self._count_kept_back(archive.comment, name)
        for number, (inner, file_name) in enumerate(archive.paths):
            number_in_all = len(self.opened.files)
            listed = ListedFile(name, (*folders, *inner), file_name, archive.mark(number), number_in_all)
            if not file_name.lower().endswith(".zip"):
                self.opened.add(listed, partial(archive.read, number), partial(archive.peek, number))
            elif is_inside:
                self.opened.refused[listed] = EntryZipTooDeep()
            else:
                self._list_inside(archive, number, listed)

    def _list_inside(self, archive: Archive, number: int, listed: ListedFile) -> None:
        self.num_inside += 1
        if self.num_inside > self.settings.max_archives:
            raise TooManyArchives(count=self.num_inside, limit=self.settings.max_archives)
        content = archive.read(number, self.settings.max_archive_bytes)
        try:
            if isinstance(content, EntryError):
                raise content
            with no_room(StorageFull(megabytes=len(content) / MEGABYTE)):
                # The file is closed with the stack, after the last picture was read from it.
                file = self.stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
                file.write(content)
                file.flush()
            opening = open_archive(file, self.settings, name=listed.name, budget=self.budget)
            inside = self.stack.enter_context(opening)
        except TooManyEntries:  # what all zips may list together is used up
            raise
        except (ArchiveError, EntryError) as reason:
            self.opened.refused[listed] = reason
        else:
            folders = (*listed.folders, clean_name(strip_zip_name(listed.name)) or listed.name)
            self.list_files(inside, listed.source, folders, is_inside=True)

    def _count_kept_back(self, comment: bytes, name: str) -> None:
        found = _DRAWN.fullmatch(comment)
        if found:
            self.opened.kept_back[name] += max(0, int(found[2]) - int(found[1]))
