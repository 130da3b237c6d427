"""Keepsakes: copies of visitors' heads that their own browsers keep, and how the server knows them again.

A keepsake is a line with the seal, a line with the manifest, and the head's file. The seal is made with a key of the
server over all that follows it, and the manifest names its owner by a digest of a secret that only the visitor's tab
has. Nothing of a keepsake stays here but that digest, and the number of the owner's newest one.
"""

import hashlib
import hmac
import re
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from demo.models.head import Head
from demo.models.head_metadata import read_json, to_json
from demo.models.headfile import write_head
from demo.models.zoo import find_spec
from demo.settings import MEGABYTE
from demo.visitors.errors import KeepsakeAltered, KeepsakeForeign, KeepsakeOlder, KeepsakeUnreadable
from demo.visitors.session import Session

MAX_BYTES = 40 * MEGABYTE  # of a head that is kept: all the layers that a visitor of a public page may train
_MAX_MANIFEST_BYTES = 8_000  # twenty names of classes, however they are written, take less
_MAX_OWNERS = 10_000  # whose newest number is known; beyond, those longest unseen are treated as after a restart
_LAST = 2**53  # largest number that a browser counts to
_SECRET = re.compile(r"[0-9a-f]{32}")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Manifest:
    """What is told of a keepsake: the how manyth head of its owner it is, and by which key it was sealed."""

    number: int
    owner: str
    key: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A keepsake that belongs to who brought it.

    `is_sealed` if this server has made it, as its seal shows. Otherwise another server has, or this one with a key
    that it no longer has, and of its content nothing is known.
    """

    manifest: Manifest
    content: bytes
    is_sealed: bool


@dataclass(frozen=True)
class _Last:
    """What was sealed last for a session: which head, whose, and under which number."""

    head: weakref.ref[Head]
    manifest: Manifest


class Keepsakes:
    """Making and opening of keepsakes.

    Args:
        find_key: Returns the server's key; asked for once, when the first keepsake is made or opened.
    """

    def __init__(self, find_key: Callable[[], bytes]) -> None:
        self._find_key = find_key
        self._lock = threading.Lock()
        self._newest: OrderedDict[str, int] = OrderedDict()  # numbers, by owner
        self._last: weakref.WeakKeyDictionary[Session, _Last] = weakref.WeakKeyDictionary()

    def make(self, session: Session, secret: str, *, known: int = 0) -> bytes | None:
        """Return the keepsake of a session's head.

        Whatever was made before for the same owner and another head is older from now on, and is not taken any more;
        so it is where there is no head any more.

        Args:
            session: Whose head.
            secret: What only the visitor's browser knows: 32 hexadecimal digits.
            known: The number of the keepsake that the browser has; 0 for none.

        Returns:
            The keepsake; nothing (`b""`) if the browser has it; None if there is no head, or one of over MAX_BYTES.

        Raises:
            KeepsakeUnreadable: If the secret is none.
        """
        owner, head = _owner_of(secret), session.state.head
        if head is None or head.num_bytes > MAX_BYTES:
            self._outdate(session)
            return None
        manifest = self._count(session, head, owner)
        if manifest.number == known:
            return b""
        return self._seal(manifest, write_head(head, find_spec(head.backbone_name)))

    def open(self, keepsake: bytes, secret: str) -> Opened:
        """Open a keepsake that a visitor brings back.

        Args:
            keepsake: Untrusted bytes.
            secret: What only the owner's browser knows.

        Raises:
            KeepsakeUnreadable: If it is none.
            KeepsakeForeign: If it belongs to another visitor.
            KeepsakeAltered: If it says that this server has sealed it as it is, which is not so.
            KeepsakeOlder: If its owner has forgotten it, or has had another head since.
        """
        seal, manifest, content = _split(keepsake)
        if not hmac.compare_digest(manifest.owner, _owner_of(secret)):
            raise KeepsakeForeign()
        is_sealed = manifest.key == self._key_name
        if is_sealed and not hmac.compare_digest(seal, self._sign(keepsake[len(seal) + 1 :])):
            raise KeepsakeAltered()
        with self._lock:
            if manifest.number < self._newest.get(manifest.owner, 0):
                raise KeepsakeOlder()
        return Opened(manifest, content, is_sealed)

    def accept(self, manifest: Manifest) -> None:
        """Note that a keepsake was taken back: no older one is from now on."""
        with self._lock:
            self._note(manifest.owner, max(manifest.number, self._newest.get(manifest.owner, 0)))

    def forget(self, secret: str) -> None:
        """Take none of an owner's keepsakes any more.

        Raises:
            KeepsakeUnreadable: If the secret is none.
        """
        owner = _owner_of(secret)
        with self._lock:
            self._note(owner, _LAST)

    def forget_session(self, session: Session) -> None:
        """Take no keepsake any more that was made for the owner of a session's."""
        with self._lock:
            last = self._last.pop(session, None)
            if last is not None:
                self._note(last.manifest.owner, _LAST)

    def _count(self, session: Session, head: Head, owner: str) -> Manifest:
        """Return the manifest of a head: the one that it had, or one with the next number."""
        with self._lock:
            last = self._last.get(session)
            if last is not None and last.head() is head and last.manifest.owner == owner:
                return last.manifest
            number = self._newest.get(owner, 0) + 1
            manifest = Manifest(number, owner, self._key_name, head.class_names)
            self._note(owner, number)
            self._last[session] = _Last(weakref.ref(head), manifest)
            return manifest

    def _outdate(self, session: Session) -> None:
        """Note that the head of which there was a keepsake is gone."""
        with self._lock:
            last = self._last.pop(session, None)
            if last is not None:
                self._note(last.manifest.owner, self._newest.get(last.manifest.owner, 0) + 1)

    def _note(self, owner: str, number: int) -> None:
        self._newest[owner] = number
        self._newest.move_to_end(owner)
        while len(self._newest) > _MAX_OWNERS:
            self._newest.popitem(last=False)

    def _seal(self, manifest: Manifest, content: bytes) -> bytes:
        told = to_json(vars(manifest)).encode() + b"\n" + content
        return self._sign(told).encode() + b"\n" + told

    def _sign(self, told: bytes) -> str:
        return hmac.new(self._key, told, hashlib.sha256).hexdigest()

    @cached_property
    def _key(self) -> bytes:
        return self._find_key()

    @cached_property
    def _key_name(self) -> str:
        """The name of the key, from which it cannot be told."""
        return hashlib.sha256(b"name of a key\n" + self._key).hexdigest()[:16]


def _owner_of(secret: str) -> str:
    """Return the name of a secret's owner, from which the secret cannot be told."""
    if not _SECRET.fullmatch(secret):
        raise KeepsakeUnreadable()
    return hashlib.sha256(b"owner of a head\n" + secret.encode()).hexdigest()


def _split(keepsake: bytes) -> tuple[str, Manifest, bytes]:
    """Return the parts of untrusted bytes that should be a keepsake."""
    seal, _, rest = keepsake[: 64 + 1 + _MAX_MANIFEST_BYTES].partition(b"\n")
    told, end, _ = rest.partition(b"\n")
    text = seal.decode("ascii", "replace")
    if not end or not _HEX.fullmatch(text):
        raise KeepsakeUnreadable()
    return text, _read_manifest(told), keepsake[len(seal) + len(told) + 2 :]


def _read_manifest(told: bytes) -> Manifest:
    fields = read_json(told, "manifest", dict)
    match fields:
        case {"number": int(number), "owner": str(owner), "key": str(key), "classes": [*_], **more} if not more:
            if not isinstance(number, bool) and 0 < number < _LAST and owner.isascii():
                return Manifest(number, owner, key)
    raise KeepsakeUnreadable()
