"""Errors of requests that the server refuses."""

from typing import ClassVar

from demo.errors import DemoError, StartError
from demo.sentences import Plural


class RequestError(DemoError):
    """A request is refused before its content is read, with a status of HTTP."""

    status: ClassVar[int] = 400


class RequestTooLarge(RequestError):
    """A request has too many bytes."""

    status = 413
    limit: float
    message = "More than {limit:.0f} MB came at once. Send fewer or smaller files at a time."


class UploadTooSlow(RequestError):
    """An upload has stalled or is too slow."""

    status = 408
    message = "The upload was too slow and has been given up. Try again with a better connection or smaller files."


class UploadUnreadable(RequestError):
    """An upload is no form of files, or has too many files."""

    limit: int
    message = "The upload could not be read. Send at most {limit} files at a time, as a form of files."


class TooManyUploads(RequestError):
    """Too many uploads are running."""

    status = 503
    count: int
    message = Plural(
        one="{count} upload is under way. Please try again in a few seconds.",
        other="{count} uploads are under way. Please try again in a few seconds.",
    )


class DiskFull(RequestError):
    """The disk has no room for uploads."""

    status = 507
    message = "There is no room for uploads just now. Please try again in some minutes."


class UploadGone(RequestError):
    """An upload was deleted because it was read, or not read in time."""

    status = 410
    name: str
    message = '"{name}" is no longer here: an upload is deleted once it was read. Please upload it again.'


class FileNotSent(RequestError):
    """What a program gives for a file is none."""

    value: str
    message = (
        '"{value}" is no file that has come here. Upload the file first (POST /gradio_api/upload; agents: the tool '
        "upload) and send the path that comes back, or send the content as a data URL: data:image/jpeg;base64,..."
    )


class DataUrlUnreadable(RequestError):
    """A file is given as a data URL that cannot be decoded."""

    value: str
    message = (
        'The data URL "{value}" cannot be decoded. It has to be data:, the type of the file, ;base64, and then the '
        "whole content in base64."
    )


class BodyTooLarge(RequestError):
    """The body of a request, which is no upload, has too many bytes."""

    status = 413
    limit: float
    message = (
        "More than {limit:.0f} MB came in one request. Upload the file first (POST /gradio_api/upload; agents: in "
        "parts, by the tool upload) and send the path that comes back."
    )


class AddressRefused(RequestError):
    """A file is given by a web address."""

    address: str
    message = "Files are not fetched from addresses ({address}). Download the file and upload it."


class BodyUnreadable(RequestError):
    """The body of a request is no valid JSON."""

    message = "The request is no JSON that can be read."


class FieldNotFitting(RequestError):
    """A request says something impossible of its event: a function that there is not, a page without a name."""

    name: str
    value: str
    message = 'The request says {value} as "{name}", and that fits nothing here. Reload the page and try again.'


class ValuesNotFitting(RequestError):
    """A request has more or fewer values than its event takes."""

    count: int
    needed: int
    message = Plural(
        one="The request has {count} value, and what it asks for takes {needed}. Reload the page and try again.",
        other="The request has {count} values, and what it asks for takes {needed}. Reload the page and try again.",
    )


class ValueNotFitting(RequestError):
    """A value of an event is not of the kind that its component sends."""

    message = "This page sent something that does not fit, and nothing was changed. Reload the page and try again."


class EventOver(RequestError):
    """What a request wants to hear of, feed or end is not there."""

    status = 404
    message = "What this request asks about is over, or was never begun. Reload the page, or send the call again."


class TooManyPending(RequestError):
    """One visitor has too many requests open."""

    count: int
    message = Plural(
        one="{count} of your requests is still being answered. Wait for it before you ask again.",
        other="{count} of your requests are still being answered. Wait for them before you ask again.",
    )


class QueueFull(RequestError):
    """All visitors together have too many requests open."""

    count: int
    seconds: float
    message = Plural(
        one="{count} request of all visitors is waiting. Please try again in about {seconds:.0f} s.",
        other="{count} requests of all visitors are waiting. Please try again in about {seconds:.0f} s.",
    )


class ServerEnding(RequestError):
    """The server has been asked to end."""

    status = 503
    message = (
        "This server is being stopped: what was running ends, and nothing new begins. Please try again once it is "
        "back; an open page notices that by itself."
    )


class GradioDiffers(StartError):
    """The installed gradio lacks private names that the page relies on, or has new ones."""

    version: str
    difference: str
    tried: str
    message = "gradio {version} {difference}; use {tried}."
