"""What a telephone in a room looks like: one participant, told apart by the attributes that LiveKit's clients know."""

from revdesk_mock.messages import Record
from revdesk_mock.simulation.call_flow import IN_PROGRESS, QUEUED, RINGING

IDENTITY = "phone"
STATUS, NUMBER = "sip.callStatus", "sip.phoneNumber"  # attributes
DIALING, RINGS, ACTIVE, HANGUP = "dialing", "ringing", "active", "hangup"


def status_of(call: Record) -> str:
    """Return what a call's telephone does now: nothing ("") while it waits for its browser to dial it."""
    if call["dialed_at"] is None:
        return ""
    return {QUEUED: DIALING, RINGING: RINGS, IN_PROGRESS: ACTIVE}.get(call["status"], HANGUP)
