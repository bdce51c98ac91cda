"""Documents: PDFs that are uploaded, scanned, and gone after half an hour unless something links to them."""

import re
from base64 import b64decode, b64encode

from revdesk_mock import paperwork
from revdesk_mock.errors import ApiError, invalid
from revdesk_mock.exchange import Exchange, Reply, owned
from revdesk_mock.messages import JSON, Record
from revdesk_mock.world import World

PDF_START = b"%PDF-"
# Chosen: in base64 it leaves room for the other fields of a body, which may have 1 MiB.
MOST_KIBIBYTES = 700
LONGEST_NAME = 255  # characters; chosen
LONGEST_REFERENCE = 255  # characters; chosen
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]")  # control characters and path separators


def upload(world: World, exchange: Exchange) -> Reply:
    """Take a PDF in; its scan ends later, on the clock. The content is not stored, only its size and SHA-256."""
    body = exchange.body
    filename = _checked_name(body["filename"])
    reference = _checked_reference(body.get("customer_reference"))
    document = paperwork.receive(world, exchange.credential, filename, _read_pdf(body["file_base64"]), reference)
    return Reply(_shared(document), location=f"/v1/caller-trust/documents/{document['id']}")


def show(world: World, exchange: Exchange) -> Reply:
    """Answer one document with its scan result and checksum; one that has lapsed is not found."""
    document = owned(world, exchange.credential, "documents", exchange.path["id"], "document")
    return Reply({**_shared(document), "av_scan_status": document["av_scan_status"], "sha256": document["sha256"]})


def _checked_name(name: str) -> str:
    """Return a file's name; raises ApiError (400) for one that no file should have (chosen: the schema has a text)."""
    rule, expected = "document.filename", f"1 to {LONGEST_NAME} characters, none of them a control or a path separator"
    if not 1 <= len(name) <= LONGEST_NAME:
        message = f"must have 1 to {LONGEST_NAME} characters"
        raise invalid("filename", message, rule=rule, expected=expected, got=f"{len(name)} characters")
    if UNSAFE.search(name):
        message = "must not hold path separators or control characters"
        raise invalid("filename", message, rule=rule, expected=expected, got=name)
    return name


def _checked_reference(reference: str | None) -> str | None:
    if reference is not None and len(reference) > LONGEST_REFERENCE:
        expected = f"at most {LONGEST_REFERENCE} characters"
        got = f"{len(reference)} characters"
        raise invalid(
            "customer_reference", f"must have {expected}", rule="document.reference", expected=expected, got=got
        )
    return reference


def _read_pdf(text: str) -> bytes:
    """Decode an upload; raises ApiError (400) that tells its length and never repeats it."""
    content = _decode(text)
    if content is None:
        message, expected = "must be base64 with padding and without white space", "RFC 4648 base64"
        raise _refusal(message, "document.base64", expected, f"{len(text)} characters of something else")
    size = f"{len(content)} bytes"
    if len(content) > MOST_KIBIBYTES * 1024:
        limit = f"at most {MOST_KIBIBYTES} KiB"
        raise _refusal(f"must hold {limit}", "document.size", limit, size)
    if not content.startswith(PDF_START):
        message, expected = "must be a PDF", f"a file that begins with {PDF_START.decode()}"
        raise _refusal(message, "document.pdf", expected, f"{size} of something else")
    return content


def _refusal(message: str, rule: str, expected: str, got: str) -> ApiError:
    return invalid("file_base64", message, rule=rule, expected=expected, got=got)


def _decode(text: str) -> bytes | None:
    try:
        content = b64decode(text)
    except ValueError:
        return None
    # The decoder skips what is no base64, and takes several spellings; written again it must be the same.
    return content if b64encode(content) == text.encode() else None


def _shared(document: Record) -> dict[str, JSON]:
    plain = ("filename", "content_type", "status")
    return {"document_id": document["id"], **{field: document[field] for field in plain}}


HANDLERS = {
    "v1_caller_trust_documents_post": upload,
    "v1_caller_trust_documents_id_get": show,
}
STEPS = {"documents": paperwork.carry_on}
