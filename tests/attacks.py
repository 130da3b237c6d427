"""Files that mean harm, made here, so that no bomb lies in the repository: pictures and archives.

Each attack says how it has to end: by the named error, or read and harmless (`expected` is None).
"""

import io
import stat
import struct
import sys
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from demo.data.archives import iter_archive
from demo.data.errors import (
    ArchiveDamaged,
    ArchiveEncrypted,
    EntryDamaged,
    EntryError,
    EntryInflated,
    EntryMethodUnknown,
    EntryUnsupported,
    ImageBytesExceeded,
    ImageDamaged,
    ImageTooLarge,
    NotAnImage,
    NotAZip,
    TooManyEntries,
    UnpackedBytesExceeded,
)
from demo.data.images import read_image
from demo.errors import DemoError
from demo.settings import Settings
from tests.pictures import encode, noise, png

UNIX = 3
SETTINGS = Settings()

Outcome = DemoError | None


@dataclass(frozen=True)
class Attack:
    """A file, and how reading it has to end."""

    make: Callable[[], bytes]
    expected: type[DemoError] | None = None


def try_picture(content: bytes, settings: Settings = SETTINGS) -> Outcome:
    """Read a picture; return the error that refuses it."""
    try:
        read_image(content, settings, name="attack")
    except DemoError as error:
        return error
    return None


def try_zip(path: Path, settings: Settings = SETTINGS) -> Outcome:
    """Read a zip and the pictures in it; return the first error that refuses it or a part of it."""
    try:
        for entry in iter_archive(path, settings):
            if isinstance(entry.content, EntryError):
                return entry.content
            read_image(entry.content, settings, name=entry.name)
    except DemoError as error:
        return error
    return None


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def make_png(
    size: tuple[int, int], depth: int, colour: int, pixels: bytes, *, before: bytes = b"", interlaced: bool = False
) -> bytes:
    """Write a PNG whose filtered rows are `pixels`, with other chunks before them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced))
    return b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def png_with(before: bytes) -> bytes:
    """Write one red pixel with other chunks before it."""
    return make_png((1, 1), 8, 2, b"\0\xff\0\0", before=before)


def png_of_one_bit(side_px: int) -> bytes:
    return make_png((side_px, side_px), 1, 0, bytes((1 + -(-side_px // 8)) * side_px))


def gif(canvas: tuple[int, int], frame: tuple[int, int] = (1, 1), *, extensions: bytes = b"") -> bytes:
    """Write a GIF by hand: its canvas and its only frame may be of any size, the pixels are for one."""
    screen = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return screen + extensions + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\0;"


def jpeg_of(width: int, height: int) -> bytes:
    """Write a JPEG whose header lies about its size."""
    content = bytearray(encode(noise(0, (16, 16)), "JPEG"))
    struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, height, width)
    return bytes(content)


def jpeg_with(segments: bytes) -> bytes:
    """Write a JPEG with segments before all others; without JFIF's, Pillow looks for the resolution in EXIF's."""
    content = encode(noise(0, (16, 16)), "JPEG")
    return content[:2] + segments + content[20:]


def jpeg_of_scans(count: int) -> bytes:
    """Write a progressive JPEG that goes over its pixels again and again."""
    buffer = io.BytesIO()
    Image.new("RGB", (4000, 4000)).save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * count + content[-2:]


def webp(width: int, height: int) -> bytes:
    """Write an animation of one small frame on a canvas of any size."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = encode(noise(0, (16, 16)), "WEBP")[12:]
    place = bytes(6) + (15).to_bytes(3, "little") * 2 + b"\x64\0\0\0"
    parts = ((b"VP8X", b"\2\0\0\0" + size), (b"ANIM", bytes(6)), (b"ANMF", place + frame))
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data for kind, data in parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_of(width: int, height: int) -> bytes:
    """Write a lossless WebP of which nothing but the size can be read."""
    bits = 0x2F | (width - 1) << 8 | (height - 1) << 22
    return b"RIFF" + struct.pack("<I4s4sI", 20, b"WEBP", b"VP8L", 8) + bits.to_bytes(5, "little") + bytes(3)


