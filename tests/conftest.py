"""What the tests share: an emulator with a standing clock, and a client that speaks HTTP-shaped requests to it."""

import asyncio
import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import orjson
import pytest

from revdesk_mock import Emulator, Policies, Request, Response, Settings, World, keys
from revdesk_mock.emulator import export
from revdesk_mock.messages import Record
from revdesk_mock.settings import shipped
from revdesk_mock.simulation.credentials import SCOPES
from revdesk_mock.spec import Spec

KEY = "revdesk_0123456789abcdef0123456789abcdef"
# The fixture's records.
MAIN, RECALL = "+14155550100", "+12125550100"  # owned, active numbers: records 1001 and 1002
VERIFIED = "+16175550142"  # a verified caller ID
AGENT, NEWER_AGENT = "a1b6e0c4-52d8-4e7f-8c93-17f4d0e6b2a5", "c7d3f9b2-6e14-4a58-93bd-e05a8c1f7d64"
ORDINARY = "+13125550100"
ORGANIZATION = "6f1c2a9e-3b57-4c1d-9a84-0f5e7d2b6c31"
UPTOWN = "9d4b7c20-61fe-4a35-8e02-c5a7f3d81b96"  # its sub-entity
# What an enterprise is registered with, and who signs for it.
PERSON = {"first_name": "Sam", "last_name": "Rivera", "email": "sam@harbor-dental.example"}
ADDRESS = {
    "country": "US",
    "administrative_area": "CA",
    "city": "San Francisco",
    "postal_code": "94105",
    "street_address": "1 Harbor Way",
}
COMPANY = {
    "legal_name": "Harbor Dental LLC",
    "dba": "Harbor Dental",
    "organization_type": "COMMERCIAL",
    "website": "https://harbor-dental.example",
    "fein": "12-3456789",
    "industry": "health",
    "jurisdiction_of_incorporation": "CA",
    "number_of_employees": "SIZE_1_10",
    "organization_legal_type": "LLC",
    "organization_contact": {**PERSON, "job_title": "Owner", "phone": MAIN},
    "billing_contact": {**PERSON, "phone_number": MAIN},
    "organization_address": ADDRESS,
    "billing_address": ADDRESS,
}
SIGNER = {"signer_full_name": "Sam Rivera", "signer_email": "sam@harbor-dental.example", "signer_title": "Owner"}
SIGNATURE = {
    **SIGNER,
    "consent_acknowledged_at": "2026-01-05T09:00:00Z",
    "confirm_carrier_commit": "I understand this submits to the carrier",
}

SPEC = Spec.load(shipped("openapi.json"))

hypothesis.settings.register_profile("dev", max_examples=25, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("nightly", max_examples=2000, deadline=None)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "dev")
hypothesis.settings.load_profile(PROFILE)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking through thousands of tests again and again: its pauses grow with them."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a night's many examples take their time."""
    if PROFILE == "nightly":
        for item in items:
            item.add_marker(pytest.mark.timeout(3600))


@dataclass
class Answer:
    """A response as tests look at it."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.body["error"].get("fields", {}))


def answer_of(response: Response) -> Answer:
    return Answer(response.status, dict(response.headers), response.body)


@dataclass
class Client:
    """Sends requests through the emulator's pipeline in one key's name."""

    emulator: Emulator
    key: str = KEY
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def world(self) -> World:
        return self.emulator.world(self.key)

    def request(self, method: str, target: str, body: Any = None, **headers: str | None) -> Request:
        """Build a request; a header given as None is left out, `idempotency_key` becomes Idempotency-Key."""
        path, _, query = target.partition("?")
        sent: dict[str, str | None] = {"host": "127.0.0.1:8473", "authorization": f"Bearer {self.key}", **self.headers}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return Request(method, path, query, {name: value for name, value in sent.items() if value is not None}, raw)

    async def send(self, method: str, target: str, body: Any = None, **headers: str | None) -> Answer:
        return answer_of(await self.emulator.handle(self.request(method, target, body, **headers)))

    def __call__(self, method: str, target: str, body: Any = None, **headers: str | None) -> Answer:
        return asyncio.run(self.send(method, target, body, **headers))

    def get(self, target: str, **headers: str | None) -> Answer:
        return self("GET", target, **headers)

    def post(self, target: str, body: Any = None, **headers: str | None) -> Answer:
        return self("POST", target, body, **headers)

    def with_key(
        self, owner: str = "organization", *, team: str | None = None, has_user: bool = True, scopes: Any = SCOPES
    ) -> "Client":
        """Return a client that comes to the same world with another key."""
        key, _ = keys.mint(self.world, owner, team=team, has_user=has_user, scopes=scopes)
        return Client(self.emulator, key)

    def advance(self, seconds: float) -> None:
        self.world.advance(seconds)


def emulator_with(**policies: Any) -> Emulator:
    """Return an emulator with a standing clock, a fixed seed and these policies."""
    return Emulator(Settings(seed="test", clock="frozen", policies=Policies(**policies)), SPEC)


def registered(client: Client, organization: str = ORGANIZATION, **changes: Any) -> Record:
    """Write the registration of an organization, vetted and with a carrier record, and return it."""
    with client.world.store.transaction():
        return client.world.store.insert(
            "enterprises",
            {
                "id": client.world.dice.uuid(),
                "organization_id": organization,
                "carrier_enterprise_id": "ent_1",
                "status": "APPROVED",
                "role_type": "ENTERPRISE",
                **COMPANY,
                "country_code": "US",
                "rejection_reasons": [],
                "synced_at": None,
                "loa_document_id": "a-signed-letter",
                "signatures": [],
                "created_at": client.world.clock.now(),
                "updated_at": client.world.clock.now(),
                "due_at": None,
                **changes,
            },
        )


def reopened(client: Client, folder: Path, **policies: Any) -> Client:
    """Return the same key's client after an export and a restart."""
    export(client.emulator, folder / "export.json")
    emulator = emulator_with(**policies)
    emulator.restore(folder / "export.json")
    return Client(emulator, client.key)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Give an emulator with a standing clock; the contract is unbroken at the end."""
    made = emulator_with()
    yield made
    assert made.pipeline.breaches == []


@pytest.fixture
def client(emulator: Emulator) -> Client:
    return Client(emulator)
