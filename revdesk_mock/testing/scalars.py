"""Texts, numbers and choices of a JSON schema: strategies for what it admits, and for what just misses a keyword."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from revdesk_mock.messages import JSON
from revdesk_mock.validation import ecma

Strategy = st.SearchStrategy[Any]
Named = tuple[str, Strategy]  # a keyword, and what breaks it

MOST = 2**53 - 1  # up to here every reader of JSON holds a whole number exactly
SHORT = 9  # characters of a text that is not about its length
LONG = 300  # characters where a schema sets no limit
DRAWN = "x-drawn"  # beside a pattern: a narrower one, of which the texts are that are drawn
E164, E164_US = r"^\+[1-9]\d{1,14}$", r"^\+1\d{10}$"  # phone numbers, as contracts write them
FICTIONAL = r"^\+1[2-9]\d\d55501\d\d$"  # of those, numbers that can never ring a person
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

TEXT = st.text(max_size=SHORT)
INTEGER = st.integers(-MOST, MOST)
FRACTION = st.integers(-(10**9), 10**9).map(lambda whole: whole + 0.5)
# Texts that are of a format by every reading of it, and texts that are so by none.
FORMATTED: Mapping[str, Strategy] = {
    "uuid": st.uuids(version=4).map(str) | st.uuids(version=4).map(lambda made: str(made).upper()),
    "email": st.from_regex(r"[a-z0-9]+([._+-][a-z0-9]+)?@([a-z0-9]+\.){1,2}[a-z]{2,9}", fullmatch=True),
    "uri": st.from_regex(r"(https?|wss)://[a-z]+\.example(/[a-z0-9]*)?(\?[a-z]=[a-z0-9]*)?", fullmatch=True),
    "date-time": st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='milliseconds')}Z"),
}
MISSHAPEN: Mapping[str, Sequence[str]] = {
    "uuid": ("", "a1b6e0c452d84e7f8c9317f4d0e6b2a5", "{a1b6e0c4-52d8-4e7f-8c93-17f4d0e6b2a5}", "call_1"),
    "email": ("", "sam", "sam@", "@example.com", "sam rivera@example.com", "sam@example.com\n"),
    "uri": ("", "example.com", "/path", "//example.com/path", "http://["),
    "date-time": ("", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "12:00:00Z", "tomorrow"),
}


def texts(schema: JSON) -> Strategy:
    """Return texts; where their length is free or bounded, short ones and one of the greatest length."""
    low = schema.get("minLength", 0)
    high = schema.get("maxLength", max(low, LONG))
    pattern = ecma(schema.get("pattern", ""))
    if "format" in schema:
        made = FORMATTED[schema["format"]].filter(lambda text: pattern.search(text) is not None)
    elif "pattern" in schema:
        made = st.from_regex(ecma(schema.get(DRAWN, schema["pattern"]))).filter(
            lambda text: pattern.search(text) is not None
        )
    else:
        return (st.integers(low, min(low + SHORT, high)) | st.just(high)).flatmap(text_of)
    return made.filter(lambda text: low <= len(text) <= high)


def missed_texts(schema: JSON) -> Iterator[Named]:
    """Yield the ways in which a text can break a schema."""
    if schema.get("minLength"):
        yield "minLength", text_of(schema["minLength"] - 1)
    if "maxLength" in schema:
        yield "maxLength", text_of(schema["maxLength"] + 1)
    if "pattern" in schema:
        pattern = ecma(schema["pattern"])
        near = texts(schema).flatmap(lambda text: st.sampled_from(_altered(text)))
        yield "pattern", near.filter(lambda text: pattern.search(text) is None)
    if "format" in schema:
        yield "format", st.sampled_from(MISSHAPEN[schema["format"]])


def text_of(length: int) -> Strategy:
    """Return texts of a length; long ones repeat a short one, so that they cost no more."""
    return st.text(min_size=1, max_size=SHORT).map(lambda piece: (piece * length)[:length])


def _altered(text: str) -> Sequence[str]:
    """Return texts close to one: the ways in which a pattern is likely to be read too kindly among them."""
    return "", text[1:], text[:-1], f" {text}", f"{text}{text[-1:]}", f"{text}\n", text.translate(ARABIC)


def integers(schema: JSON) -> Strategy:
    """Return whole numbers; 60.0 is one too."""
    low, high = bounds(schema)
    whole = st.integers(math.ceil(low), math.floor(high))
    return whole | whole.map(float)


def numbers(schema: JSON) -> Strategy:
    """Return numbers, and the bounds as they are written."""
    return st.floats(*bounds(schema)) | st.sampled_from(bounds(schema))


def missed_numbers(schema: JSON) -> Iterator[Named]:
    """Yield the ways in which a number can break a schema."""
    low, high = bounds(schema)
    below, above = math.ceil(low) - 1, math.floor(high) + 1
    if "minimum" in schema:
        yield "minimum", st.just(below) | st.integers(max_value=below, min_value=-MOST)
    if "maximum" in schema:
        yield "maximum", st.just(above) | st.integers(min_value=above, max_value=MOST)


def bounds(schema: JSON) -> tuple[float, float]:
    """Return the least and the greatest number that a schema admits."""
    return schema.get("minimum", -MOST), schema.get("maximum", MOST)


def choices(schema: JSON) -> Sequence[JSON]:
    """Return the values that a schema lists; none where it lists none."""
    return schema.get("enum") or ([schema["const"]] if "const" in schema else [])


def missed_choices(schema: JSON) -> Iterator[Named]:
    """Yield what is close to the values that a schema lists and is none of them, if there is any."""
    listed = choices(schema)
    close = [stranger for choice in listed for stranger in _beside(choice) if stranger not in listed]
    if close:
        yield "enum" if "enum" in schema else "const", st.sampled_from(close)


def _beside(choice: JSON) -> Sequence[JSON]:
    if isinstance(choice, str):
        return "", choice.swapcase(), f"{choice} ", f"{choice}\n", choice[:-1]
    if isinstance(choice, bool):
        return [not choice]
    return [choice + 1, choice - 1] if isinstance(choice, int | float) else []
