"""The files that zips and folders list, before any of them is read: where each lies, and what tells it apart."""

import re
import unicodedata
from dataclasses import dataclass, field

# What Windows, macOS, network drives and editors leave beside pictures; each of these names is in lower case.
_LITTER = {
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "__macosx",
    "$recycle.bin",
    "recycler",
    "system volume information",
    "@eadir",
    "#recycle",
    "#snapshot",
    "@recycle",
    "@recently-snapshot",
    "lost+found",
    "lost.dir",
    "__pycache__",
    "network trash folder",
    "temporary items",
    "picasa.ini",
    "zbthumbnail.info",
}
# Files that are no pictures, whatever their first bytes are: they are not opened to see.
_NEVER_PICTURES = (
    ".txt .md .rst .csv .tsv .json .jsonl .ndjson .xml .yaml .yml .toml .ini .cfg .names .data .log .html .htm .css "
    ".js .py .ipynb .pyc .r .m .mat .npy .npz .pkl .h5 .hdf5 .pt .pth .onnx .pb .tflite .tfrecord .parquet .arrow "
    ".sqlite .db .doc .docx .odt .rtf .xls .xlsx .ods .ppt .pptx .odp .pages .numbers .pdf .tex .bib "
    ".mov .mp4 .m4v .avi .mkv .webm .wmv .3gp .mpg .mpeg .mp3 .m4a .wav .ogg .flac "
    ".aae .xmp .lnk .url .exe .dll .sh .bat .tar .gz .tgz .bz2 .xz .7z .rar .cache .lock"
)
_SUFFIXES_OF_OTHERS = frozenset(_NEVER_PICTURES.split())
_NUMBERS = re.compile(r"(\d+)")
_MAX_FOLDERS = 32  # folders on the way to a file; what lies deeper counts as lying there


@dataclass(frozen=True)
class ListedFile:
    """A file of a zip or a folder.

    Attributes:
        source: Name of the zip.
        folders: The folders on the way to it, cleaned.
        name: Its own name, cleaned.
        mark: Its size in bytes and a checksum, by which copies are known before they are read.
        number: Its place in the zip's directory: two files may have the same name.
    """

    source: str
    folders: tuple[str, ...]
    name: str
    mark: tuple[int, int] = (0, 0)
    number: int = 0
    path: str = field(init=False, compare=False, repr=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "folders", self.folders[:_MAX_FOLDERS])
        object.__setattr__(self, "path", "/".join((*self.folders, self.name)))


def is_litter(part: str) -> bool:
    """Say whether a folder or a file is what systems and programs leave behind, and no visitor's own."""
    return part.startswith((".", "~$")) or part.lower() in _LITTER


def may_be_picture(name: str) -> bool:
    """Say whether a file may be a picture, as far as its name tells; its bytes decide."""
    _, dot, suffix = name.rpartition(".")
    return f"{dot}{suffix.lower()}" not in _SUFFIXES_OF_OTHERS


def fold(name: str) -> str:
    """Return a name without what tells no two folders apart: capitals, Unicode form, blanks and dots at its end."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return folded.strip().rstrip(" .\u3002\uff0e\u3000") or folded


def natural_key(text: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Return what sorts texts as people do: 2 before 10, and capitals beside small letters."""
    parts = enumerate(_NUMBERS.split(text.casefold()))
    key = ((0, int(part[:18]), "") if place % 2 else (1, 0, part) for place, part in parts if part)
    return tuple(key), text


def strip_zip_name(name: str) -> str:
    """Return what a zip's name says of its pictures, without what browsers, Drive and Teachable Machine add to it."""
    stem = re.sub(r"\.zip$", "", name.replace("\\", "/").rpartition("/")[2], flags=re.IGNORECASE)
    for pattern in (r" ?\(\d+\)$", r"-\d{8}T\d{6}Z-\d+(-\d+)?$", r"[-_ ]?samples?$", r" ?\(\d+\)$"):
        stem = re.sub(pattern, "", stem, flags=re.IGNORECASE) or stem
    return stem
