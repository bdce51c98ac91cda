"""The public URL: where clients are told to reach the emulator, whatever address they came by."""

from urllib.parse import urlsplit

WANTED = "an address such as https://revdesk.example or http://127.0.0.1:8473/prefix"


def read(text: str) -> str:
    """Return a public URL without a slash at its end; raises ValueError for what cannot be one."""
    if not text.isascii() or not text.isprintable() or set(text) & set(' "<>\\'):
        raise ValueError(f"{text!r} has characters that no URL has; it takes {WANTED}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is no URL ({error}); it takes {WANTED}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} does not begin with http:// or https:// and a host; it takes {WANTED}")
    if parts.username is not None or port == 0 or set(text) & set("?#"):
        raise ValueError(f"{text!r} has a user, port 0, a query or a fragment; it takes {WANTED}")
    return text.rstrip("/")
