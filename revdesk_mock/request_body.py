"""A request's body off the wire, up to the limit."""

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from revdesk_mock.json_body import MAX_BYTES

DRAINED = 15 * MAX_BYTES  # of an oversized body beyond the limit, so that its sender gets to read the answer


async def read_body(receive: Receive, limit: int = MAX_BYTES) -> bytes | None:
    """Return the body, or None where it is over the limit; raises ClientDisconnect where its sender is gone."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size <= limit:
            pieces.append(piece)
        if not message.get("more_body", False) or size > limit + DRAINED:
            return b"".join(pieces) if size <= limit else None
