"""Pictures of zips, and what was put right -> the collection that they make, with the doubts about it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from demo.data.collection import Collection, Listing, Picture, PictureClass, Skipped, Split
from demo.data.drawing import draw_evenly, shuffle_files
from demo.data.errors import EntryOutsideClass
from demo.data.layouts.errors import ClassChosenOut
from demo.data.layouts.layout import Layout, sort_files
from demo.data.layouts.structure import Structure, find_structure
from demo.data.listing import ListedFile
from demo.data.questions import find_doubts, is_blank
from demo.data.reading import Answer, Choices, Doubt, LeftOut, Question, Reading
from demo.data.store import PictureStore
from demo.settings import Settings


@dataclass(frozen=True)
class Kept:
    """What is kept of a visitor's pictures, however they are laid out.

    Attributes:
        sources: Names of the zips.
        pictures: The pictures that were read, by the files that they were.
        listing: What is known of the rest.
        skipped: Files that cannot be used.
        own: Classes with the pictures that are from no zip.
        names: Name of a class by its folder -> what the visitor has called it.
        off: Names of classes that the visitor has switched off.
        store: Where the pictures are.
    """

    sources: tuple[str, ...] = ()
    pictures: Mapping[ListedFile, Picture] = field(default_factory=dict)
    listing: Listing = field(default_factory=Listing)
    skipped: tuple[Skipped, ...] = ()
    own: tuple[PictureClass, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    store: PictureStore = field(default_factory=PictureStore)

    @property
    def num_own(self) -> int:
        """The number of pictures that are from no zip."""
        return sum(len(each.pictures) for each in self.own)

    def find_structure(self, choices: Choices) -> Structure:
        """Find the classes of all files that are, or may be, pictures."""
        return find_structure([*self.pictures, *self.listing.unread], self.listing.labels, choices)


def draw_files(
    layout: Layout, usable: Mapping[ListedFile, object], limit: int
) -> Iterator[tuple[int, list[ListedFile]]]:
    """Yield for each class and split how many files are drawn, and the usable ones in the order in which they are.

    Args:
        layout: The classes.
        usable: The files that can be drawn.
        limit: The number of files to draw in all, at most.
    """
    strata: dict[str, dict[Split | None, list[ListedFile]]] = defaultdict(lambda: defaultdict(list))
    for name, placed in layout.classes.items():
        for file, split in placed:
            if file in usable:
                strata[name][split].append(file)
    counts = {name: {split: len(files) for split, files in splits.items()} for name, splits in strata.items()}
    for (name, split), share in draw_evenly(counts, limit).items():
        yield share, shuffle_files(strata[name][split])


def arrange(kept: Kept, choices: Choices, settings: Settings) -> Collection:
    """Make the collection of what is kept.

    Args:
        kept: The pictures, and what is known beside them.
        choices: What the visitor has put right.
        settings: Limits on pictures.

    Returns:
        Classes in natural order, those of the visitor's own at the end; what is left out is in `unused`.
    """
    structure = kept.find_structure(choices)
    layout = structure.layout
    classes = _choose_pictures(layout, kept, max(0, settings.max_pictures - kept.num_own))
    num_drawn = sum(map(len, classes.values()))
    doubts = find_doubts(classes, {name: [file.name for file, _ in layout.classes[name]] for name in classes})
    num_all = sum(len(layout.classes[name]) for name in classes) + sum(kept.listing.kept_back.values())
    left_out = tuple(_leave_out(classes, doubts, choices))
    reading = replace(
        _tell(structure, kept),
        left_out=(*layout.left_out, *left_out),
        drawn_of=num_all if num_all > num_drawn else 0,
        questions=(*layout.questions, *doubts),
        choices=choices,
    )
    used = {picture.origin for pictures in classes.values() for picture in pictures}
    return Collection(
        classes=_put_together(classes, kept),
        skipped=(*kept.skipped, *_skip_loose(layout, kept)),
        source=", ".join(kept.sources),
        reading=reading,
        unused=tuple(replace(kept.pictures[file], split=None) for file in sort_files(kept.pictures.keys() - used)),
        listing=kept.listing,
        store=kept.store,
    )


def _choose_pictures(layout: Layout, kept: Kept, limit: int) -> dict[str, list[Picture]]:
    """Return the pictures of each class that are drawn of those that were read; classes without one are left out."""
    drawn = {file for share, files in draw_files(layout, kept.pictures, limit) for file in files[:share]}
    classes = {
        name: [replace(kept.pictures[file], split=split) for file, split in placed if file in drawn]
        for name, placed in layout.classes.items()
    }
    return {name: pictures for name, pictures in classes.items() if pictures}


def _tell(structure: Structure, kept: Kept) -> Reading:
    layout = structure.layout
    return Reading(
        sources=kept.sources,
        folders=layout.folders,
        outer=layout.outer,
        labels=structure.labels,
        tables=tuple(each.table for each in kept.listing.labels.labellings),
        joined=layout.joined,
        flattened=layout.flattened,
        num_twins=layout.num_twins,
        obstacle=structure.obstacle,
    )


def _leave_out(classes: dict[str, list[Picture]], doubts: Sequence[Question], choices: Choices) -> Iterator[LeftOut]:
    """Take out of the classes what the visitor wants to leave out of what is asked about."""
    for each in doubts:
        if choices.answers.get(each.doubt) is not Answer.LEAVE_OUT:
            continue
        for name in each.subjects[1:] if each.doubt is Doubt.MASKS else each.subjects:
            pictures = classes.pop(name, [])
            gone = [one for one in pictures if is_blank(one)] if each.doubt is Doubt.BLANK else pictures
            if len(gone) < len(pictures):
                classes[name] = [one for one in pictures if not is_blank(one)]
            if gone:
                yield LeftOut(name, ClassChosenOut(), len(gone), gone[0].path)


def _skip_loose(layout: Layout, kept: Kept) -> Iterator[Skipped]:
    reason = EntryOutsideClass()
    for file in layout.loose:
        if file in kept.pictures:
            yield Skipped(file.path, reason, file.source)


def _put_together(classes: Mapping[str, Sequence[Picture]], kept: Kept) -> tuple[PictureClass, ...]:
    """Name the classes as the visitor has named them, and join those that he has joined and his own pictures."""
    pictures: dict[str, list[Picture]] = {}
    for name, each in classes.items():
        pictures.setdefault(kept.names.get(name, name), []).extend(each)
    spelt = {name.casefold(): name for name in pictures}
    for own in kept.own:
        pictures.setdefault(spelt.get(own.name.casefold(), own.name), []).extend(own.pictures)
    return tuple(PictureClass(name, tuple(each), is_on=name not in kept.off) for name, each in pictures.items())
