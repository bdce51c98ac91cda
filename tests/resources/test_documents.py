"""Documents: what can be uploaded, how its scan ends, and when it is gone."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import paperwork
from revdesk_mock.json_body import MAX_BYTES
from tests.conftest import Answer, Client, emulator_with, reopened

DOCUMENTS = "/v1/caller-trust/documents"
HALF_AN_HOUR = 1800
LETTER = b"%PDF-1.7\nDear carrier, the numbers below are ours.\n%%EOF\n"
MOST = 700 * 1024  # bytes
EICAR = paperwork.EICAR


def encoded(content: bytes) -> str:
    return b64encode(content).decode()


def upload(client: Client, content: bytes = LETTER, **body: Any) -> Answer:
    return client.post(DOCUMENTS, {"file_base64": encoded(content), "filename": "letter.pdf", **body})


def look(client: Client, uploaded: Answer) -> Answer:
    return client.get(f"{DOCUMENTS}/{uploaded.data['document_id']}")


def state(client: Client, uploaded: Answer) -> tuple[str, str]:
    data = look(client, uploaded).data
    return data["status"], data["av_scan_status"]


def record(client: Client, uploaded: Answer) -> dict[str, Any]:
    found = client.world.store.get("documents", uploaded.data["document_id"])
    assert found is not None
    return found


def refusal(client: Client, **body: Any) -> Answer:
    """Upload in vain, leaving no trace."""
    client.get("/v1/me")
    before = client.world.dump()
    answer = upload(client, **body)
    assert (answer.status, answer.code) == (400, "validation_error")
    assert client.world.dump() == before
    return answer


def reason(client: Client, answer: Answer) -> tuple[str, str]:
    """Return which rule refused, and what it says that it got."""
    entry = client.emulator.journal.find(answer.headers["x-request-id"])
    assert entry is not None
    [told] = entry.reasons
    return told.rule, told.got


# uploading


def test_an_upload_is_processed_at_first(client: Client) -> None:
    data = upload(client).data
    assert data.pop("document_id")
    assert data == {"filename": "letter.pdf", "content_type": "application/pdf", "status": "PROCESSING"}


def test_a_document_shows_its_scan_and_its_checksum(client: Client) -> None:
    uploaded = upload(client)
    expected = {**uploaded.data, "av_scan_status": "PENDING", "sha256": sha256(LETTER).hexdigest()}
    assert look(client, uploaded).data == expected


def test_each_upload_is_a_document_of_its_own(client: Client) -> None:
    assert upload(client).data["document_id"] != upload(client).data["document_id"]


def test_a_repeated_upload_with_the_same_key_is_one_document(client: Client) -> None:
    body = {"file_base64": encoded(LETTER), "filename": "letter.pdf"}
    first, second = (client.post(DOCUMENTS, body, idempotency_key="a") for _ in range(2))
    assert second.data == first.data
    assert client.world.store.size("documents") == 1


def test_the_record_keeps_size_and_checksum_and_not_the_content(client: Client) -> None:
    content = LETTER + b"A" * 100_000
    kept = record(client, upload(client, content, customer_reference="case 7"))
    assert (kept["size"], kept["sha256"]) == (len(content), sha256(content).hexdigest())
    assert (kept["customer_reference"], kept["linked_by"], kept["infected"]) == ("case 7", None, False)
    assert len(orjson.dumps(client.world.dump()["records"]["documents"])) < 1000


def test_the_reference_may_be_left_out(client: Client) -> None:
    assert record(client, upload(client))["customer_reference"] is None


def test_a_reference_of_256_characters_is_refused(client: Client) -> None:
    assert upload(client, customer_reference="x" * 255).status == 200
    answer = upload(client, customer_reference="x" * 256)
    assert (answer.status, list(answer.fields)) == (400, ["customer_reference"])


def test_the_largest_document_fits_into_a_body(client: Client) -> None:
    content = LETTER.ljust(MOST, b"\n")
    body = {"file_base64": encoded(content), "filename": "n" * 255, "customer_reference": "r" * 255}
    assert len(orjson.dumps(body)) < MAX_BYTES
    answer = client.post(DOCUMENTS, body)
    assert answer.status == 200
    assert look(client, answer).data["sha256"] == sha256(content).hexdigest()


@given(rest=st.binary(max_size=200))
def test_whatever_follows_the_start_of_a_pdf_is_taken(rest: bytes) -> None:
    client = Client(emulator_with())
    content = b"%PDF-" + rest
    assert look(client, upload(client, content)).data["sha256"] == sha256(content).hexdigest()


@pytest.mark.parametrize("name", ["a", "n" * 255, "Vollmacht für Köln.pdf", "委任状.pdf", "letter (2).PDF", "no type"])
def test_a_file_may_have_any_name_of_one_line(client: Client, name: str) -> None:
    assert look(client, upload(client, filename=name)).data["filename"] == name


# what is refused

LETTER_TEXT = encoded(LETTER)
NO_BASE64 = {
    "white space at the end": f"{LETTER_TEXT}\n",
    "white space inside": f"{LETTER_TEXT[:8]} {LETTER_TEXT[8:]}",
    "lines": f"{LETTER_TEXT[:40]}\r\n{LETTER_TEXT[40:]}",
    "no padding": encoded(b"%PDF-1.7").rstrip("="),
    "too little padding": encoded(b"%PDF-12")[:-1],
    "too much padding": f"{encoded(b'%PDF-1')}====",
    "padding inside": f"{encoded(b'%PDF-1.7')}{encoded(b'more')}",
    "padding bits that are not zero": "JVBERi0xLjd=",
    "the alphabet of URLs": encoded(b"%PDF-\xfb\xff\xbe!").replace("+", "-").replace("/", "_"),
    "a data URL": f"data:application/pdf;base64,{LETTER_TEXT}",
    "other letters": f"{LETTER_TEXT}ÄÖÜß",
    "digits of another script": f"{LETTER_TEXT}١٢٣٤",
    "plain text": "%PDF-1.7",
    "padding alone": "====",
}


@pytest.mark.parametrize("text", NO_BASE64.values(), ids=NO_BASE64)
def test_what_is_no_strict_base64_is_refused(client: Client, text: str) -> None:
    answer = refusal(client, file_base64=text)
    assert answer.fields == {"file_base64": "must be base64 with padding and without white space"}
    assert reason(client, answer)[0] == "document.base64"


@pytest.mark.parametrize(
    "content", [b"", b"%PDF", b"%pdf-1.7", b" %PDF-1.7", b"\xef\xbb\xbf%PDF-1.7", b"PK\x03\x04", b"<html>%PDF-"]
)
def test_what_does_not_begin_as_a_pdf_is_refused(client: Client, content: bytes) -> None:
    answer = refusal(client, content=content)
    assert answer.fields == {"file_base64": "must be a PDF"}
    assert reason(client, answer)[0] == "document.pdf"


def test_a_document_of_one_byte_too_many_is_refused(client: Client) -> None:
    answer = refusal(client, content=LETTER.ljust(MOST + 1, b"\n"))
    assert answer.fields == {"file_base64": "must hold at most 700 KiB"}
    assert reason(client, answer)[0] == "document.size"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("SECRETSECRET!", "13 characters"),
        (encoded(b"SECRET" * 1000), "6000 bytes"),
        (encoded(b"SECRET".ljust(MOST + 1)), f"{MOST + 1} bytes"),
    ],
    ids=["no base64", "no pdf", "too large"],
)
def test_a_refusal_tells_the_length_and_not_the_content(client: Client, text: str, length: str) -> None:
    answer = refusal(client, file_base64=text)
    got = reason(client, answer)[1]
    assert length in got
    assert len(got) < 50
    assert not [told for told in ("SECRET", text[:8]) if told in got or told in answer.raw.decode()]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "must have 1 to 255 characters"),
        ("n" * 256, "must have 1 to 255 characters"),
        ("../letter.pdf", "must not hold path separators or control characters"),
        ("C:\\letter.pdf", "must not hold path separators or control characters"),
        ("letter\n.pdf", "must not hold path separators or control characters"),
        ("letter.pdf\n", "must not hold path separators or control characters"),
        ("letter\x00.pdf", "must not hold path separators or control characters"),
        ("letter\x7f.pdf", "must not hold path separators or control characters"),
        ("letter\x85.pdf", "must not hold path separators or control characters"),
    ],
    ids=["empty", "long", "slash", "backslash", "line", "last line", "nul", "delete", "c1"],
)
def test_a_name_that_no_file_should_have_is_refused(client: Client, name: str, message: str) -> None:
    answer = refusal(client, filename=name)
    assert answer.fields == {"filename": message}
    assert reason(client, answer)[0] == "document.filename"


@pytest.mark.parametrize("field", ["file_base64", "filename", "customer_reference"])
@pytest.mark.parametrize("value", [None, 7, ["JVBERi0="]], ids=["null", "number", "list"])
def test_a_field_of_another_type_is_refused(client: Client, field: str, value: Any) -> None:
    assert set(refusal(client, **{field: value}).fields) == {field}


def test_an_upload_needs_a_file_and_its_name(client: Client) -> None:
    answer = client.post(DOCUMENTS, {"customer_reference": "case 7"})
    assert answer.status == 400
    assert set(answer.fields) == {"file_base64", "filename"}


# on the clock


@pytest.mark.parametrize(
    ("content", "end"),
    [
        (LETTER, ("AVAILABLE", "CLEAN")),
        (LETTER + EICAR, ("REJECTED", "INFECTED")),
        (LETTER + EICAR + LETTER, ("REJECTED", "INFECTED")),
        (LETTER + EICAR[:-1], ("AVAILABLE", "CLEAN")),
    ],
    ids=["clean", "infected at its end", "infected inside", "nearly infected"],
)
def test_a_scan_takes_two_seconds(client: Client, content: bytes, end: tuple[str, str]) -> None:
    uploaded = upload(client, content)
    seen = []
    for seconds in (0, 1.999, 0.001, 600):
        client.advance(seconds)
        seen.append(state(client, uploaded))
    assert seen == [("PROCESSING", "PENDING"), ("PROCESSING", "PENDING"), end, end]


def test_the_test_text_of_the_scanners_is_the_published_one() -> None:
    assert len(EICAR) == 68
    assert sha256(EICAR).hexdigest() == "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"


@pytest.mark.parametrize("content", [LETTER, LETTER + EICAR], ids=["clean", "infected"])
def test_a_document_that_nothing_links_to_is_gone_after_half_an_hour(client: Client, content: bytes) -> None:
    uploaded = upload(client, content)
    client.advance(HALF_AN_HOUR - 0.001)
    assert look(client, uploaded).status == 200
    client.advance(0.001)
    answer = look(client, uploaded)
    assert (answer.status, answer.code) == (404, "not_found")
    assert client.world.store.size("documents") == 0


def test_each_document_has_its_own_half_hour(client: Client) -> None:
    first = upload(client)
    client.advance(600)
    second = upload(client)
    client.advance(HALF_AN_HOUR - 600)
    assert [look(client, each).status for each in (first, second)] == [404, 200]
    client.advance(600)
    assert look(client, second).status == 404


def test_time_may_pass_all_at_once(client: Client) -> None:
    uploaded = upload(client)
    client.advance(HALF_AN_HOUR)
    assert look(client, uploaded).status == 404


def test_a_document_that_something_links_to_stays(client: Client) -> None:
    uploaded = upload(client)
    client.advance(2)
    before = look(client, uploaded).data
    with client.world.store.transaction():
        paperwork.link(
            client.world, client.world.key, uploaded.data["document_id"], "reputation", "body /loa_document_id"
        )
    client.advance(100 * HALF_AN_HOUR)
    assert look(client, uploaded).data == before


@pytest.mark.parametrize("seconds", [1, 1000], ids=["while it is scanned", "after its scan"])
def test_a_dump_carries_scan_and_lapse_on(client: Client, tmp_path: Path, seconds: int) -> None:
    uploaded = upload(client)
    client.advance(seconds)
    restored = reopened(client, tmp_path)
    assert look(restored, uploaded).data == look(client, uploaded).data
    restored.advance(HALF_AN_HOUR - seconds - 0.001)
    assert state(restored, uploaded) == ("AVAILABLE", "CLEAN")
    restored.advance(0.001)
    assert look(restored, uploaded).status == 404


# whose it is, and who may


@pytest.mark.parametrize("document", ["00000000-0000-4000-8000-000000000000", "letter.pdf"])
def test_a_document_that_does_not_exist_is_not_found(client: Client, document: str) -> None:
    answer = client.get(f"{DOCUMENTS}/{document}")
    assert (answer.status, answer.code) == (404, "not_found")


def test_the_document_of_another_key_is_not_there(client: Client) -> None:
    uploaded = upload(client)
    assert look(Client(client.emulator, "revdesk_another"), uploaded).status == 404
    assert look(client, uploaded).status == 200


def test_a_key_that_only_reads_uploads_nothing(client: Client) -> None:
    reader = Client(client.emulator, "revdesk_readonly_0123456789abcdef")
    answer = upload(reader)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert reader.world.store.size("documents") == 0


def test_a_key_that_only_reads_may_look(client: Client) -> None:
    reader = Client(client.emulator, "revdesk_readonly_0123456789abcdef")
    with reader.world.store.transaction():
        document = paperwork.receive(reader.world, reader.world.key, "letter.pdf", LETTER, None)
    assert reader.get(f"{DOCUMENTS}/{document['id']}").data["filename"] == "letter.pdf"


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [("caller_trust:read", (403, 200)), ("caller_trust:write", (200, 403)), ("voice:write", (403, 403))],
)
def test_documents_need_the_scope_of_caller_trust(client: Client, scope: str, statuses: tuple[int, int]) -> None:
    uploaded = upload(client)
    limited = client.with_key(scopes=[scope])
    assert (upload(limited).status, look(limited, uploaded).status) == statuses
