"""A company's day against revdesk-mock: it buys, registers, verifies, calls, texts, and at the end everything adds up.

Run it against a server on this machine; it needs nothing but Python:

    REVDESK_API_URL=http://127.0.0.1:8473 REVDESK_API_KEY=revdesk_company_day python examples/company_day.py
"""

import base64
import json
import os
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

URL = os.environ.get("REVDESK_API_URL", "http://127.0.0.1:8473")
KEY = os.environ.get("REVDESK_API_KEY", "revdesk_company_day")

PERSON = {"first_name": "Sam", "last_name": "Rivera", "email": "sam@harbor-dental.example"}
ADDRESS = {
    "country": "US",
    "administrative_area": "IL",
    "city": "Chicago",
    "postal_code": "60601",
    "street_address": "1 Harbor Way",
}
COMPANY = {
    "legal_name": "Harbor Dental LLC",
    "dba": "Harbor Dental",
    "organization_type": "COMMERCIAL",
    "website": "https://harbor-dental.example",
    "fein": "12-3456789",
    "industry": "health",
    "jurisdiction_of_incorporation": "IL",
    "number_of_employees": "SIZE_1_10",
    "organization_legal_type": "LLC",
    "organization_contact": {**PERSON, "job_title": "Owner", "phone": "+13125550100"},
    "billing_contact": {**PERSON, "phone_number": "+13125550100"},
    "organization_address": ADDRESS,
    "billing_address": ADDRESS,
}
SIGNER = {"signer_full_name": "Sam Rivera", "signer_email": "sam@harbor-dental.example", "signer_title": "Owner"}
# Whom the company calls today, and what becomes of it: magic numbers decide.
CALLS = {"+13125550101": "COMPLETED", "+13125550102": "BUSY", "+13125550103": "NO_ANSWER", "+13125550104": "VOICEMAIL"}


class Refused(Exception):
    """An answer that is no success: its status, and the body with the vendor's error."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.error = body["error"]


class Api:
    """One key's way to the API, and to the emulator's own routes beside it."""

    def __init__(self, key: str) -> None:
        self.key = key

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request and return the decoded answer; raises Refused for anything but a success."""
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **headers}
        raw = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(URL + path, raw, sent, method=method)  # noqa: S310 the address is the user's
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310 as above
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, json.load(error)) from None

    def get(self, path: str) -> Any:
        """Read something; return its data."""
        return self.ask("GET", path)["data"]

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Do something; return its data."""
        return self.ask("POST", path, body, **headers)["data"]

    def wait(self, seconds: int) -> str:
        """Let time pass, at once; return the new time."""
        now: str = self.ask("POST", "/_revdesk/clock", {"advance_seconds": seconds})["now"]
        return now


def buy(api: Api, area_code: str, name: str) -> Any:
    """Buy the first number for sale in an area and wait until it is active."""
    wanted = api.get(f"/v1/phone-numbers/search?area_code={area_code}&limit=1")[0]["phone_number"]
    record = api.post("/v1/phone-numbers", {"phone_number": wanted, "name": name})["phone_record_id"]
    assert not api.get(f"/v1/phone-numbers/{record}")["is_active"]
    api.wait(5)
    number = api.get(f"/v1/phone-numbers/{record}")
    assert (number["is_active"], number["phone_number"]) == (True, wanted)
    return number


def register(api: Api) -> None:
    """Register the company, sign, and wait for the carrier's word."""
    assert api.get("/v1/caller-trust/enterprise") is None
    draft = api.post("/v1/caller-trust/enterprise", COMPANY)
    api.ask("PATCH", f"/v1/caller-trust/enterprise/{draft['id']}", {"dba": "Harbor Dental Care"})
    now = api.ask("GET", "/_revdesk/clock")["now"]
    consent = {
        "consent_acknowledged_at": now,
        "confirm_carrier_commit": "I understand this submits to the carrier",
    }
    signed = api.post("/v1/caller-trust/enterprise/sign-and-submit", {**SIGNER, **consent})
    assert (signed["status"], signed["reputation"]["status"]) == ("PENDING_VETTING", "PENDING")
    api.wait(60)
    assert api.get("/v1/caller-trust/enterprise")["status"] == "APPROVED"
    assert api.get("/v1/caller-trust/reputation")["status"] == "APPROVED"
    letter = api.post("/v1/caller-trust/enterprise/generate-loa", SIGNER)
    assert base64.b64decode(letter["pdf_base64"]).startswith(b"%PDF-")


def brand(api: Api) -> None:
    """Write the text and set the logo that phones will show, and send both in."""
    api.ask("PUT", "/v1/caller-trust/brand", {"display_name": "Harbor Dental", "call_reason": "Your appointment"})
    try:
        api.post("/v1/caller-trust/brand/submit")
    except Refused as refused:
        assert "logo_url" in refused.error["fields"]
    api.ask("PUT", "/_revdesk/brand/logo", {"logo_url": "https://harbor-dental.example/logo.png"})
    assert api.post("/v1/caller-trust/brand/submit")["status"] == "PENDING_SUBMIT"


