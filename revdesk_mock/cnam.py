"""CNAM: the name that a called phone shows, and its states."""

from revdesk_mock.errors import invalid

# Chosen: the docs name PENDING and APPROVED, and for numbers alone.
NONE, PENDING, APPROVED = "NONE", "PENDING", "APPROVED"
LONGEST = 15  # characters, documented


def check(name: str) -> None:
    """Raise ApiError (400) for a name that is too long to show; the contract says so too where it has bounds."""
    if len(name) > LONGEST:
        expected = f"at most {LONGEST} characters"
        raise invalid("cnam_display_name", f"must have {expected}", rule="cnam.length", expected=expected, got=name)
