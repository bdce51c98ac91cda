"""What an account should read of its numbers, agents, calls, texts and tokens, by what was done and when."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.random_life import DAY

START = datetime(2026, 1, 5, 9, tzinfo=UTC)  # the fixture's clock
CAP = 6  # channels
PROVISIONING = 5  # seconds
SPREADING = 2 * DAY  # of a CNAM
TOLL_FREE = "+18005550120"
FOR_SALE = [f"+13125550{number}" for number in (120, 121, 122)] + [TOLL_FREE]
NOT_FOR_SALE = STRANGER = "+13125550999"
BROWSER = "browser"
# Prices in millionths of a dollar, and what may be spent in a day.
LEG_MINUTE, AGENT_MINUTE, TEXT, MOST_SPENT = 14_000, 70_000, 8_000, 200_000

QUEUED, RINGING, TALKING, COMPLETED, CANCELED = "QUEUED", "RINGING", "IN_PROGRESS", "COMPLETED", "CANCELED"
# What a call does by the last two digits of its destination: seconds after it is dialed, and the status from
# then on. The last line is the end.
SCRIPTS: dict[str, list[tuple[int, str]]] = {
    "00": [(1, RINGING), (4, TALKING), (34, COMPLETED)],
    "01": [(1, RINGING), (4, TALKING), (14, COMPLETED)],
    "02": [(1, RINGING), (2, "BUSY")],
    "03": [(1, RINGING), (31, "NO_ANSWER")],
    "04": [(1, RINGING), (21, TALKING), (33, "VOICEMAIL")],
    "05": [(1, RINGING), (5, "DECLINED")],
    "06": [(1, "UNREACHABLE")],
    "07": [(1, RINGING), (26, TALKING), (56, COMPLETED)],
    "08": [(1, RINGING), (1, TALKING), (31, COMPLETED)],
    "09": [(1, RINGING), (4, TALKING), (2704, COMPLETED)],
    "10": [(1, RINGING), (4, TALKING), (6, COMPLETED)],
    "11": [(1, RINGING), (4, TALKING), (14_404, COMPLETED)],
    "50": [(1, RINGING), (4, TALKING), (34, COMPLETED)],
    BROWSER: [(0, RINGING), (0, TALKING), (14_400, COMPLETED)],  # an agent, there already
}
REFUSED_FIRST = {"90": 403, "93": 409}  # whatever the load
NO_REPLIES = {"auto_reply_enabled": False, "reply_delay_seconds": 0, "default_prompt": None}
REFUSED_LAST = {"92": 429, "94": 429, "91": 403}  # as if the account had no room left


@dataclass
class Number:
    """An owned number; times are milliseconds since the start."""

    phone: str
    bought: int
    agent: str
    cnam: str | None = None
    cnam_since: int | None = None
    was_seen_live: bool = False
    texting: dict[str, Any] = field(default_factory=dict)

    def is_active(self, now: int) -> bool:
        return now >= self.bought + PROVISIONING * 1000

    def is_live(self, now: int) -> bool:
        return self.cnam_since is not None and now >= self.cnam_since + SPREADING

    def cnam_status(self) -> str:
        if self.cnam_since is None:
            return "NONE"
        return "APPROVED" if self.was_seen_live else "PENDING"


@dataclass
class Agent:
    id: str
    changed: int
    shown: dict[str, Any]


@dataclass
class Text:
    digits: str
    sent: int

    def status(self, now: int) -> str:
        if now < self.sent + 3000:
            return "queued" if now < self.sent + 1000 else "sent"
        answers = self.digits not in SCRIPTS or SCRIPTS[self.digits][-1][1] in {COMPLETED, "VOICEMAIL"}
        return "delivered" if answers else "failed"


@dataclass
class Call:
    """A call; until it is dialed it waits for its browser, and not for ever."""

    id: str
    number: int | None
    caller: str
    to: str
    digits: str
    price: int  # of a begun minute
    channels: int = 1
    dialed: int | None = None
    waits_until: int = 0
    hung_up: int | None = None

    def story(self) -> list[tuple[int, str]]:
        """Return when it takes which status, up to its end."""
        if self.dialed is None:
            story = [(self.waits_until, CANCELED)]
        else:
            story = [(self.dialed + seconds * 1000, status) for seconds, status in SCRIPTS[self.digits]]
        if self.hung_up is not None:
            story = [(at, status) for at, status in story if at <= self.hung_up]
            was_answered = any(status == TALKING for _, status in story)
            story.append((self.hung_up, COMPLETED if was_answered else CANCELED))
        return story

    def status(self, now: int) -> str:
        return next((status for at, status in reversed(self.story()) if at <= now), QUEUED)

    def ended(self, now: int) -> int | None:
        end = self.story()[-1][0]
        return end if end <= now else None

    def seconds(self, now: int) -> int:
        """Return how long it talked, once it has ended."""
        end = self.ended(now)
        answered = next((at for at, status in self.story() if status == TALKING), None)
        return 0 if end is None or answered is None else (end - answered) // 1000

    def channels_in_use(self, now: int) -> int:
        return self.channels if self.dialed is not None and self.ended(now) is None else 0


@dataclass
class Token:
    text: str
    call: str
    expires: int
    is_joined: bool = False

    def state(self, call: Call, now: int) -> str:
        end = call.ended(now)
        if self.is_joined:
            return "joined" if end is None else "spent"
        if end is not None and end < self.expires:
            return "revoked"
        return "expired" if now >= self.expires else "issued"


@dataclass
class Model:
    """All that is known of the account. The newest is last everywhere."""

    now: int = 0
    numbers: dict[int, Number] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    agents: dict[str, Agent] = field(default_factory=dict)
    caller_ids: list[str] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    texting: dict[str, Any] = field(default_factory=lambda: dict(NO_REPLIES))

    def active(self) -> list[int]:
        return [record for record, number in self.numbers.items() if number.is_active(self.now)]

    def owner_of(self, phone: str) -> int | None:
        return next((record for record, number in self.numbers.items() if number.phone == phone), None)

    def channels_in_use(self) -> int:
        return sum(call.channels_in_use(self.now) for call in self.calls.values())

    def refusal(self, caller: str, digits: str, price: int, channels: int = 1) -> int | None:
        """Return the status with which a call is refused, if it is."""
        if self.owner_of(caller) not in self.active() and caller not in self.caller_ids:
            return 422
        return REFUSED_FIRST.get(digits) or self.overload(digits, price, channels)

    def overload(self, digits: str, price: int, channels: int = 1) -> int | None:
        """Return the status with which a call is refused for want of a channel or of money."""
        if self.channels_in_use() + channels > CAP:
            return 429
        return REFUSED_LAST.get(digits) or (403 if self.spent_today() + price > MOST_SPENT else None)

    def refusal_of_text(self, sender: str, digits: str) -> int | None:
        if self.owner_of(sender) not in self.active():
            return 422
        if digits in REFUSED_FIRST:
            return REFUSED_FIRST[digits]
        return 403 if digits == "91" or self.spent_today() + TEXT > MOST_SPENT else None

    def spent_today(self) -> int:
        """Return what ended calls and sent texts have cost since midnight (UTC), in millionths of a dollar."""
        today = day_of(self.now)
        ended = [c for c in self.calls.values() if (at := c.ended(self.now)) is not None and day_of(at) == today]
        texts = [text for text in self.texts if day_of(text.sent) == today]
        return sum(minutes_of(call.seconds(self.now)) * call.price for call in ended) + len(texts) * TEXT

    def number_of(self, agent: str) -> int | None:
        """Return the number that an agent answers: the last that was bought."""
        return next((record for record in reversed(self.numbers) if self.numbers[record].agent == agent), None)

    def caller_for(self, agent: str) -> str | None:
        """Return the number that an agent calls from: one of its own, or else the newest that is active."""
        active = [self.numbers[record] for record in reversed(self.active())]
        own = [number for number in active if number.agent == agent]
        return next((number.phone for number in own + active), None)

    def placed_this_month(self, record: int) -> list[Call]:
        return [
            call
            for call in self.calls.values()
            if call.number == record and call.dialed is not None and month_of(call.dialed) == month_of(self.now)
        ]


def destination(digits: str) -> str:
    return f"+141555501{digits}"


def day_of(milliseconds: int) -> int:
    return int(START.timestamp() * 1000 + milliseconds) // DAY


def month_of(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(START.timestamp() + milliseconds / 1000, UTC):%Y-%m}"


def minutes_of(seconds: int) -> int:
    return -(-seconds // 60)
