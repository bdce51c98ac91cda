"""What fails a test that has passed: the emulator broke the contract, or what was to fail never did."""

from revdesk_mock.testing.handle import RevDesk


def of(revdesk: RevDesk, *, passed: bool) -> list[str]:
    """Return what was wrong with a world at the end of its test; unused faults only where that got to its end."""
    about = revdesk.about()
    breaches = [f"the emulator broke the contract: {breach}" for breach in about["breaches"]]
    unused = [f"the fault {row['rule']} was never used: {_why(row['matched'])}" for row in about["unused_faults"]]
    return [*breaches, *(unused if passed else ())]


def _why(matched: int) -> str:
    return f"it fits {matched} of the requests, but not at their turn" if matched else "no request came that it fits"
