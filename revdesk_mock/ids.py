"""The only roller of dice: ids, tokens and choices, reproducible from a seed and a position."""

import math
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b, sha256


def fresh_seed() -> str:
    """Return a seed that nobody can guess, for a run that need not repeat."""
    return secrets.token_hex(16)


def random_key(prefix: str) -> str:
    """Return an API key that nobody can guess."""
    return prefix + secrets.token_hex(16)


def fingerprint(secret: str) -> str:
    """Return the SHA-256 of a key or token in hex: what is kept in its place."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def encode_cursor(position: int) -> str:
    """Write a list position as an opaque cursor."""
    return urlsafe_b64encode(b"p:%d" % position).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """Read a cursor back; raises ValueError on anything that `encode_cursor` did not write."""
    text = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
    # Written again it must be the same: base64 has many spellings, and only one was handed out.
    if not text.startswith(b"p:") or not text[2:].isdigit() or encode_cursor(int(text[2:])) != cursor:
        raise ValueError(f"{cursor!r} is not a cursor of this list")
    return int(text[2:])


class Dice:
    """A stream of random draws that depends on its seed and its position alone.

    The position is part of a world's dump, so that a restored world never repeats an id.
    """

    def __init__(self, seed: str, position: int = 0) -> None:
        self._key = sha256(seed.encode()).digest()
        self.position = position

    def hex(self, length: int = 32) -> str:
        """Draw `length` hex digits (at most 128)."""
        self.position += 1
        digest = blake2b(self.position.to_bytes(8, "big"), key=self._key, digest_size=(length + 1) // 2)
        return digest.hexdigest()[:length]

    def uuid(self) -> str:
        """Draw a version 4 UUID."""
        h = self.hex()
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) & 3]}{h[17:20]}-{h[20:]}"

    def integer(self, low: int, high: int) -> int:
        """Draw a whole number from `low` to `high`, both included."""
        return low + int(self.hex(16), 16) % (high - low + 1)

    def choice(self, items: Sequence[str]) -> str:
        """Draw one of the items."""
        return items[self.integer(0, len(items) - 1)]

    def fraction(self) -> float:
        """Draw a number between 0 and 1, neither included."""
        return (int(self.hex(13), 16) + 0.5) / 16**13

    def normal(self) -> float:
        """Draw from the standard normal distribution (Box-Muller)."""
        return math.sqrt(-2 * math.log(self.fraction())) * math.cos(2 * math.pi * self.fraction())
