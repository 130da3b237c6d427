"""What a file is that is no picture which is read: each continues a sentence that begins with the file."""

from demo.errors import DemoError


class FileNamed(DemoError):
    """How an error calls a file by its name."""

    name: str
    message = '"{name}"'


class FileMeant(DemoError):
    """How an error calls a file where a report has named it already."""

    message = "it"


class WhatItIs(DemoError):
    """What a file is in place of a picture, and what to do."""


class IsUnknown(WhatItIs):
    """A file is nothing that is known here."""

    message = "not a picture that can be read here. Use JPEG, PNG, WebP, GIF, BMP, AVIF, HEIC or TIFF"


class IsEmpty(WhatItIs):
    """A file has no bytes, or zeros alone, as downloads have that came to nothing."""

    message = "empty. Save or download it again"


class IsWebPage(WhatItIs):
    """A file is a web page, most often one that says that the picture is not there."""

    message = "a web page, not a picture. Download the picture itself"


class IsDrawing(WhatItIs):
    """A file is a drawing of lines."""

    message = "a drawing of lines (SVG) without pixels. Save it as PNG"


class IsSequence(WhatItIs):
    """A file is a series of HEIC pictures."""

    message = "a series of pictures (HEIC sequence). Save one of them as JPEG"


class IsUndecoded(WhatItIs):
    """A file is a HEIC picture, and the package that decodes those is not there."""

    message = (
        "a HEIC picture, and this server has no decoder for those (pillow-heif). Save it as JPEG; "
        "an iPhone takes JPEG if Settings, Camera, Formats says Most Compatible"
    )


class IsOtherPicture(WhatItIs):
    """A file is a picture in a format that is not read."""

    format: str
    message = "a {format} picture, which is not read here. Save it as JPEG or PNG"


class IsOddKind(WhatItIs):
    """A file is a picture in a format that is read, of a rare kind that is not."""

    format: str
    message = "a {format} picture of a rare kind that is not read here. Save it as JPEG or PNG"


class IsRaw(WhatItIs):
    """A file is the raw data of a camera's sensor."""

    message = "a raw photograph of a camera. Export it as JPEG"


class IsVideo(WhatItIs):
    """A file is a video."""

    message = "a video. Save one of its frames as JPEG or PNG"


class IsDocument(WhatItIs):
    """A file is a document."""

    format: str
    message = "a document ({format}), not a picture. Save the pictures in it as JPEG or PNG"


class IsArchive(WhatItIs):
    """A file is an archive."""

    message = "an archive, not a picture. Unpack it and use the pictures in it"


class IsText(WhatItIs):
    """A file is text."""

    message = "a text file, not a picture"
