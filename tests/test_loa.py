"""Letters of authorization: a real PDF, with the names as they were given, the same for the same letter."""

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from revdesk_mock import loa
from tests.conftest import ADDRESS, COMPANY, SIGNATURE, SIGNER

NINE = 1_767_603_600_000  # 2026-01-05T09:00:00Z
CARRIER = "5b0e4b60-9d3c-4f0e-8a51-c2f3a97d1e46"
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40)


def letter(*, signed: bool = True, company: Any = None, signer: Any = None, at: int = NINE) -> bytes:
    whole: dict[str, Any] = {**COMPANY, "carrier_enterprise_id": CARRIER, **(company or {})}
    return loa.render(whole, {**(SIGNATURE if signed else SIGNER), **(signer or {})}, at, signed=signed)


def text_of(pdf: bytes) -> str:
    """Return what the pages say, in one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def names_of(pdf: bytes) -> tuple[Any, Any]:
    """Return company and signer as the metadata has them."""
    metadata = PdfReader(BytesIO(pdf)).metadata
    assert metadata is not None
    return metadata.title, metadata.author


@pytest.mark.parametrize("signed", [True, False])
def test_a_letter_names_the_company_the_signer_and_the_day_on_one_page(*, signed: bool) -> None:
    pdf = letter(signed=signed)
    assert len(PdfReader(BytesIO(pdf)).pages) == 1
    text = text_of(pdf)
    told = ("legal_name", "dba", "fein", "website")
    for word in (
        *(COMPANY[field] for field in told),
        *SIGNER.values(),
        CARRIER,
        "2026-01-05",
        "Letter of Authorization",
    ):
        assert str(word) in text
    assert "1 Harbor Way, San Francisco, CA 94105, US" in text
    assert "Harbor Dental LLC (the" in text


def test_the_metadata_has_the_names_and_the_worlds_time() -> None:
    pdf = letter()
    assert names_of(pdf) == ("Letter of Authorization: Harbor Dental LLC", "Sam Rivera")
    metadata = PdfReader(BytesIO(pdf)).metadata
    assert metadata is not None
    assert str(metadata["/CreationDate"]) == "D:20260105090000Z"
    assert metadata.subject == "signed"


def test_only_a_signed_letter_bears_a_signature_and_its_date() -> None:
    signed, plain = (text_of(letter(signed=signed)) for signed in (True, False))
    assert (signed.count("Sam Rivera"), plain.count("Sam Rivera")) == (2, 1)
    assert (signed.count("2026-01-05 "), plain.count("2026-01-05 ")) == (2, 1)
    assert "consent acknowledged at 2026-01-05T09:00:00Z" in signed
    assert "consent" not in plain


def test_the_second_line_of_an_address_is_told_where_there_is_one() -> None:
    address = {**ADDRESS, "extended_address": "Suite 4"}
    assert "1 Harbor Way, Suite 4, San Francisco" in text_of(letter(company={"organization_address": address}))


@pytest.mark.parametrize(
    "name",
    [
        "Zoë Łuczak",
        "山田 太郎",
        "김민수",
        "Иван Петров",
        "Ελένη",
        "Nguyễn Văn",
        "O'Neil & <Sons>",
        "𠮷野 Yoshino",
        "{company}",
    ],
)
def test_names_of_any_script_can_be_read(name: str) -> None:
    pdf = letter(company={"legal_name": f"{name} LLC"}, signer={"signer_full_name": name})
    assert f"Legal name {name} LLC" in text_of(pdf)
    assert f"Name {name}" in text_of(pdf)
    assert names_of(pdf) == (f"Letter of Authorization: {name} LLC", name)


def test_a_name_without_an_end_is_shortened_on_the_page_alone() -> None:
    name = "W" * 100_000
    pdf = letter(company={"legal_name": name})
    assert f"{'W' * 10}…" in text_of(pdf)
    assert names_of(pdf)[0] == f"Letter of Authorization: {name}"
    assert len(PdfReader(BytesIO(pdf)).pages) == 2


def test_the_same_letter_has_the_same_bytes() -> None:
    assert letter() == letter()
    assert len({letter(), letter(signed=False), letter(at=NINE + 1000), letter(signer={"signer_title": "CEO"})}) == 4


@given(TEXT, TEXT)
def test_no_text_is_too_strange_for_a_letter(company: str, signer: str) -> None:
    texts = dict.fromkeys(("legal_name", "dba", "fein", "website"), company)
    pdf = letter(company=texts, signer=dict.fromkeys(SIGNER, signer))
    assert "Letter of Authorization" in text_of(pdf)


@given(PRINTABLE, PRINTABLE)
def test_the_metadata_has_every_name_that_can_be_printed(company: str, signer: str) -> None:
    pdf = letter(company={"legal_name": company}, signer={"signer_full_name": signer})
    assert names_of(pdf) == (f"Letter of Authorization: {company}", signer)
