"""What an organization and its sub-entities should read, as a function of what was done, by whom, and when."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from revdesk_mock.clock import iso, parse_iso
from revdesk_mock.paperwork import EICAR
from revdesk_mock.vetting import REASON, Verdict
from tests.conftest import COMPANY, KEY, ORGANIZATION
from tests.random_life import DAY

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
START = parse_iso("2026-01-05T09:00:00Z")  # a Monday
PROVISIONING, SCAN, VETTING = 5 * SECOND, 2 * SECOND, 60 * SECOND
CODE, LAPSE, SPREADING = 10 * MINUTE, 30 * MINUTE, 48 * HOUR
TRIES = 5
QUERY, CALL, CAP = 250, 28, 270  # tenths of a cent: a live query, a bridge's first minute, what a day may cost

ENTERPRISE, DOCUMENTS = "/v1/caller-trust/enterprise", "/v1/caller-trust/documents"

DRAFT, VETTED, DELETED = "DRAFT", "PENDING_VETTING", "DELETED"
PENDING, APPROVED, REJECTED = "PENDING", "APPROVED", "REJECTED"
PENDING_SUBMIT, SUBMITTED = "PENDING_SUBMIT", "SUBMITTED"
VERIFIED, EXPIRED, FAILED = "VERIFIED", "EXPIRED", "FAILED"

ORDINARY, MEDIUM, HIGH, LATER, SILENT = (f"+13125550{digits}" for digits in (120, 161, 162, 163, 164))
CANADIAN = "+16045550120"
PERIODS = {"business_daily": 1, "daily": 1, "weekly": 7, "biweekly": 14, "monthly": 30}  # days


@dataclass
class Hearing:
    """What the carrier is asked: it decides after a minute, by the name, or when somebody decides for it."""

    asked: int
    name: str
    waits: bool = False  # for somebody to decide
    ordered: tuple[int, Verdict] | None = None

    @classmethod
    def of(cls, asked: int, name: str) -> "Hearing":
        return cls(asked, name, waits="undecided" in name.lower())

    @property
    def ends(self) -> int | None:
        if self.ordered is not None:
            return self.ordered[0]
        return None if self.waits else self.asked + VETTING

    def verdict(self, now: int) -> Verdict | None:
        if self.ends is None or now < self.ends:
            return None
        if self.ordered is not None:
            return self.ordered[1]
        return Verdict(REJECTED, [REASON]) if "rejected" in self.name.lower() else Verdict(APPROVED, [])

    def status(self, now: int, pending: str) -> str:
        verdict = self.verdict(now)
        return pending if verdict is None else verdict.status

    def reasons(self, now: int) -> list[str]:
        verdict = self.verdict(now)
        return [] if verdict is None else verdict.reasons


@dataclass
class Reputation:
    hearing: Hearing
    frequency: str
    changed: int | None = None

    def status(self, now: int) -> str:
        return self.hearing.status(now, PENDING)

    def shown(self, now: int) -> dict[str, Any]:
        told = self.hearing.ends if self.hearing.verdict(now) else None
        return {
            "status": self.status(now),
            "check_frequency": self.frequency,
            "rejection_reasons": self.hearing.reasons(now),
            "last_synced_at": latest(self.changed, told),
        }


@dataclass
class Brand:
    id: str
    name: str
    reason: str
    logo: str | None = None
    submitted: int | None = None
    hearing: Hearing | None = None  # from the next night on

    def submit(self, now: int) -> None:
        self.submitted = now
        self.hearing = Hearing.of(next_night(now), self.name)

    def edit(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        self.submitted = self.hearing = None

    def status(self, now: int) -> str:
        if self.hearing is None:
            return DRAFT
        return PENDING_SUBMIT if now < self.hearing.asked else self.hearing.status(now, SUBMITTED)

    def shown(self, now: int) -> dict[str, Any]:
        status = self.status(now)
        return {
            "id": self.id,
            "display_name": self.name,
            "call_reason": self.reason,
            "logo_url": self.logo,
            "status": status,
            "rejection_reasons": self.hearing.reasons(now) if self.hearing else [],
            "submitted_at": latest(self.submitted),
            "approved_at": latest(self.hearing.ends) if self.hearing and status == APPROVED else None,
        }


@dataclass
class Registration:
    id: str
    owner: str
    name: str
    created: int
    carrier: str | None = None
    sent: int | None = None
    letter: str | None = None
    hearing: Hearing | None = None  # from the signature on
    deleted: int | None = None
    reputation: Reputation | None = None
    brand: Brand | None = None

    def status(self, now: int) -> str:
        if self.deleted is not None:
            return DELETED
        return DRAFT if self.hearing is None else self.hearing.status(now, VETTED)

    def shown(self, now: int, *, read_only: bool) -> dict[str, Any]:
        at = now if self.deleted is None else self.deleted
        told = self.hearing.ends if self.hearing and self.hearing.verdict(at) else None
        return {
            "id": self.id,
            "carrier_enterprise_id": self.carrier,
            "legal_name": self.name,
            "dba": COMPANY["dba"],
            "role_type": "ENTERPRISE",
            "status": self.status(now),
            "rejection_reasons": self.hearing.reasons(at) if self.hearing else [],
            "synced_at": latest(self.sent, told),
            "loa_document_id": self.letter,
            "read_only": read_only,
        }


@dataclass
class Document:
    owner: str
    uploaded: int
    filename: str
    content: bytes | None  # None: made by the service
    linked: bool = False

    def exists(self, now: int) -> bool:
        return self.linked or now < self.uploaded + LAPSE

    def scan(self, now: int) -> str:
        if self.content is None:
            return "CLEAN"
        if now < self.uploaded + SCAN:
            return PENDING
        return "INFECTED" if EICAR in self.content else "CLEAN"


@dataclass
class CallerId:
    id: str
    owner: str
    phone: str
    code: str
    started: int
    wrong: list[int] = field(default_factory=list)
    verified: int | None = None
    named: tuple[int, str] | None = None

    def status(self, now: int) -> str:
        if self.verified is not None:
            return VERIFIED
        if len(self.wrong) == TRIES:
            return FAILED
        return PENDING if now < self.started + CODE else EXPIRED

    def shown(self, now: int) -> dict[str, Any]:
        status = self.status(now)
        at, name = self.named or (None, "")
        spread = at + SPREADING if at is not None and name and now >= at + SPREADING else None
        expired = self.started + CODE if status == EXPIRED else None
        return {
            "caller_id_id": self.id,
            "phone_number": self.phone,
            "status": status,
            "verified_at": latest(self.verified),
            "certification_method": "phone_call" if status == VERIFIED else None,
            "cnam_display_name": name or None,
            "cnam_status": (APPROVED if spread else PENDING) if name else None,
            "rcd_display_name": None,
            "rcd_status": None,
            "active": status == VERIFIED,
            "created_at": iso(self.started),
            "updated_at": latest(self.started, *self.wrong, self.verified, expired, at, spread),
        }


@dataclass
class Number:
    id: int
    owner: str
    phone: str
    active: int  # from when on


@dataclass
class Watched:
    """A number that is watched since an instant; `eras` are when which frequency began to hold for it."""

    phone: str
    owner: str
    since: int
    eras: list[tuple[int, str]]
    queries: list[int] = field(default_factory=list)

    def refreshed(self, now: int) -> int | None:
        ends = [*(since for since, _ in self.eras[1:]), now]
        scheduled = [
            at
            for (since, frequency), end in zip(self.eras, ends, strict=True)
            for at in (*self.first(frequency), last_of(frequency, since, end))
            if at is not None and since < at <= end
        ]
        return max([*scheduled, *self.queries], default=None)

    def first(self, frequency: str) -> list[int]:
        return [self.since + DAY] if frequency in PERIODS else []

    def opinion(self, now: int) -> tuple[str | None, str | None]:
        """Return risk and category as of the last refresh."""
        at = self.refreshed(now)
        if at is None or self.phone == SILENT:
            return None, None
        if self.phone == HIGH or (self.phone == LATER and at >= self.since + 7 * DAY):
            return "high", "scam"
        return ("medium", "telemarketing") if self.phone == MEDIUM else ("low", None)


@dataclass
class SubEntity:
    id: str
    name: str
    slug: str
    created: int
    hipaa: bool = False


@dataclass
class Model:
    """What was done, by whom, and when. The newest is last everywhere; times are Unix milliseconds."""

    now: int = START
    hipaa: bool = False  # of the umbrella
    keys: dict[str, str] = field(default_factory=lambda: {ORGANIZATION: KEY})
    sub_entities: list[SubEntity] = field(default_factory=list)
    registrations: list[Registration] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    caller_ids: list[CallerId] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    watched: dict[str, Watched] = field(default_factory=dict)

    # who sees what

    def seen_by(self, who: str, records: Any) -> list[Any]:
        return [record for record in records if sees(who, record.owner)]

    def own(self, who: str) -> Registration | None:
        return next((r for r in self.registrations if r.owner == who and r.deleted is None), None)

    def read(self, who: str) -> Registration | None:
        return self.own(who) or self.own(ORGANIZATION)

    def reads(self, who: str, registration: Registration) -> bool:
        return sees(who, registration.owner) or registration is self.read(who)

    # time

    def pass_time(self, milliseconds: int) -> None:
        """Move on, and note what is watched, and how often, at each instant that changes it."""
        end = self.now + milliseconds
        while True:
            verdicts = [r.reputation.hearing.ends for r in self.registrations if r.reputation]
            instants = [*(n.active for n in self.numbers), *(at for at in verdicts if at is not None)]
            at = min((at for at in instants if self.now < at <= end), default=None)
            if at is None:
                break
            self.now = at
            for number in self.numbers:
                if number.active == at and number.phone != CANADIAN:
                    self.watch(number)
            self.note_frequencies()
        self.now = end

    def watch(self, number: Number) -> None:
        watched = Watched(number.phone, number.owner, self.now, [])
        watched.eras.append((self.now, self.frequency(watched)))
        self.watched.setdefault(number.phone, watched)

    def note_frequencies(self) -> None:
        for watched in self.watched.values():
            frequency = self.frequency(watched)
            if frequency != watched.eras[-1][1]:
                watched.eras.append((self.now, frequency))

    def brand_of(self, watched: Watched) -> Registration | None:
        """Return the registration that a number is watched under: its owner's, or the umbrella's."""
        for owner in (watched.owner, ORGANIZATION):
            found = self.own(owner)
            if found and found.reputation and found.reputation.status(self.now) == APPROVED:
                return found
        return None

    def frequency(self, watched: Watched) -> str:
        brand = self.brand_of(watched)
        return brand.reputation.frequency if brand and brand.reputation else "daily"

    # money

    def spent_today(self) -> int:
        today = [w for w in self.watched.values() if w.queries and w.queries[-1] // DAY == self.now // DAY]
        return len(today) * QUERY


def sees(who: str, owner: str) -> bool:
    return who in {ORGANIZATION, owner}


def next_night(now: int) -> int:
    """Return the next 02:00 UTC, later than now."""
    night = now - now % DAY + 2 * HOUR
    return night if night > now else night + DAY


def latest(*instants: int | None) -> str | None:
    at = max((at for at in instants if at is not None), default=None)
    return None if at is None else iso(at)


def last_of(frequency: str, since: int, now: int) -> int | None:
    """Return the last of a frequency's instants up to now, the first of which is one period after it began."""
    if frequency not in PERIODS:
        return None
    period = PERIODS[frequency] * DAY
    instants = (since + count * period for count in range((now - since) // period, 0, -1))
    return next((at for at in instants if frequency != "business_daily" or weekday(at) < 5), None)


def weekday(at: int) -> int:
    return datetime.fromtimestamp(at / 1000, UTC).weekday()
