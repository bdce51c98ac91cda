"""Paperwork: the life of an uploaded document, and what whoever needs one asks of it."""

from hashlib import sha256

from revdesk_mock.clock import MINUTE, SECOND
from revdesk_mock.errors import ApiError, not_found
from revdesk_mock.exchange import visible
from revdesk_mock.messages import Reason, Record
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.world import World

PDF = "application/pdf"
# Chosen: the contract has texts here, and the docs name neither the words nor how long a scan takes.
PROCESSING, AVAILABLE, REJECTED = "PROCESSING", "AVAILABLE", "REJECTED"
PENDING, CLEAN, INFECTED = "PENDING", "CLEAN", "INFECTED"
SCAN = 2 * SECOND
LAPSE = 30 * MINUTE  # documented
# The harmless text that every virus scanner knows; in two parts, so that none stops at this file.
EICAR = b"".join((rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"))


def receive(
    world: World, credential: Credential, filename: str, content: bytes, customer_reference: str | None
) -> Record:
    """Write the record of an upload. The content itself is not kept: only its size, its SHA-256 and what a scan finds.

    Worlds and their dumps stay small so, and no answer of the API gives a content back.
    """
    scan = {
        "status": PROCESSING,
        "av_scan_status": PENDING,
        "infected": EICAR in content,
        "linked_by": None,
        "due_at": world.clock.now() + SCAN,
    }
    owner = world.owners(credential)["organization_id"]
    return world.store.insert("documents", {**_new(world, owner, filename, content, customer_reference), **scan})


def file(world: World, organization_id: str, filename: str, content: bytes, by: str) -> Record:
    """Write the record of a document that the service made itself: clean, and linked from the start (inferred)."""
    filed = {"status": AVAILABLE, "av_scan_status": CLEAN, "infected": False, "linked_by": by, "due_at": None}
    return world.store.insert("documents", {**_new(world, organization_id, filename, content, None), **filed})


def carry_on(world: World, document: Record) -> None:
    """End the scan; later, where nothing has linked to the document in time, remove it (documented: 30 minutes)."""
    if document["av_scan_status"] == PENDING:
        status, found = (REJECTED, INFECTED) if document["infected"] else (AVAILABLE, CLEAN)
        due_at = document["created_at"] + LAPSE
        world.store.update("documents", document, status=status, av_scan_status=found, due_at=due_at)
    else:
        world.store.delete("documents", document["id"])


def usable(world: World, credential: Credential, document_id: str, where: str) -> Record:
    """Return a document that has passed its scan; raises ApiError (404) for one that is unknown or has lapsed.

    One that is being scanned or did not pass is a conflict (chosen: the docs are silent). `where` is the
    place of the id in the request, like `body /loa_document_id`.
    """
    document = visible(world, credential, "documents", document_id)
    if document is None:
        raise not_found("document", document_id, where)
    found = document["av_scan_status"]
    if found != CLEAN:
        reason = Reason("document.scan", where, f"a document with av_scan_status {CLEAN}", found)
        raise ApiError("conflict", f"The document {document_id!r} cannot be used: its scan is {found}.", reason)
    return document


def link(world: World, credential: Credential, document_id: str, by: str, where: str) -> Record:
    """Link to a usable document, which stays from now on, and return it; `linked_by` names the first that did.

    Raises ApiError as `usable` does. `by` names the record that needs it, like `reputation`.
    """
    document = usable(world, credential, document_id, where)
    if document["linked_by"] is not None:
        return document
    return world.store.update("documents", document, linked_by=by, due_at=None)


def _new(
    world: World, organization_id: str | None, filename: str, content: bytes, customer_reference: str | None
) -> Record:
    """Return what every document's record holds, whatever is to become of it."""
    return {
        "id": world.dice.uuid(),
        "organization_id": organization_id,
        "filename": filename,
        "content_type": PDF,
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
        "customer_reference": customer_reference,
        "created_at": world.clock.now(),
    }
