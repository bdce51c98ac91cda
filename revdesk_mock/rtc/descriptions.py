"""Session descriptions as text: what is taken out of theirs, what is added to ours."""

NOT_USED = ("a=candidate:", "a=end-of-candidates", "a=remote-candidates:")


def without_candidates(text: str) -> str:
    """Leave out the other side's candidates.

    Its checks show where it is. So nothing is sent to an address that did not send first, no `.local` name is looked
    up by multicast, and an empty list does not end the attempt at once.
    """
    return "".join(f"{line}\r\n" for line in text.splitlines() if line and not line.startswith(NOT_USED))


def as_lite(text: str) -> str:
    """Mark an offer of ours as of a lite agent: the other side takes control, and finds a new path in need.

    Who offers has control anyway, so an answer needs no mark; with it Chromium would connect 50 ms later, for it
    nominates a lite agent's path in a second round of checks.
    """
    return text.replace("\r\nt=0 0\r\n", "\r\nt=0 0\r\na=ice-lite\r\n", 1)
