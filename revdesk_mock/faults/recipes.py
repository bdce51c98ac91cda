"""Faults by name: incidents that happen, as rules."""

from collections.abc import Mapping
from typing import NamedTuple

from revdesk_mock.messages import JSON


class Recipe(NamedTuple):
    """What happens, in a sentence, and the rules that let it happen."""

    says: str
    rules: tuple[JSON, ...]


# Where a call or a text would be handed to a carrier.
CARRIED = ["POST /v1/calls", "POST /v1/calls/dial", "POST /v1/webrtc-token", "POST /v1/room-token", "POST /v1/sms/send"]

RECIPES: Mapping[str, Recipe] = {
    "429-storm": Recipe(
        "From the first request on, everything is answered 429 for 30 seconds, and the headers tell when it ends.",
        ({"do": {"rate_limit": {"seconds": 30}}},),
    ),
    "carrier-outage": Recipe(
        "The carrier takes no call and no text, until the fault is removed; all else works.",
        (
            {
                "on": CARRIED,
                "do": {"status": 409, "code": "carrier_rejected", "message": "The carrier rejected it."},
                "every": 1,
            },
        ),
    ),
    "lost-reply": Recipe(
        "The first POST is carried out and its reply is lost: the connection is reset.",
        ({"method": "POST", "do": "reset", "phase": "after_commit"},),
    ),
    "slow-tuesday": Recipe(
        "Everything takes 400 ms in the middle and seconds at worst, and one request in twenty is answered 503.",
        (
            {"do": {"delay_ms": {"log_normal": {"median": 400, "sigma": 0.8}}}, "every": 1},
            {"do": {"status": 503, "retry_after": 1}, "probability": 0.05},
        ),
    ),
}
