"""Random lives of an organization and its sub-entities: all that they read follows from a few facts and the clock."""

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from revdesk_mock import ApiError, Policies
from revdesk_mock.admin.desk import VERDICTS
from revdesk_mock.clock import iso
from revdesk_mock.paperwork import EICAR
from revdesk_mock.resources import branded_calling
from revdesk_mock.vetting import Verdict
from tests.caller_trust_model import (
    APPROVED,
    CALL,
    CANADIAN,
    CAP,
    CODE,
    DOCUMENTS,
    DRAFT,
    ENTERPRISE,
    EXPIRED,
    FAILED,
    HIGH,
    LAPSE,
    LATER,
    MEDIUM,
    MINUTE,
    ORDINARY,
    PENDING,
    PERIODS,
    PROVISIONING,
    QUERY,
    REJECTED,
    SCAN,
    SECOND,
    SILENT,
    SUBMITTED,
    TRIES,
    VERIFIED,
    VETTED,
    VETTING,
    Brand,
    CallerId,
    Document,
    Hearing,
    Model,
    Number,
    Registration,
    Reputation,
    SubEntity,
    latest,
    next_night,
    sees,
)
from tests.conftest import COMPANY, ORGANIZATION, SIGNATURE, SIGNER, Answer
from tests.random_life import DAY, Life, mostly, pick, seldom, which

MOST_SUB_ENTITIES = 2
REPUTATION, BRAND = "/v1/caller-trust/reputation", "/v1/caller-trust/brand"
NUMBERS, CALLER_IDS, SUB_ENTITIES = f"{REPUTATION}/numbers", "/v1/caller-ids", "/v1/sub-entities"
UMBRELLA = "00000000-0000-4000-8000-000000000001"
LOGO = "https://harbor-dental.example/logo.png"
FOR_SALE = [ORDINARY, MEDIUM, HIGH, LATER, SILENT, CANADIAN]
NOT_OWNED = "+13125550999"
BUSY = "+14155550102"
PHONES = ["+16175550120", "+16175550121"]
BANDS = {"low": (60, 95), "medium": (35, 60), "high": (5, 35)}
SLUGS = {"Uptown": "uptown", "Up--Town!": "up-town", "Harbor Dental": "harbor-dental", "!!!": "sub-entity"}
PDF = b"%PDF-1.7 a letter"

names = st.sampled_from(["Harbor Dental"] * 3 + ["Rejected Dental"] * 2 + ["Undecided Dental"])
frequencies = st.sampled_from([*PERIODS, "business_daily", "never"])
texts = st.sampled_from(["Your appointment", "Your appointment", "Your appointment", " "])
stages = st.sampled_from([0, 4, 5, 6, 9, 9, 11, 13, 14, 14, 14])  # how much of `open` is done
by_id = st.booleans()


