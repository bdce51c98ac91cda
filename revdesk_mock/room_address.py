"""Where rooms are reached: the name of a call's room, and the address that clients are told to join at."""

from collections.abc import Mapping
from typing import Any


def of(base_url: str, scheme: str) -> str:
    """Return the room URL beside a base URL: `ws://host` or `http://host`, secure where the base is."""
    protocol, _, host = base_url.partition("://")
    return f"{scheme}{'s' if protocol == 'https' else ''}://{host}"


def name_of(call: Mapping[str, Any]) -> str:
    """Return the name of a call's room. A call that was placed without one has its own name for it."""
    return str(call["room_name"] or f"room_{call['id'].removeprefix('call_')}")
