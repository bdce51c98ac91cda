import pytest

from revdesk_mock import public_url


@pytest.mark.parametrize(
    "text", ["http://localhost", "https://revdesk.example:8443/a/b", "http://[::1]:8473", "http://127.0.0.1:1"]
)
def test_a_public_url_keeps_its_prefix_and_loses_the_slash_at_its_end(text: str) -> None:
    assert public_url.read(text) == public_url.read(f"{text}/") == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not begin with http"),
        ("revdesk.example", "does not begin with http"),
        ("localhost:8473", "does not begin with http"),
        ("ws://revdesk.example", "does not begin with http"),
        ("http://", "does not begin with http"),
        ("http://host:port", "is no URL"),
        ("http://host:70000", "is no URL"),
        ("http://host:0", "port 0"),
        ("http://[::1", "is no URL"),
        ("http://ann@host", "a user"),
        ("http://host/?x=1", "port 0, a query"),
        ("http://host/#x", "a query or a fragment"),
        ("http://host /", "no URL has"),
        ('http://host/"', "no URL has"),
        ("http://höst", "no URL has"),
    ],
)
def test_what_cannot_be_a_public_url_is_refused_with_what_would_do(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"{why}.*https://revdesk.example"):
        public_url.read(text)
