"""Phone numbers in E.164 form: which are fictional, which are emergency numbers, which are US local."""

import re

# Reserved for fiction in the North American plan: they can never ring a person.
FICTIONAL_US = re.compile(r"\+1[2-9]\d\d55501(\d\d)", re.ASCII)
EMERGENCY = frozenset("+911 +1911 +933 +1933 +988 +1988 +112 +44112 +999 +44999".split())


def is_fictional(number: str) -> bool:
    """Whether a number is +1 NXX 555 0100 to 0199."""
    return FICTIONAL_US.fullmatch(number) is not None


def fictional_digits(number: str) -> int | None:
    """Return the last two digits of a fictional US number, or None for any other number."""
    found = FICTIONAL_US.fullmatch(number)
    return int(found[1]) if found else None
