"""Who is in a room and what happens there, as plain values: participants, their tracks, events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from revdesk_mock.messages import JSON

PERSON, AGENT, PHONE = "standard", "agent", "sip"
MICROPHONE = "microphone"
RELIABLE, LOSSY = "reliable", "lossy"

# Why a remote procedure call fails, with the codes that LiveKit's clients know.
RPC_UNKNOWN, RPC_NOBODY = (1400, "Method not supported at destination"), (1401, "Recipient not found")
RPC_FAILED = (1500, "Application error in method handler")

# Why somebody is not in a room any more.
LEFT, ROOM_CLOSED, REPLACED, LOST, SHUTDOWN = "left", "room_closed", "replaced", "lost", "shutdown"
UNUSABLE = "unusable"  # its session description, or no socket could be had for it


@dataclass(frozen=True, slots=True)
class Track:
    """One source of sound that a participant publishes."""

    sid: str
    name: str
    source: str = MICROPHONE
    is_muted: bool = False


@dataclass(frozen=True, slots=True)
class Grants:
    """What a participant may do."""

    can_publish: bool = True
    can_subscribe: bool = True
    can_publish_data: bool = True


EVERYTHING = Grants()


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody in a room, as the others see it. Changes make a new one."""

    sid: str
    identity: str
    kind: str = PERSON
    name: str = ""
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tracks: Mapping[str, Track] = field(default_factory=dict)
    joined_at: int = 0  # Unix milliseconds
    is_active: bool = False  # once sound and data can reach it
    grants: Grants = EVERYTHING


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody came in."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class Changed:
    """Somebody's tracks, attributes, name or metadata are others now."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class Gone:
    """Somebody is not here any more."""

    participant: Participant
    reason: str


@dataclass(frozen=True, slots=True)
class Data:
    """A packet for a topic: bytes that the room passes on as they are. `sender` None: the room itself."""

    topic: str
    payload: bytes
    sender: str | None
    kind: str = RELIABLE


@dataclass(frozen=True, slots=True)
class Speaking:
    """Who is heard now, loudest first: identities with levels from 0 to 1."""

    levels: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Said:
    """Words that a participant spoke, as text; `is_final` once the sentence is over."""

    identity: str
    text: str
    is_final: bool
    segment: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """Keys that a participant pressed."""

    sender: str
    digits: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A remote procedure call from one participant to another, who answers with the same `id`."""

    id: str
    sender: str
    method: str
    payload: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a remote procedure call; `error` is (code, message) where it failed."""

    id: str
    sender: str
    payload: str
    error: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Relayed:
    """What clients of one protocol tell one another in its own form; whoever does not speak it leaves it alone."""

    sender: str
    payload: bytes
    kind: str = RELIABLE


FromOne = Data | Pressed | Relayed
ToOne = Asked | Answered
Event = Joined | Changed | Gone | Data | Pressed | Relayed | Asked | Answered | Speaking | Said


def describe_participant(participant: Participant) -> dict[str, JSON]:
    """Return a participant as JSON."""
    plain: dict[str, Any] = {
        field: getattr(participant, field) for field in ("sid", "identity", "kind", "name", "metadata", "is_active")
    }
    tracks = [
        {"sid": track.sid, "name": track.name, "source": track.source, "muted": track.is_muted}
        for track in participant.tracks.values()
    ]
    return {**plain, "attributes": dict(participant.attributes), "tracks": tracks}
