"""A public key file, read packet by packet (RFC 4880 §4.2, §12.2).

gpgv trusts every key in the file that it is given. A file that came with the data it is to verify must
therefore be looked at first: one key, and nothing beside it that could sign. Read here rather than by gpg, so
that an auditor needs gpgv only.
"""

import hashlib
from collections.abc import Iterator

_SIGNATURE, _PUBLIC_KEY, _USER_ID = 2, 6, 13
_NEW_FORMAT = 0x40


class MalformedError(ValueError):
    """Not a file with exactly one plain public key."""


def fingerprint(content: bytes) -> str:
    """The 40 hexadecimal digits of the one version 4 key in the file; raises MalformedError otherwise."""
    found = list(_packets(content))
    if [tag for tag, _body in found[:1]] != [_PUBLIC_KEY]:
        raise MalformedError("it does not begin with a public key")
    other = sorted({tag for tag, _body in found[1:]} - {_SIGNATURE, _USER_ID})
    if other:
        raise MalformedError(f"it holds more than one plain key (packets {', '.join(map(str, other))})")
    body = found[0][1]
    if body[:1] != b"\x04":
        raise MalformedError("not a version 4 key")
    framed = b"\x99" + len(body).to_bytes(2, "big") + body
    return hashlib.sha1(framed, usedforsecurity=False).hexdigest().upper()


def _packets(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of each packet."""
    position = 0
    while position < len(content):
        head = content[position]
        if not head & 0x80:
            raise MalformedError("not OpenPGP packets (an armored file has to be dearmored)")
        new = head & _NEW_FORMAT
        tag = head & 0x3F if new else (head >> 2) & 0x0F
        start, size = (_new_length if new else _old_length)(content, position)
        if start + size > len(content):
            raise MalformedError("it is cut off")
        yield tag, content[start : start + size]
        position = start + size


def _old_length(content: bytes, position: int) -> tuple[int, int]:
    octets = {0: 1, 1: 2, 2: 4}.get(content[position] & 0x03)
    if octets is None:
        raise MalformedError("a packet of indeterminate length")
    start = position + 1 + octets
    return start, int.from_bytes(content[position + 1 : start], "big")


def _new_length(content: bytes, position: int) -> tuple[int, int]:
    octets = content[position + 1 : position + 6]
    if not octets:
        raise MalformedError("it is cut off")
    if octets[0] < 192:
        return position + 2, octets[0]
    if octets[0] < 224 and len(octets) > 1:
        return position + 3, ((octets[0] - 192) << 8) + octets[1] + 192
    if octets[0] == 255:
        return position + 6, int.from_bytes(octets[1:5], "big")
    raise MalformedError("a packet of partial length")