def bmp(width: int, height: int, compression: int = 0) -> bytes:
    """Write a BMP of which nothing but the size can be read."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, compression, 4, 1, 1, 256, 0) + bytes(1024)
    return struct.pack("<2sIHHI", b"BM", 14 + len(info) + 4, 0, 0, 14 + len(info)) + info + bytes(4)


def avif_of(width: int, height: int) -> bytes:
    content = bytearray(encode(noise(0, (16, 16)), "AVIF"))
    struct.pack_into(">II", content, content.index(b"ispe") + 8, width, height)
    return bytes(content)


def exif_bomb(num_entries: int, num_bytes: int, orientation: int = 1) -> bytes:
    """Return EXIF data all of whose entries lie at the same place: taken apart they are as large as all together."""
    entries = [struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)]
    entries += [struct.pack("<HHII", 0x9000 + each, 7, num_bytes, 8) for each in range(num_entries)]
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return (b"II*\0" + struct.pack("<I", 8) + directory).ljust(8 + num_bytes, b"\0")


def with_exif(image_format: str, exif: bytes) -> bytes:
    """Write a picture with EXIF data; into an AVIF, for which Pillow looks at them first, they are swapped in later."""
    image, buffer = noise(0, (16, 16)), io.BytesIO()
    if image_format != "AVIF":
        image.save(buffer, image_format, exif=b"Exif\0\0" + exif)
        return buffer.getvalue()
    entry = struct.pack("<HHII", 0x9000, 7, len(exif) - 26, 26)
    plain = (b"II*\0\x08\0\0\0\1\0" + entry).ljust(len(exif), b"\0")
    image.save(buffer, image_format, exif=plain)
    return buffer.getvalue().replace(plain, exif)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


BIG_TEXT = zlib.compress(bytes(1_000_000))
FLOOD = 1_000_000  # pieces of nothing

PICTURES: dict[str, Attack] = {
    "PNG of 13,300 x 13,300 in 1 bit": Attack(lambda: png_of_one_bit(13_300), ImageTooLarge),
    "PNG header of 60,000 x 60,000": Attack(lambda: make_png((60_000, 60_000), 8, 6, b""), ImageTooLarge),
    "PNG header of 2^31 - 1": Attack(lambda: make_png((2**31 - 1, 2**31 - 1), 16, 6, b""), ImageTooLarge),
    "GIF canvas of 65,535 x 65,535": Attack(lambda: gif((65_535, 65_535)), ImageTooLarge),
    "GIF frame larger than its canvas": Attack(lambda: gif((1, 1), (65_535, 65_535)), ImageTooLarge),
    "JPEG header of 65,500 x 65,500": Attack(lambda: jpeg_of(65_500, 65_500), ImageTooLarge),
    "JPEG header of 65,500 x 1": Attack(lambda: jpeg_of(65_500, 1), ImageTooLarge),
    "WebP canvas of 16,383 x 16,383": Attack(lambda: webp(16_383, 16_383), ImageTooLarge),
    "WebP canvas of 2^24 x 2^24": Attack(lambda: webp(2**24, 2**24), ImageDamaged),
    "WebP header of 16,383 x 16,383": Attack(lambda: webp_of(16_383, 16_383), ImageTooLarge),
    "BMP header of 2^31 - 1": Attack(lambda: bmp(2**31 - 1, 2**31 - 1), ImageTooLarge),
    "BMP header of 30,000 x -30,000": Attack(lambda: bmp(30_000, -30_000), ImageTooLarge),
    "BMP of runs, 20,001 x 2": Attack(lambda: bmp(20_001, 2, 1), ImageTooLarge),
    "AVIF header of 65,536 x 65,536": Attack(lambda: avif_of(65_536, 65_536), ImageDamaged),
    "zTXt chunks that unpack to 70 MB": Attack(
        lambda: png_with(chunk(b"zTXt", b"a\0\0" + BIG_TEXT) * 70), ImageDamaged
    ),
    "a zTXt chunk that unpacks to 45 MB": Attack(
        lambda: png_with(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(45_000_000)))), ImageDamaged
    ),
    "an iTXt chunk that unpacks to 45 MB": Attack(
        lambda: png_with(chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(45_000_000)))), ImageDamaged
    ),
    "a colour profile that unpacks to 45 MB": Attack(
        lambda: png_with(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(45_000_000)))), ImageDamaged
    ),
    "one pixel that unpacks to 45 MB": Attack(lambda: make_png((1, 1), 8, 2, bytes(45_000_000))),
    "EXIF bomb in a PNG": Attack(lambda: with_exif("PNG", exif_bomb(20_000, 300_000))),
    "EXIF bomb in a WebP": Attack(lambda: with_exif("WEBP", exif_bomb(20_000, 300_000))),
    "EXIF bomb in a JPEG": Attack(lambda: jpeg_with(segment(0xE1, b"Exif\0\0" + exif_bomb(5_000, 65_000)))),
    "EXIF bomb in two segments of a JPEG": Attack(
        lambda: jpeg_with(segment(0xE1, b"Exif\0\0" + exif_bomb(5_000, 65_000)) + segment(0xE1, b"Exif\0\0" + bytes(9)))
    ),
    "EXIF bomb in an AVIF": Attack(lambda: with_exif("AVIF", exif_bomb(20_000, 300_000))),
    "MPF bomb in a JPEG": Attack(lambda: jpeg_with(segment(0xE2, b"MPF\0" + exif_bomb(5_000, 65_000)))),
    "GIF of a million empty comments": Attack(lambda: gif((1, 1), extensions=b"!\xfe\1a\0" * FLOOD), ImageDamaged),
    "GIF of one comment in a million parts": Attack(
        lambda: gif((1, 1), extensions=b"!\xfe" + b"\1a" * FLOOD + b"\0"), ImageDamaged
    ),
    "PNG of a million chunks": Attack(lambda: png_with(chunk(b"abCd", b"") * FLOOD), ImageDamaged),
    "PNG of a million texts": Attack(lambda: png_with(chunk(b"tEXt", b"a\0") * FLOOD), ImageDamaged),
    "PNG of a million parts": Attack(lambda: png_with(chunk(b"IDAT", b"") * FLOOD), ImageDamaged),
    "JPEG of a million comments": Attack(lambda: jpeg_with(segment(0xFE, b"") * FLOOD), ImageDamaged),
    "JPEG of a million filling bytes": Attack(lambda: jpeg_with(b"\xff" * FLOOD), ImageDamaged),
    "JPEG of 1,000 scans": Attack(lambda: jpeg_of_scans(1000), ImageDamaged),
    "more bytes than a picture may have": Attack(lambda: png() + bytes(15_000_000), ImageBytesExceeded),
    "picture that is a web page": Attack(lambda: b"<html><script>alert(1)</script></html>", NotAnImage),
    "SVG that includes itself": Attack(
        lambda: b'<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;">]><svg><image href="file:///etc/passwd"/></svg>',
        NotAnImage,
    ),
    "PostScript": Attack(lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/tmp/x) (w) file", NotAnImage),
    "drawing commands of ImageMagick": Attack(lambda: b"push graphic-context\nimage over 0,0 0,0 'msl:x'", NotAnImage),
    "TIFF": Attack(lambda: encode(noise(0), "TIFF")),
    "picture that is a zip as well": Attack(lambda: png() + pack([Raw(b"a.png", png())])),
}

# Archives


@dataclass(frozen=True)
class Raw:
    """One entry of a zip, every word of which may be a lie; what is None is told as it is."""

    name: bytes
    content: bytes  # as it lies in the file
    method: int = 0
    flags: int = 0
    checksum: int | None = None
    size: int | None = None
    packed_size: int | None = None
    offset: int | None = None
    attributes: int = 0
    system: int = UNIX
    extra: bytes = b""
    local_name: bytes | None = None

    @classmethod
    def deflated(cls, name: bytes, content: bytes, **lies: Any) -> "Raw":
        told: dict[str, Any] = {"method": 8, "size": len(content), "checksum": zlib.crc32(content)}
        return cls(name, deflate(content), **told | lies)

    def header(self, offset: int | None = None) -> bytes:
        """Return the header of the directory, or the one before the content where no offset is given."""
        name = self.name if offset is not None or self.local_name is None else self.local_name
        packed_size = len(self.content) if self.packed_size is None else self.packed_size
        size = packed_size if self.size is None else self.size
        checksum = zlib.crc32(self.content) if self.checksum is None else self.checksum
        words = (self.flags, self.method, 0, 33, checksum, packed_size, size, len(name), len(self.extra))
        if offset is None:
            return struct.pack("<4s5H3I2H", b"PK\3\4", 20, *words) + name + self.extra
        where = (0, 0, 0, self.attributes, offset if self.offset is None else self.offset)
        fixed = struct.pack("<4sBBH4H3I2H", b"PK\1\2", 20, self.system, 20, *words)
        return fixed + struct.pack("<HHHII", *where) + name + self.extra


@dataclass(frozen=True)
class End:
    """What the end of a zip says of its directory; what is None is told as it is."""

    count: int | None = None
    num_bytes: int | None = None
    place: int | None = None
    comment: bytes = b""
    count_64: int | None = None  # with a record of zip64 that says so
    num_bytes_64: int | None = None
    record_at: int | None = None  # where the locator says that the record lies


def deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def pack(entries: Iterable[Raw], end: End | None = None) -> bytes:
    """Write a zip as it is told."""
    body, directory, count = bytearray(), bytearray(), 0
    for entry in entries:
        directory += entry.header(len(body))
        body += entry.header() + entry.content
        count += 1
    return bytes(body) + bytes(directory) + pack_end(count, len(directory), len(body), end or End())


def pack_end(count: int, num_bytes: int, place: int, end: End) -> bytes:
    def told(lie: int | None, truth: int) -> int:
        return truth if lie is None else lie

    packed = b""
    if end.count_64 is not None or end.num_bytes_64 is not None:
        count_64, num_bytes_64 = told(end.count_64, count), told(end.num_bytes_64, num_bytes)
        packed += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count_64, count_64, num_bytes_64, place)
        packed += struct.pack("<4sLQL", b"PK\6\7", 0, told(end.record_at, place + num_bytes), 1)
    counts = (min(told(end.count, count), 0xFFFF),) * 2
    sizes = told(end.num_bytes, num_bytes), told(end.place, place)
    return packed + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *counts, *sizes, len(end.comment)) + end.comment


def overlapping(count: int, size: int) -> bytes:
    """Return a zip whose files are all the same bytes."""
    kernel = Raw.deflated(b"a.png", bytes(size))
    return pack([kernel, *(Raw.deflated(b"%d.png" % each, bytes(size), offset=0) for each in range(count))])


def quoting(count: int, size: int) -> bytes:
    """Return a zip of which each file quotes the header of the next one and goes on into its data.

    Source:
        Fifield 2019, "A better zip bomb", https://www.usenix.org/conference/woot19/presentation/fifield
    """
    kernel, plain = deflate(bytes(size)), bytes(size)
    body = Raw(name := b"%06d.png" % count, kernel, 8, 0, zlib.crc32(plain), size).header() + kernel
    offsets = [(name, 0, len(kernel), size, zlib.crc32(plain))]
    for each in reversed(range(count)):
        header = body[: 37 + 3]
        plain = header + plain
        quote = b"\0" + struct.pack("<HH", len(header), len(header) ^ 0xFFFF)
        stream_bytes = offsets[-1][2] + len(quote) + len(header)
        name = b"%06d.png" % each
        words = Raw(name, b"", 8, 0, zlib.crc32(plain), len(plain), stream_bytes)
        body = words.header() + quote + body
        offsets.append((name, len(words.header()) + len(quote), stream_bytes, len(plain), zlib.crc32(plain)))
    directory, place = b"", 0
    for name, step, packed_size, full_size, checksum in reversed(offsets):
        directory += Raw(name, b"", 8, 0, checksum, full_size, packed_size).header(place)
        place += step
    return body + directory + pack_end(count + 1, len(directory), len(body), End())


def many_entries(count: int, end: End | None = None) -> bytes:
    """Return a zip with a directory of so many entries and nothing else."""
    directory = Raw(b"a", b"").header(0) * count
    return b"PK\3\4" + bytes(30) + directory + pack_end(count, len(directory), 34, end or End())


def nested(depth: int) -> bytes:
    content = bytes(10_000_000)
    for _ in range(depth):
        content = pack([Raw.deflated(b"%d.zip" % number, content) for number in range(3)])
    return content


def copies(count: int, content: bytes, suffix: str = "png") -> bytes:
    """Return a zip of files that are the same and do not overlap."""
    packed = Raw.deflated(b"", content)
    return pack([replace(packed, name=f"{each}.{suffix}".encode()) for each in range(count)])


def patient() -> bytes:
    """Return what grows by less than is looked at."""
    return (noise(0, (40, 40)).tobytes() + bytes(700_000)) * 19


ZIP_64_SIZES = struct.pack("<HHQQQ", 1, 24, 7, 7, 2**63)  # an extra field: size, packed size, offset

ARCHIVES: dict[str, Attack] = {
    "one file of 14 MB in 14 kB": Attack(lambda: copies(1, bytes(14_000_000)), EntryInflated),
    "sixteen of them": Attack(lambda: copies(16, bytes(15_000_000)), EntryInflated),
    "twenty of them": Attack(lambda: copies(20, bytes(15_000_000)), UnpackedBytesExceeded),
    "sixteen that are called BMP": Attack(lambda: copies(16, bytes(15_000_000), "bmp"), NotAnImage),
    "eighteen that grow by less": Attack(lambda: copies(18, patient()), NotAnImage),
    "a thousand files in the same bytes": Attack(lambda: overlapping(1_000, 100_000), ArchiveDamaged),
    "a thousand files that quote each other": Attack(lambda: quoting(1_000, 100_000), ArchiveDamaged),
    "zips in zips in zips": Attack(lambda: nested(3), NotAnImage),
    "60,000 entries": Attack(lambda: many_entries(60_000), TooManyEntries),
    "60,000 entries that say they are one": Attack(lambda: many_entries(60_000, End(count=1)), TooManyEntries),
    "21,000 short entries that say they are one": Attack(lambda: many_entries(21_000, End(count=1)), TooManyEntries),
    "60,000 entries behind a record of zip64": Attack(
        lambda: many_entries(60_000, End(count=1, num_bytes=0, count_64=1)), TooManyEntries
    ),
    "60,000 entries behind a locator that lies": Attack(
        lambda: many_entries(60_000, End(count=1, num_bytes=0, count_64=1, record_at=0)), TooManyEntries
    ),
    "zip64 with 2^64 - 1 entries": Attack(lambda: pack([Raw(b"a", b"")], End(count_64=2**64 - 1)), TooManyEntries),
    "zip64 with a directory of 2^64 - 1 bytes": Attack(
        lambda: pack([Raw(b"a", b"")], End(num_bytes_64=2**64 - 1)), TooManyEntries
    ),
    "zip64 with a directory of no bytes": Attack(lambda: pack([Raw(b"a.png", b"a")], End(num_bytes_64=0)), None),
    "a size that is too small": Attack(lambda: pack([Raw.deflated(b"a.png", bytes(9_999_999), size=9)]), EntryDamaged),
    "a size of 4 GB": Attack(lambda: pack([Raw(b"a.png", png(), size=2**32 - 2)]), UnpackedBytesExceeded),
    "a size that is longer than the file": Attack(
        lambda: pack([Raw(b"a.png", b"a", size=10_000_000, packed_size=10_000_000)]), EntryDamaged
    ),
    "a header beyond the end of the file": Attack(lambda: pack([Raw(b"a.png", b"a", offset=2**31)]), EntryDamaged),
    "a header in the last bytes of the file": Attack(lambda: pack([Raw(b"a.png", b"a", offset=100)]), EntryDamaged),
    "a header at 2^63": Attack(
        lambda: pack(
            [Raw(b"a.png", b"a", extra=ZIP_64_SIZES, size=2**32 - 1, packed_size=2**32 - 1, offset=2**32 - 1)]
        ),
        EntryDamaged,
    ),
    "another name before the content": Attack(
        lambda: pack([Raw(b"a.png", b"a", flags=0x800, local_name=b"\xff.png")]), EntryDamaged
    ),
    "sizes that come after the content": Attack(lambda: pack([Raw.deflated(b"a.png", png(), flags=8)])),
    "a name that is no UTF-8 and says so": Attack(lambda: pack([Raw(b"\xff.png", b"a", flags=0x800)]), ArchiveDamaged),
    "an extra field that is longer than it is": Attack(
        lambda: pack([Raw(b"a.png", b"a", extra=b"\1\0\xff\xff")]), ArchiveDamaged
    ),
    "names in an extra field that is cut off": Attack(
        lambda: pack([Raw(b"\x82.png", png(), extra=b"up\1\0\1")]),
        ArchiveDamaged if sys.version_info >= (3, 12) else None,  # zipfile itself reads that field since
    ),
    "a link": Attack(lambda: pack([Raw(b"a.png", b"/etc/passwd", attributes=stat.S_IFLNK << 16)]), EntryUnsupported),
    "a device": Attack(lambda: pack([Raw(b"a.png", b"", attributes=stat.S_IFBLK << 16)]), EntryUnsupported),
    "a pipe": Attack(lambda: pack([Raw(b"a.png", b"", attributes=stat.S_IFIFO << 16)]), EntryUnsupported),
    "a password": Attack(lambda: pack([Raw(b"a.png", bytes(20), flags=1)]), ArchiveEncrypted),
    "a strong password": Attack(lambda: pack([Raw(b"a.png", bytes(20), flags=0x41)]), ArchiveEncrypted),
    "a password of WinZip": Attack(lambda: pack([Raw(b"a.png", bytes(20), method=99)]), ArchiveEncrypted),
    "Deflate64": Attack(lambda: pack([Raw(b"a.png", b"a", method=9)]), EntryMethodUnknown),
    "a method that does not exist": Attack(lambda: pack([Raw(b"a.png", b"a", method=77)]), EntryMethodUnknown),
    "cut in the content": Attack(lambda: pack([Raw(b"a.png", bytes(1000))])[:500], ArchiveDamaged),
    "cut in the directory": Attack(lambda: pack([Raw(b"a.png", bytes(1000))])[:-40], ArchiveDamaged),
    "cut in the end": Attack(lambda: pack([Raw(b"a.png", bytes(1000))])[:-4], NotAZip),
    "a name that takes long to compose": Attack(
        lambda: pack([Raw(("a" + "\u0301\u0316" * 16_000).encode() + b"/a.png", png(), flags=0x800)])
    ),
    "a name that a zero cuts off": Attack(lambda: pack([Raw(b"a/1.png\0.exe", png())])),
    "a name of 65,535 zeros": Attack(lambda: pack([Raw(bytes(65_535), png())])),
    "500 pictures of 13,300 x 13,300": Attack(
        lambda: pack([Raw(b"%d.png" % each, content) for content in [png_of_one_bit(13_300)] for each in range(500)]),
        ImageTooLarge,
    ),
}

# The names of folders, each of which becomes a class, with what may be left of it.
NAMES: dict[str, str] = {
    "../../../etc": "etc",
    "/absolute": "absolute",
    "..\\..\\windows": "windows",
    "C:\\Windows": "Windows",
    "\\\\server\\share": "server",
    "<script>alert(1)</script>": "<script>alert(1)<",
    "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "&lt;b&gt;": "&lt;b&gt;",
    "right\u202eleft": "rightleft",
    "\u2066isolated\u2069": "isolated",
    "zero\u200bwidth": "zerowidth",
    "\x1b[31mred\x07": "[31mred",
    "two\r\nlines": "twolines",
    "line\u2028separator": "lineseparator",
    "$mathtext_{$": "$mathtext_{$",
    "$x^_$": "$x^_$",
    "=1+1": "=1+1",
    '=HYPERLINK("x")': '=HYPERLINK("x")',
    "@SUM(A1)": "@SUM(A1)",
    "-2+3": "-2+3",
    "L" * 10_000: "L" * 40,
    "\U0001f98a" * 50: "\U0001f98a" * 40,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467": "\U0001f468\U0001f469\U0001f467",
    "CON": "CON",
    "nul": "nul",
    "__proto__": "__proto__",
    "{class_name}": "{class_name}",
    "%s%n": "%s%n",
    "'; DROP TABLE classes; --": "'; DROP TABLE classes; --",
    "e\u0301" * 3: "\u00e9" * 3,
}


def zip_of_name(name: str) -> bytes:
    """Return a zip with a picture in a folder of that name, and one in another, so that each is a class."""
    paths = [f"{name}/1.png".encode(), b"other/1.png"]
    return pack([Raw(path, png(), flags=0x800) for path in paths])


# Heads
