"""What fails a test that has passed: the emulator broke the contract, or what was to fail never did."""

from revdesk_mock.testing.handle import RevDesk


def complaints(revdesk: RevDesk, *, passed: bool) -> list[str]:
    """Return what was wrong with a world at the end of its test; unused faults only where that got to its end."""
    breaches = [f"the emulator broke the contract: {breach}" for breach in revdesk.about()["breaches"]]
    return [*breaches, *(_unused(revdesk) if passed else ())]


def _unused(revdesk: RevDesk) -> list[str]:
    return [
        f"the fault {row['rule']} was never used: {_why(row['matched'])}"
        for row in revdesk.faults.rows()
        if not row["fired"] and "probability" not in row["rule"]
    ]


def _why(matched: int) -> str:
    return f"{matched} requests matched, and it was not yet their turn" if matched else "no request matched"
