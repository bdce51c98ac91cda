"""What a call does after it is placed: queued, ringing, in progress, ended; and the magic numbers that decide how."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from revdesk_mock.clock import HOUR, MINUTE, SECOND, Clock
from revdesk_mock.e164 import fictional_digits
from revdesk_mock.messages import JSON, Record
from revdesk_mock.settings import Policies
from revdesk_mock.store import Store

QUEUED, RINGING, IN_PROGRESS = "queued", "ringing", "in_progress"
COMPLETED, BUSY, NO_ANSWER, VOICEMAIL = "completed", "busy", "no_answer", "voicemail"
DECLINED, UNREACHABLE, CANCELED = "declined", "unreachable", "canceled"
FAILED = frozenset({DECLINED, UNREACHABLE})  # one disposition in the vendor's webhook events

QUEUE_TIME = 1 * SECOND


@dataclass(frozen=True, slots=True)
class Script:
    """What a called party does: rings for a while, then answers and talks, or ends the call some other way.

    Times are milliseconds; `talks` None means until somebody hangs up or the policy's `talk_seconds`
    pass. `refusal` names a rule that refuses the call when it is asked for.
    """

    summary: str
    ending: str = COMPLETED
    rings: int = 3 * SECOND
    talks: int | None = None
    answers: bool = True
    refusal: str | None = None


ORDINARY = Script("answers after 3 s and talks until somebody hangs up")

# A party that is there already: the person who asked for the call, or the agent in its room.
PRESENT = Script("is on the line", rings=0, talks=4 * HOUR)

# A leg that a person may pick up in a room, until one does.
AWAITED = Script("rings for a person, 30 s", NO_ANSWER, rings=30 * SECOND, answers=False)

# The last two digits of +1 NXX 555 01xx. The docs know no test numbers: all of these are chosen.
MAGIC: Mapping[int, Script] = {
    1: Script("answers, talks 10 s and hangs up", talks=10 * SECOND),
    2: Script("busy", BUSY, rings=1 * SECOND, answers=False),
    3: Script("rings 30 s, nobody answers", NO_ANSWER, rings=30 * SECOND, answers=False),
    4: Script("voicemail answers after 20 s and records 12 s", VOICEMAIL, rings=20 * SECOND, talks=12 * SECOND),
    5: Script("declines after 4 s of ringing", DECLINED, rings=4 * SECOND, answers=False),
    6: Script("unreachable: never rings", UNREACHABLE, rings=0, answers=False),
    7: Script("rings 25 s, then answers", rings=25 * SECOND),
    8: Script("answers at once", rings=0),
    9: Script("talks for 45 minutes", talks=45 * MINUTE),
    10: Script("answers and drops after 2 s", talks=2 * SECOND),
    11: Script("talks for 4 hours", talks=4 * HOUR),
    90: Script("refused: the destination is blocked", refusal="destination"),
    91: Script("refused: the daily spend cap is reached", refusal="spend_cap"),
    92: Script("refused: the concurrency cap is reached", refusal="concurrency"),
    93: Script("refused: the carrier rejects it", refusal="carrier"),
    94: Script("refused: too many calls this minute", refusal="call_rate"),
}


def script_for(number: str) -> Script:
    """Return what a called number does; anything outside the magic table is ordinary."""
    digits = fictional_digits(number)
    return ORDINARY if digits is None else MAGIC.get(digits, ORDINARY)


def script_of(leg: Record) -> Script:
    """Return what a leg of a call does by itself."""
    return script_for(leg["number"]) if leg["scripted"] else PRESENT


Plan = list[list[JSON]]  # of instants, and what happens then


class CallFlow:
    """Moves one world's call records along their plans.

    A plan is part of the record, a list of [instant, event] pairs: what is still to happen. The
    record's `due_at` is the first instant, so that a dump carries a live call on.
    """

    def __init__(self, store: Store, clock: Clock, policies: Policies) -> None:
        self._store = store
        self._clock = clock
        self.policies = policies

    def start(self, call: Record) -> Record:
        """Dial the legs of a queued call: from here on its plan carries it."""
        return self._store.update("calls", call, **self.dialed(call["legs"]))

    def dialed(self, legs: Sequence[Record]) -> Record:
        """Return the fields of a call whose legs are dialed now: `dialed_at`, `plan` and `due_at`."""
        now = self._clock.now()
        plan = self._plan(list(map(script_of, legs)), _placed_at(legs, now))
        return {"dialed_at": now, "plan": plan, "due_at": plan[0][0]}

    def replan(self, call: Record, scripts: Sequence[Script]) -> Record:
        """Let the legs of a call that was dialed follow other scripts from now on."""
        if call["answered_at"] is None:
            whole = self._plan(scripts, _placed_at(call["legs"], call["dialed_at"]))
            plan = [step for step in whole if step[1] != "ring" or call["status"] != RINGING]
        else:
            plan = [self._last(scripts, call["answered_at"])]
        return self._store.update("calls", call, plan=plan, due_at=plan[0][0])

    def waiting(self, seconds: int) -> Record:
        """Return the fields of a call that waits for its browser to join or dial, and is canceled after that time."""
        until = self._clock.now() + seconds * SECOND
        return {"dialed_at": None, "plan": [[until, CANCELED]], "due_at": until}

    def step(self, call: Record) -> None:
        """Carry out the first event of a call's plan, now that it is due."""
        (_, event), *rest = call["plan"]
        if event == "ring":
            self.ring(call, rest)
        elif event == "answer":
            self.answer(call, rest)
        else:
            self.end(call, event)

    def ring(self, call: Record, then: Plan | None = None) -> Record:
        """Let a call ring now; without a plan for what follows it waits for a person, 30 s."""
        now = self._clock.now()
        plan = then or [[now + AWAITED.rings, AWAITED.ending]]
        return self._store.update("calls", call, status=RINGING, started_at=now, plan=plan, due_at=plan[0][0])

    def answer(self, call: Record, then: Plan | None = None) -> Record:
        """Connect a call now; without a plan for what follows it talks until somebody hangs up, 4 h at most."""
        now = self._clock.now()
        plan = then or [self._last([PRESENT], now)]
        return self._store.update("calls", call, status=IN_PROGRESS, answered_at=now, plan=plan, due_at=plan[0][0])

    def end(self, call: Record, ending: str) -> Record:
        """End a call now: the duration is whole seconds since it was answered; recordings exist from here on."""
        now = self._clock.now()
        answered = call["answered_at"] is not None
        return self._store.update(
            "calls",
            call,
            status=ending,
            started_at=now if call["dialed_at"] is not None and call["started_at"] is None else call["started_at"],
            ended_at=now,
            duration_seconds=(now - call["answered_at"]) // SECOND if answered else 0,
            has_recording=answered and call["record"],
            has_transcript=answered and call["transcribe"],
            plan=[],
            due_at=None,
        )

    def hang_up(self, call: Record) -> Record:
        """End a call by hand; one that has ended stays as it is (documented: idempotent)."""
        if call["ended_at"] is not None:
            return call
        return self.end(call, CANCELED if call["answered_at"] is None else COMPLETED)

    def _plan(self, scripts: Sequence[Script], placed: int) -> Plan:
        """Write the legs' scripts as one plan: all ring together, and are connected when all have answered."""
        failed = min((script for script in scripts if not script.answers), key=lambda s: s.rings, default=None)
        ring: Plan = [] if failed and failed.ending == UNREACHABLE else [[placed, "ring"]]
        if failed:
            return [*ring, [placed + failed.rings, failed.ending]]
        answered = max(placed + max(script.rings for script in scripts), self._clock.now())
        return [*ring, [answered, "answer"], self._last(scripts, answered)]

    def _last(self, scripts: Sequence[Script], answered: int) -> list[JSON]:
        """Say when a call that was answered then ends, and how: with the first who has said everything."""
        last = min(scripts, key=self._talk_of)
        return [answered + self._talk_of(last), last.ending]

    def _talk_of(self, script: Script) -> int:
        return self.policies.talk_seconds * SECOND if script.talks is None else script.talks


def _placed_at(legs: Sequence[Record], dialed_at: int) -> int:
    """Return when a call begins to ring: at once where it rings no phone."""
    return dialed_at + (QUEUE_TIME if any(leg["scripted"] for leg in legs) else 0)


def leg(role: str, number: str, caller_id: str, *, scripted: bool = True) -> Record:
    """Describe one leg: whom it rings, and the one number that this party is shown."""
    return {"role": role, "number": number, "caller_id": caller_id, "scripted": scripted}


def magic_table() -> Iterable[tuple[str, Script]]:
    """Yield (number pattern, script) for each magic number and for all others."""
    for digits, script in MAGIC.items():
        yield f"+1 NXX 555 01{digits:02d}", script
    yield "any other number", ORDINARY