class CallerTrust(Life):
    """Drives an umbrella organization and its sub-entities by requests, each with its own key."""

    policies = Policies(concurrency_cap=None, daily_spend_cap_cents=CAP // 10, calls_per_minute=None)

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.said: dict[tuple[str, int, str | None], list[int | None]] = {}  # scores, by number and refresh

    def who(self, which: int) -> str:
        """Pick whose key is used: mostly the umbrella's."""
        return str(pick([ORGANIZATION, *self.model.keys], which))

    def keeper(self, record: Any, which: int) -> str:
        """Pick whose key is used: mostly one that sees a record."""
        return str(mostly([record.owner, ORGANIZATION], [self.who(which // 4)], which))

    def registered(self, which: int, wanted: Callable[[Registration], object] = bool) -> str:
        """Pick whose key is used: mostly one with a registration (that is wanted)."""
        owners = [r.owner for r in self.model.registrations if r.deleted is None and wanted(r)]
        return str(mostly(owners, [self.who(which // 4)], which))

    def get(self, path: str, who: str = ORGANIZATION) -> Answer:
        return self.ask("GET", path, by=self.model.keys[who])

    def do(self, who: str, refusal: int | None, method: str, path: str, body: Any = None) -> Any:
        """Send a write that must be refused with this status or succeed; return the data of a success."""
        answer = self.write(method, path, body, by=self.model.keys[who])
        assert answer.status == (refusal or 200), answer.body
        return None if refusal else answer.data

    def order(self, who: str, refusal: int | None, act: Any) -> None:
        """Do in a transaction what the admin API would, with the world and the credential of a key."""
        world, credential = self.emulator.admit(self.model.keys[who])
        if refusal is None:
            with world.store.transaction():
                act(world, credential)
            return
        with pytest.raises(ApiError) as raised, world.store.transaction():
            act(world, credential)
        assert raised.value.status == refusal

    @initialize(
        name=names,
        brand_name=names,
        stage=stages,
        frequency=frequencies,
        branch=st.sampled_from([*SLUGS]),
        hipaa=st.booleans(),
        is_signed=st.booleans(),
        is_branch_signed=st.booleans(),
    )
    def open(
        self,
        name: str,
        brand_name: str,
        stage: int,
        frequency: str,
        branch: str,
        *,
        hipaa: bool,
        is_signed: bool,
        is_branch_signed: bool,
    ) -> None:
        """Begin somewhere between an empty account and a company with everything that the carrier knows."""
        self.model.hipaa = hipaa
        world = self.client.world
        with world.store.transaction():
            world.store.update("organizations", world.organization or {}, hipaa_enabled=hipaa)
        self.create_sub_entity(0, branch, None)
        self.buy_as(ORGANIZATION, LATER)
        self.buy_as(self.model.sub_entities[0].id, HIGH)
        sign = partial(self.sign, 0, 0, by_id=False, at_wrong_time=False)
        ways: list[Callable[[], object]] = [
            partial(self.start_caller_id, 0, PHONES[0]),
            partial(self.upload, 0, infected=False),
            partial(self.pass_time, SCAN),
            partial(self.save_draft, 0, name),
            partial(self.submit, 0, by_id=False),
            sign if is_signed else partial(self.enable, 1, None, "clean"),
            partial(self.hand_in, 0, [True]),
            partial(self.pass_time, VETTING),
            partial(self.change_frequency, 1, frequency),
            partial(self.save_brand, 0, brand_name, "Your appointment"),
            partial(self.set_logo, 0, LOGO),
            partial(self.submit_brand, 0),
            self.await_the_night,
            partial(self.pass_time, VETTING),
        ]
        for way in ways[:stage]:
            way()
        if is_branch_signed:
            self.save_draft(2, name)
            self.sign(5, 0, by_id=False, at_wrong_time=False)  # by the sub-entity, for itself

    def pass_time(self, milliseconds: int) -> None:
        super().pass_time(milliseconds)
        self.model.pass_time(milliseconds)

    def move_on(self) -> None:
        """Let no two verdicts on reputation come at one instant: their order would matter, and no fact tells it."""
        self.pass_time(1)

    @rule(milliseconds=st.sampled_from([VETTING, SECOND, CODE, LAPSE]))
    def wait(self, milliseconds: int) -> None:
        self.pass_time(milliseconds)

    @rule(days=st.sampled_from([1, 2, 5, 7]))
    def wait_for_days(self, days: int) -> None:
        self.pass_time(days * DAY)

    @rule()
    def await_the_night(self) -> None:
        """Go to the next instant at which brands are taken to the carrier."""
        self.pass_time(next_night(self.model.now) - self.model.now)

    # sub-entities

    @precondition(lambda self: len(self.model.sub_entities) < MOST_SUB_ENTITIES)
    @rule(
        which=which, name=st.sampled_from([*SLUGS]), slug=st.sampled_from([None, None, "uptown", "harbor-dental", "x"])
    )
    def create_sub_entity(self, which: int, name: str, slug: str | None) -> None:
        model, who = self.model, self.who(which)
        taken = {"harbor-dental", *(entity.slug for entity in model.sub_entities)}
        refusal = 403 if who != ORGANIZATION else 409 if slug in taken else None
        made = self.do(who, refusal, "POST", SUB_ENTITIES, {"name": name} | ({"slug": slug} if slug else {}))
        if made:
            free = [SLUGS[name], *(f"{SLUGS[name]}-{number}" for number in (2, 3, 4))]
            slug = slug or next(each for each in free if each not in taken)
            model.sub_entities.append(SubEntity(made["id"], name, slug, model.now))
            model.keys[made["id"]] = self.client.with_key("sub_entity", team=made["id"]).key

    @rule(which=which, name=st.sampled_from([*SLUGS]), hipaa=st.sampled_from([None, True, False]))
    def change_sub_entity(self, which: int, name: str, *, hipaa: bool | None) -> None:
        model, who = self.model, self.who(which)
        entity = pick(model.sub_entities, which // 7)
        refusal = 403 if who != ORGANIZATION else 409 if model.hipaa and hipaa is False else None
        change = {"name": name} | ({} if hipaa is None else {"hipaa_enabled": hipaa})
        if self.do(who, refusal, "PATCH", f"{SUB_ENTITIES}/{entity.id}", change):
            entity.name = name
            entity.hipaa = entity.hipaa if hipaa is None else hipaa

    # numbers

    @rule(which=which, phone=st.sampled_from(FOR_SALE))
    def buy(self, which: int, phone: str) -> None:
        self.buy_as(self.who(which), phone)

    def buy_as(self, who: str, phone: str) -> None:
        model = self.model
        refusal = 409 if any(number.phone == phone for number in model.numbers) else None
        made = self.do(who, refusal, "POST", "/v1/phone-numbers", {"phone_number": phone})
        if made:
            model.numbers.append(Number(made["phone_record_id"], who, phone, model.now + PROVISIONING))

    @precondition(lambda self: len(self.model.numbers) > 2)
    @rule(which=which)
    def release(self, which: int) -> None:
        model = self.model
        number = pick(model.numbers, which)
        who = self.keeper(number, which // 7)
        refusal = None if sees(who, number.owner) else 404
        if self.do(who, refusal, "DELETE", f"/v1/phone-numbers/{number.id}"):
            model.numbers.remove(number)
            model.watched.pop(number.phone, None)

    # the registration

    def found(
        self, which: int, *, by_id: bool, wanted: Callable[[Registration], object] = bool
    ) -> tuple[str, str, Registration | None, int | None]:
        """Return who acts, on which path, on which registration (mostly a wanted one), and how that is refused."""
        model = self.model
        if not (by_id and model.registrations):
            who = self.registered(which, wanted)
            registration = model.own(who)
            return who, ENTERPRISE, registration, None if registration else 404
        registration = mostly(filter(wanted, model.registrations), model.registrations, which)
        who = self.keeper(registration, which // 7)
        refusal = None
        if not model.reads(who, registration):
            refusal = 404
        elif not sees(who, registration.owner):
            refusal = 403
        elif registration.deleted is not None:
            refusal = 409
        return who, f"{ENTERPRISE}/{registration.id}", registration, refusal

    def is_draft(self, registration: Registration) -> bool:
        return registration.status(self.model.now) == DRAFT

    def is_to_be_signed(self, registration: Registration) -> bool:
        return registration.status(self.model.now) in {DRAFT, REJECTED}

    def draft(self, registration: Registration | None) -> int | None:
        """Return how a change of a registration is refused because it is no draft."""
        return 409 if registration and not self.is_draft(registration) else None

    @rule(which=which, name=names)
    def save_draft(self, which: int, name: str) -> None:
        model, who = self.model, self.who(which)
        registration = model.own(who)
        saved = self.do(who, self.draft(registration), "POST", ENTERPRISE, {**COMPANY, "legal_name": name})
        if not saved:
            return
        if registration is None:
            model.registrations.append(Registration(saved["id"], who, name, model.now))
        else:
            self.rename(registration, name)

    @precondition(lambda self: self.model.registrations)
    @rule(which=which, name=names)
    def edit_draft(self, which: int, name: str) -> None:
        who, path, registration, refusal = self.found(which, by_id=True, wanted=self.is_draft)
        if self.do(who, refusal or self.draft(registration), "PATCH", path, {"legal_name": name}):
            assert registration is not None
            self.rename(registration, name)

    def rename(self, registration: Registration, name: str) -> None:
        registration.name = name
        if registration.reputation and registration.reputation.hearing.verdict(self.model.now) is None:
            registration.reputation.hearing.name = name

    @precondition(lambda self: self.model.registrations)
    @rule(which=which, by_id=by_id)
    def submit(self, which: int, *, by_id: bool) -> None:
        who, path, registration, refusal = self.found(which, by_id=by_id, wanted=self.is_draft)
        sent = self.do(who, refusal or self.draft(registration), "POST", f"{path}/submit")
        if sent:
            assert registration is not None
            self.send(registration, sent["carrier_enterprise_id"])

    @precondition(lambda self: self.model.registrations)
    @rule(which=which, by_id=by_id, at_wrong_time=seldom, ahead=st.sampled_from([0] * 5 + [6 * MINUTE]))
    def sign(self, which: int, ahead: int, *, by_id: bool, at_wrong_time: bool) -> None:
        self.move_on()
        model = self.model
        who, path, registration, refusal = self.found(which, by_id=by_id, wanted=self.is_to_be_signed)
        again = (self.draft(registration) is None) is at_wrong_time
        refusal = refusal or (409 if at_wrong_time else 400 if ahead else None)
        body = {**SIGNATURE, "consent_acknowledged_at": iso(model.now + ahead)}
        signed = self.do(who, refusal, "POST", f"{path}/{'resign' if again else 'sign-and-submit'}", body)
        if not signed:
            return
        assert registration is not None
        self.send(registration, signed["carrier_enterprise_id"])
        registration.hearing = Hearing.of(model.now, registration.name)
        registration.letter = signed["loa_document_id"]
        assert registration.letter not in model.documents
        letter = Document(registration.owner, model.now, "letter-of-authorization.pdf", None, linked=True)
        model.documents[registration.letter] = letter
        reputation = registration.reputation
        if not again and (reputation is None or reputation.status(model.now) == REJECTED):
            registration.reputation = Reputation(Hearing.of(model.now, registration.name), "daily")

    def send(self, registration: Registration, carrier: str) -> None:
        assert registration.carrier in {None, carrier}
        registration.carrier, registration.sent = carrier, self.model.now

    @precondition(lambda self: self.model.registrations)
    @rule(which=which, by_id=by_id)
    def render_letter(self, which: int, *, by_id: bool) -> None:
        who, path, registration, refusal = self.found(which, by_id=by_id)
        if registration is not None and registration.carrier is None:
            refusal = refusal or 409
        self.do(who, refusal, "POST", f"{path}/generate-loa", SIGNER)

    @precondition(lambda self: self.model.registrations)
    @rule(which=which, by_id=by_id)
    def delete(self, which: int, *, by_id: bool) -> None:
        model = self.model
        who, path, registration, refusal = self.found(which, by_id=by_id, wanted=self.is_watching)
        if not self.do(who, refusal, "DELETE", path):
            return
        assert registration is not None
        if registration.carrier is None:
            model.registrations.remove(registration)
            assert self.get(f"{ENTERPRISE}/{registration.id}").status == 404
        else:
            self.tear_down(registration)
            registration.deleted = model.now
        registration.brand = None

    def tear_down(self, registration: Registration) -> None:
        model = self.model
        if registration.reputation and registration.reputation.status(model.now) == APPROVED:
            for watched in list(model.watched.values()):
                if watched.owner == registration.owner:
                    del model.watched[watched.phone]
        registration.reputation = None
        model.note_frequencies()

    # the carrier

    def open_cases(self) -> list[tuple[str, str]]:
        """Return what the carrier has to decide, and for whom."""
        now = self.model.now
        return [
            (what, r.owner)
            for r in self.model.registrations
            for what, is_open in (
                ("enterprise", r.status(now) == VETTED),
                ("reputation", r.reputation and r.reputation.status(now) == PENDING),
                ("brand", r.brand and r.brand.status(now) == SUBMITTED),
            )
            if is_open
        ]

    @precondition(lambda self: self.open_cases())
    @rule(which=which, verdict=st.sampled_from([Verdict(APPROVED, []), Verdict(REJECTED, ["No.", "Never."])]))
    def decide(self, which: int, verdict: Verdict) -> None:
        model, anything = self.model, (pick([*VERDICTS], which), self.registered(which // 3))
        what, who = mostly(self.open_cases(), [anything], which)
        registration = model.own(who)
        of: dict[str, Registration | Brand | Reputation | None] = dict.fromkeys(VERDICTS)
        if registration:
            of = {"enterprise": registration, "brand": registration.brand, "reputation": registration.reputation}
        refusal = 404 if of[what] is None else None if (what, who) in self.open_cases() else 409
        find, told = VERDICTS[what]
        self.order(who, refusal, lambda world, credential: told(world, find(world, credential), verdict))
        case = of[what]
        if refusal is None and case and case.hearing:
            case.hearing.ordered = (model.now, verdict)
            model.note_frequencies()

    # documents

    @rule(which=which, infected=st.sampled_from([False, False, True]))
    def upload(self, which: int, *, infected: bool) -> None:
        who, content = self.who(which), PDF + (EICAR if infected else b"")
        body = {"filename": "letter.pdf", "file_base64": b64encode(content).decode()}
        made = self.do(who, None, "POST", DOCUMENTS, body)
        self.model.documents[made["document_id"]] = Document(who, self.model.now, "letter.pdf", content)

    # reputation

    @precondition(lambda self: self.model.registrations)
    @rule(which=which, frequency=st.none() | frequencies, choice=st.sampled_from(["clean", "new", None]))
    def enable(self, which: int, frequency: str | None, choice: str | None) -> None:
        self.move_on()
        model, who = self.model, self.registered(which, self.is_unwatched)
        registration = model.own(who)
        if choice == "new":
            self.upload(which, infected=False)
        clean = [key for key in model.documents if self.unusable(who, key) is None]
        letter = pick({"clean": clean, "new": [*model.documents][-1:]}.get(choice or "") or [None], which)
        refusal: int | None
        if registration is None or registration.carrier is None:
            refusal = 409 if registration else 404
        elif not self.is_unwatched(registration):  # asked before, and answered as it is
            assert self.do(who, None, "POST", REPUTATION, {"check_frequency": frequency or "daily"})
            return
        elif letter is None:
            refusal = None if registration.letter else 409
        else:
            refusal = self.unusable(who, letter)
        body = {"check_frequency": frequency, "loa_document_id": letter}
        made = self.do(who, refusal, "POST", REPUTATION, {name: value for name, value in body.items() if value})
        if made and registration:
            registration.reputation = Reputation(Hearing.of(model.now, registration.name), frequency or "daily")
            if letter:
                model.documents[letter].linked = True

    def unusable(self, who: str, document_id: str) -> int | None:
        """Return how the use of a document is refused."""
        document, now = self.model.documents[document_id], self.model.now
        if not (sees(who, document.owner) and document.exists(now)):
            return 404
        return None if document.scan(now) == "CLEAN" else 409

    def not_approved(self, who: str) -> int | None:
        registration = self.model.own(who)
        if registration is None:
            return 404
        return None if self.is_watching(registration) else 409

    def is_unwatched(self, registration: Registration) -> bool:
        """Whether the carrier would take a request to watch the numbers, if it came with a letter."""
        reputation = registration.reputation
        is_open = reputation is None or reputation.status(self.model.now) == REJECTED
        return registration.carrier is not None and is_open

    def is_watching(self, registration: Registration) -> bool:
        return registration.reputation is not None and registration.reputation.status(self.model.now) == APPROVED

    @precondition(lambda self: any(r.reputation for r in self.model.registrations))
    @rule(which=which, frequency=frequencies)
    def change_frequency(self, which: int, frequency: str) -> None:
        model, who = self.model, self.registered(which, self.is_watching)
        changed = self.do(who, self.not_approved(who), "PATCH", REPUTATION, {"check_frequency": frequency})
        registration = model.own(who)
        if changed and registration and registration.reputation:
            registration.reputation.frequency = frequency
            registration.reputation.changed = model.now
            model.note_frequencies()

    @precondition(lambda self: any(r.reputation for r in self.model.registrations))
    @rule(which=which)
    def disable(self, which: int) -> None:
        who = self.registered(which, self.is_watching)
        registration = self.model.own(who)
        if self.do(who, self.not_approved(who), "DELETE", REPUTATION) and registration:
            self.tear_down(registration)

    @rule(which=which, of=st.lists(which, min_size=1, max_size=2))
    def enrol(self, which: int, of: list[int]) -> None:
        model, who = self.model, self.who(which)
        mine = [number.phone for number in model.seen_by(who, model.numbers)]
        asked = [str(mostly(mine, [*FOR_SALE, NOT_OWNED], each)) for each in of]
        owned = {n.phone: n for n in model.seen_by(who, model.numbers) if model.now >= n.active}
        refusal = 404 if set(asked) - set(owned) else 400 if CANADIAN in asked else None
        enrolled = self.do(who, refusal, "POST", NUMBERS, {"phone_numbers": asked})
        if enrolled:
            assert enrolled == {"enrolled": len(set(asked)), "phone_numbers": list(dict.fromkeys(asked))}
            for phone in asked:
                model.watch(owned[phone])

    @rule(which=which)
    def disenrol(self, which: int) -> None:
        model = self.model
        phone = mostly(model.watched, FOR_SALE, which)
        watched = model.watched.get(phone)
        who = self.keeper(watched, which // 7) if watched else ORGANIZATION
        refusal = None if watched and sees(who, watched.owner) else 404
        if self.do(who, refusal, "DELETE", f"{NUMBERS}/{phone}"):
            del model.watched[phone]

    @precondition(lambda self: self.model.watched)
    @rule(which=which)
    def query(self, which: int) -> None:
        model = self.model
        watched = pick([*model.watched.values()], which)
        who = self.keeper(watched, which // 7)
        expected = 200
        if not sees(who, watched.owner):
            expected = 404
        elif watched.queries and watched.queries[-1] // DAY == model.now // DAY:
            expected = 429
        elif model.spent_today() + QUERY > CAP:
            expected = 403
        answer = self.get(f"{NUMBERS}/{watched.phone}?fresh=true", who)
        assert answer.status == expected
        if expected == 200:
            watched.queries.append(model.now)
            assert answer.data["last_refreshed_at"] == iso(model.now)

    # the brand

    @precondition(lambda self: self.model.registrations)
    @rule(which=which, name=names, reason=texts)
    def save_brand(self, which: int, name: str, reason: str) -> None:
        who = self.registered(which)
        registration = self.model.own(who)
        body = {"display_name": name, "call_reason": reason}
        saved = self.do(who, None if registration else 404, "PUT", BRAND, body)
        if saved and registration:
            if registration.brand is None:
                registration.brand = Brand(saved["id"], name, reason)
            registration.brand.edit(name=name, reason=reason)

    @precondition(lambda self: any(r.brand for r in self.model.registrations))
    @rule(which=which, logo=st.sampled_from([LOGO, LOGO, LOGO, None]))
    def set_logo(self, which: int, logo: str | None) -> None:
        who = self.registered(which, lambda r: r.brand)
        brand = self.brand(who)
        edit, needed = branded_calling.edit, branded_calling.needed
        refusal = None if brand else 404
        self.order(who, refusal, lambda world, key: edit(world, needed(world, key), logo_url=logo))
        if brand:
            brand.edit(logo=logo)

    @precondition(lambda self: any(r.brand for r in self.model.registrations))
    @rule(which=which)
    def submit_brand(self, which: int) -> None:
        who, now = self.registered(which, lambda r: r.brand), self.model.now
        brand = self.brand(who)
        refusal = None if brand else 404
        is_draft = brand is not None and brand.status(now) == DRAFT
        if brand and brand.status(now) == REJECTED:
            refusal = 409
        elif brand and is_draft and not (brand.reason.strip() and brand.logo):
            refusal = 400
        if self.do(who, refusal, "POST", f"{BRAND}/submit") and brand and is_draft:
            brand.submit(now)

    def brand(self, who: str) -> Brand | None:
        registration = self.model.own(who)
        return registration.brand if registration else None

    # caller IDs

    @rule(which=which, phone=st.sampled_from(PHONES))
    def start_caller_id(self, which: int, phone: str) -> None:
        model, who = self.model, self.who(which)
        before = [c for c in model.seen_by(who, model.caller_ids) if c.phone == phone]
        statuses = [c.status(model.now) for c in before]
        refusal = 409 if VERIFIED in statuses else None
        made = self.do(who, refusal, "POST", CALLER_IDS, {"phone_number": phone})
        if made:
            replaced = [c for c, status in zip(before, statuses, strict=True) if status == PENDING]
            model.caller_ids = [c for c in model.caller_ids if c not in replaced]
            record = self.client.world.store.get("caller_ids", made["caller_id_id"])
            assert record is not None
            model.caller_ids.append(CallerId(made["caller_id_id"], who, phone, record["code"], model.now))

    def caller_id(self, which: int, status: str) -> CallerId:
        """Pick a caller ID: mostly one of a status."""
        of = [c for c in self.model.caller_ids if c.status(self.model.now) == status]
        found: CallerId = mostly(of, self.model.caller_ids, which)
        return found

    @precondition(lambda self: self.model.caller_ids)
    @rule(
        which=which, codes=st.sampled_from([[True], [False], [False, True], [False] * TRIES, [False] * TRIES + [True]])
    )
    def hand_in(self, which: int, codes: list[bool]) -> None:
        """Hand in codes, right or wrong, one after another."""
        model, caller_id = self.model, self.caller_id(which, PENDING)
        who = self.keeper(caller_id, which // 7)
        for is_right in codes:
            status = caller_id.status(model.now)
            refusal = 404 if not sees(who, caller_id.owner) else 409 if status in {EXPIRED, FAILED} else None
            code = caller_id.code if is_right else "a wrong one"
            path = f"{CALLER_IDS}/{caller_id.id}/verify"
            answer = self.do(who, refusal, "POST", path, {"verification_code": code})
            if answer and status != VERIFIED:
                assert answer["verified"] is is_right
                caller_id.verified = model.now if is_right else None
                caller_id.wrong += [] if is_right else [model.now]
            elif answer:
                assert answer["verified"] is True

    @precondition(lambda self: self.model.caller_ids)
    @rule(which=which, name=st.sampled_from(["Harbor Dental", "Harbor", ""]))
    def name_caller_id(self, which: int, name: str) -> None:
        model, caller_id = self.model, self.caller_id(which, VERIFIED)
        who = self.keeper(caller_id, which // 7)
        is_verified = caller_id.status(model.now) == VERIFIED
        refusal = 404 if not sees(who, caller_id.owner) else None if is_verified else 409
        if self.do(who, refusal, "PATCH", f"{CALLER_IDS}/{caller_id.id}", {"cnam_display_name": name}):
            caller_id.named = (model.now, name)

    @rule(which=which, phone=st.sampled_from([*PHONES, ORDINARY, HIGH]))
    def call(self, which: int, phone: str) -> None:
        model, who = self.model, self.who(which)
        verified = [c for c in model.caller_ids if c.status(model.now) == VERIFIED]
        active = [number for number in model.numbers if model.now >= number.active]
        is_mine = any(caller.phone == phone for caller in model.seen_by(who, [*verified, *active]))
        refusal = 422 if not is_mine else 403 if model.spent_today() + CALL > CAP else None
        self.do(who, refusal, "POST", "/v1/calls/dial", {"from_number": phone, "to_number": BUSY})

    # what always holds

    @invariant()
    def registrations_agree(self) -> None:
        model = self.model
        for who in model.keys:
            read = model.read(who)
            expected = read and read.shown(model.now, read_only=not sees(who, read.owner))
            assert self.get(ENTERPRISE, who).data == expected
            reputation = read and read.reputation
            watching = {"enterprise_id": read.id, **reputation.shown(model.now)} if read and reputation else None
            assert self.get(REPUTATION, who).data == watching
            assert self.get(BRAND, who).data == (read.brand.shown(model.now) if read and read.brand else None)
            for registration in model.registrations:
                answer = self.get(f"{ENTERPRISE}/{registration.id}", who)
                if not model.reads(who, registration):
                    assert answer.status == 404
                    continue
                shown = registration.shown(model.now, read_only=not sees(who, registration.owner))
                assert answer.data == {**shown, "created_at": iso(registration.created)}

    @invariant()
    def watched_numbers_agree(self) -> None:
        model = self.model
        for who in model.keys:
            seen = model.seen_by(who, reversed(model.watched.values()))
            shown = self.get(NUMBERS, who).data
            assert [number["phone_number"] for number in shown] == [watched.phone for watched in seen]
            for watched, number in zip(seen, shown, strict=True):
                brand = model.brand_of(watched)
                risk, category = watched.opinion(model.now)
                assert number["enterprise_id"] == (brand.id if brand else UMBRELLA)
                assert number["last_refreshed_at"] == latest(watched.refreshed(model.now))
                assert (number["spam_risk"], number["spam_category"]) == (risk, category)
                scores = [value for name, value in number.items() if name.endswith("_score")]
                low, high = BANDS.get(risk or "", (0, 0))
                assert all(score is None if risk is None else low <= score <= high for score in scores)
                refresh = (watched.phone, watched.since, number["last_refreshed_at"])
                assert self.said.setdefault(refresh, scores) == scores  # they stay until the next one
                if who == watched.owner:
                    alone = {**number, "enterprise_id": brand and brand.id}
                    assert self.get(f"{NUMBERS}/{watched.phone}", who).data == alone
            risks = [watched.opinion(model.now)[0] or "unknown" for watched in seen]
            distribution = self.get("/v1/usage", who).data["spam_risk_distribution"]
            assert distribution == {risk: risks.count(risk) for risk in (*BANDS, "unknown")}

    @invariant()
    def accounts_agree(self) -> None:
        model = self.model
        for who in model.keys:
            read = model.read(who)
            assert self.get("/v1/account", who).data["footprint"] == {
                "phone_numbers": len(model.seen_by(who, model.numbers)),
                "enrolled_reputation_numbers": len(model.seen_by(who, model.watched.values())),
                "own_brand_enterprise": read is not None and read.carrier is not None,
            }
        for number in model.numbers:
            watched = model.watched.get(number.phone)
            shown = self.get(f"/v1/phone-numbers/{number.id}").data
            assert shown["reputation_enrolled_at"] == (iso(watched.since) if watched else None)
        spent = self.client.world.guardrails.spent_today()
        assert spent == model.spent_today() * 1000 <= CAP * 1000

    @invariant()
    def caller_ids_agree(self) -> None:
        model = self.model
        for who in model.keys:
            seen = reversed(model.seen_by(who, model.caller_ids))
            assert self.get(CALLER_IDS, who).data == [caller_id.shown(model.now) for caller_id in seen]

    @invariant()
    def documents_agree(self) -> None:
        model = self.model
        for who in model.keys:
            for document_id, document in model.documents.items():
                answer = self.get(f"{DOCUMENTS}/{document_id}", who)
                if not (sees(who, document.owner) and document.exists(model.now)):
                    assert answer.status == 404
                    continue
                scan = document.scan(model.now)
                shown = {**answer.data, "sha256": None} if document.content is None else answer.data
                assert shown == {
                    "document_id": document_id,
                    "filename": document.filename,
                    "content_type": "application/pdf",
                    "status": {PENDING: "PROCESSING", "CLEAN": "AVAILABLE", "INFECTED": REJECTED}[scan],
                    "av_scan_status": scan,
                    "sha256": document.content and sha256(document.content).hexdigest(),
                }

    @invariant()
    def sub_entities_agree(self) -> None:
        model = self.model
        expected = [
            {
                "id": entity.id,
                "name": entity.name,
                "slug": entity.slug,
                "parent_organization_id": ORGANIZATION,
                "hipaa_enabled": entity.hipaa,
                "member_count": 1,
                "phone_number_count": len([n for n in model.numbers if n.owner == entity.id]),
                "created_at": iso(entity.created),
            }
            for entity in reversed(model.sub_entities)
        ]
        assert self.get(SUB_ENTITIES).data == expected
        for entity in model.sub_entities:
            assert self.get(SUB_ENTITIES, entity.id).status == 403


@pytest.mark.timeout(180)  # a hundred long lives, each step compared in full
def test_the_carrier_and_its_customers_agree_with_the_model_whatever_happens() -> None:
    run_state_machine_as_test(CallerTrust, settings=settings(stateful_step_count=60))
