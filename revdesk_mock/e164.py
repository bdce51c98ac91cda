"""Phone numbers in E.164 form: what that is, which are fictional, which are emergency numbers."""

import re

E164 = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)
# Reserved for fiction in the North American plan: they can never ring a person.
FICTIONAL_US = re.compile(r"\+1[2-9]\d\d55501(\d\d)", re.ASCII)
EMERGENCY = frozenset("+911 +1911 +933 +1933 +988 +1988 +112 +44112 +999 +44999".split())


def is_e164(number: str) -> bool:
    """Whether a text is a phone number: a plus sign and 2 to 15 digits."""
    return E164.fullmatch(number) is not None


def is_fictional(number: str) -> bool:
    """Whether a number is +1 NXX 555 0100 to 0199."""
    return FICTIONAL_US.fullmatch(number) is not None


def fictional_digits(number: str) -> int | None:
    """Return the last two digits of a fictional US number, or None for any other number."""
    found = FICTIONAL_US.fullmatch(number)
    return int(found[1]) if found else None