def verify(api: Api, number: str) -> None:
    """Make a number of one's own one to call from; the admin API plays the phone that rings."""
    started = api.post("/v1/caller-ids", {"phone_number": number})["caller_id_id"]
    code = api.ask("GET", f"/_revdesk/caller-ids/{started}/code")["code"]
    assert api.post(f"/v1/caller-ids/{started}/verify", {"verification_code": code})["verified"]


def call(api: Api, caller: str) -> list[str]:
    """Call everybody on today's list, one of them twice by a retry that dials nothing; return the call ids."""
    ids = []
    for destination in CALLS:
        body = {"from_number": caller, "to_number": destination, "connect_number": "+17035550100"}
        dialed = [api.post("/v1/calls/dial", body, **{"Idempotency-Key": f"call-{destination}"}) for _ in range(2)]
        assert dialed[0] == dialed[1]
        ids.append(dialed[0]["call_id"])
    agent = api.get("/v1/agents?limit=1")[0]["id"]
    api.ask("PATCH", f"/v1/agents/{agent}", {"greeting": "Good day, this is Harbor Dental."})
    ids.append(api.post("/v1/calls", {"phoneNumber": "+13125550108", "assistantId": agent})["call_id"])
    api.wait(120)
    outcomes = Counter(api.get(f"/v1/calls/{call_id}")["status"] for call_id in ids)
    assert outcomes == Counter([*CALLS.values(), "COMPLETED"])
    return ids


def text(api: Api, sender: str) -> int:
    """Send reminders; return how many."""
    recipients = ("+13125550107", "+13125550108")
    for recipient in recipients:
        sent = api.post("/v1/sms/send", {"from": sender, "to": recipient, "message": "See you tomorrow at nine."})
        assert sent["status"] == "queued"
    api.wait(5)
    return len(recipients)


def branch(api: Api) -> Api:
    """Open a branch with a key and a number of its own; it reads the company's registration and no more."""
    uptown = api.post("/v1/sub-entities", {"name": "Harbor Dental North"})["id"]
    order = {"owner": "sub_entity", "sub_entity_id": uptown}
    north = Api(api.ask("POST", "/_revdesk/keys", order)["key"])
    buy(north, "312", "North")
    assert len(north.get("/v1/phone-numbers")) == 1
    assert north.get("/v1/caller-trust/enterprise")["read_only"]
    assert api.get(f"/v1/sub-entities/{uptown}")["phone_number_count"] == 1
    return north


def add_up(api: Api, north: Api, before: Any) -> Any:
    """Check that the parts are what the totals say; return the month's usage."""
    usage = api.get("/v1/usage")
    numbers = api.get("/v1/phone-numbers")
    parts = [api.get(f"/v1/usage/{number['id']}") for number in numbers]
    for total in ("calls_placed", "minutes_used"):
        assert usage[total] == sum(part[total] for part in parts)
    assert all(part["calls_placed"] == sum(part["calls_by_status"].values()) for part in parts)
    assert usage["calls_placed"] - before["calls_placed"] == len(CALLS) + 2
    assert usage["phone_numbers_active"] == len(numbers)
    monitored = api.get("/v1/caller-trust/reputation/numbers")
    assert sum(usage["spam_risk_distribution"].values()) == len(monitored)
    footprint = api.get("/v1/account")["footprint"]
    assert footprint["phone_numbers"] == len(numbers)
    assert footprint["enrolled_reputation_numbers"] == len(monitored)
    assert footprint["own_brand_enterprise"]
    assert north.get("/v1/usage")["calls_placed"] == 0
    return usage


def main() -> None:
    """Live through the day, and say what happened."""
    api = Api(KEY)
    before = api.get("/v1/usage")
    print(f"{api.get('/v1/me')['organization']['name']} has {len(api.get('/v1/phone-numbers'))} numbers.")
    front = buy(api, "415", "Front desk 2")
    print(f"Bought {front['phone_number']}.")
    register(api)
    print(f"Registered {api.get('/v1/caller-trust/enterprise')['legal_name']}: APPROVED.")
    watched = api.post("/v1/caller-trust/reputation/numbers", {"phone_numbers": [front["phone_number"]]})
    print(f"Monitored: {', '.join(watched['phone_numbers'])}.")
    brand(api)
    north = branch(api)
    print("Opened a branch with a key and a number of its own.")
    verify(api, "+13125550177")
    own = api.post("/v1/calls/dial", {"from_number": "+13125550177", "to_number": "+13125550101"})
    api.wait(60)
    print(f"Called from a verified caller ID: {api.get('/v1/calls/' + own['call_id'])['status']}.")
    calls = call(api, front["phone_number"])
    print(f"Called {len(calls)} people, sent {text(api, front['phone_number'])} texts.")
    api.wait(86_400)
    print(f"Overnight the brand was {api.get('/v1/caller-trust/brand')['status']}.")
    usage = add_up(api, north, before)
    print(f"{usage['calls_placed']} calls and {usage['minutes_used']} minutes this month: it adds up.")


if __name__ == "__main__":
    main()
