"""Policies are read from texts, and each refusal says what would do."""

import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from revdesk_mock import Policies, Settings, StartError
from revdesk_mock.settings import shipped, suggestion

DESCRIBED = {name: (value, choices, asks, source) for name, value, choices, asks, source in Policies().describe()}
NAMED = {name: choices.split(", ") for name, (_, choices, _, _) in DESCRIBED.items() if ", " in choices}
CAPS = [name for name, (_, choices, _, _) in DESCRIBED.items() if choices == "a whole number, or off"]
RANGES = {
    name: tuple(map(int, choices.split(" to "))) for name, (_, choices, _, _) in DESCRIBED.items() if " to " in choices
}
CHOICES = {name: choices for name, choices in NAMED.items() if name not in CAPS}


def parsed(name: str, text: str) -> object:
    return getattr(Policies.parse({name: text}), name)


def refusal(name: str, text: str) -> str:
    with pytest.raises(StartError) as caught:
        Policies.parse({name: text})
    return str(caught.value)


def test_nothing_assigned_leaves_the_defaults() -> None:
    assert Policies.parse({}) == Policies()


def test_every_policy_is_described_and_asks_a_question() -> None:
    assert list(DESCRIBED) == [spec.name for spec in fields(Policies)]
    assert sorted([*CHOICES, *CAPS, *RANGES]) == sorted(DESCRIBED)
    for _, _, asks, source in DESCRIBED.values():
        assert asks
        assert re.match(r"chosen$|(documented|inferred): \w", source)


@pytest.mark.parametrize("name", DESCRIBED)
def test_the_value_in_use_is_one_that_can_be_assigned(name: str) -> None:
    assert Policies.parse({name: DESCRIBED[name][0]}) == Policies()


@pytest.mark.parametrize(
    ("name", "choice"), [(name, choice) for name, choices in CHOICES.items() for choice in choices]
)
def test_each_choice_can_be_made(name: str, choice: str) -> None:
    assert parsed(name, choice) == choice


@pytest.mark.parametrize("name", CHOICES)
def test_the_default_is_the_first_of_the_choices(name: str) -> None:
    assert DESCRIBED[name][0] == CHOICES[name][0]


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("text", ["", "maybe", "off"])
def test_another_choice_is_refused_with_those_there_are(name: str, text: str) -> None:
    assert refusal(name, text) == f"policy {name} cannot be {text!r}: it takes {', '.join(CHOICES[name])}"


@pytest.mark.parametrize(("name", "bounds"), RANGES.items())
def test_a_number_is_taken_within_its_range_alone(name: str, bounds: tuple[int, int]) -> None:
    low, high = bounds
    assert [parsed(name, str(low)), parsed(name, str(high))] == [low, high]
    for text in (str(low - 1), str(high + 1), "off"):
        assert refusal(name, text) == f"policy {name} cannot be {text!r}: it takes {low} to {high}"


@pytest.mark.parametrize("name", CAPS)
def test_a_cap_is_a_whole_number_or_off(name: str) -> None:
    assert [parsed(name, "0"), parsed(name, "7"), parsed(name, "off")] == [0, 7, None]
    assert refusal(name, "-1") == f"policy {name} cannot be '-1': it takes a whole number, or off"


@pytest.mark.parametrize("text", ["", " 5", "5 ", "+5", "5.0", "0x5", "٣", "²", "5_0", "9" * 5000])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    assert refusal("talk_seconds", text).endswith("it takes 1 to 14400")


def test_a_policy_in_use_is_described_with_its_value() -> None:
    described = {name: value for name, value, *_ in Policies(request_id="echo", concurrency_cap=None).describe()}
    assert (described["request_id"], described["concurrency_cap"]) == ("echo", "off")


def test_a_misspelt_policy_is_refused_with_the_likely_name() -> None:
    assert refusal("talk_second", "5") == "unknown policy 'talk_second'; did you mean 'talk_seconds'?"


def test_a_policy_like_no_other_is_refused_without_a_guess() -> None:
    assert refusal("zzz", "5") == "unknown policy 'zzz'"


def test_several_policies_are_assigned_at_a_time() -> None:
    policies = Policies.parse({"request_id": "echo", "talk_seconds": "5"})
    assert policies == Policies(request_id="echo", talk_seconds=5)


@pytest.mark.parametrize(("name", "expected"), [("lenght", "; did you mean 'length'?"), ("xyz", "")])
def test_a_suggestion_is_made_where_a_name_is_close(name: str, expected: str) -> None:
    assert suggestion(name, {"length": 1, "depth": 2}) == expected


def test_settings_start_with_the_shipped_contract_and_fixture() -> None:
    settings = Settings()
    assert (settings.spec.name, settings.data.name) == ("openapi.json", "default.json")
    assert settings.spec.is_file()
    assert settings.data.is_file()
    assert (settings.seed, settings.clock, settings.rate_limit, settings.api_keys) == (None, "real", None, ())
    assert settings.policies == Policies()


@pytest.mark.parametrize("frozen", [Settings(), Policies()], ids=["settings", "policies"])
def test_settings_do_not_change_once_made(frozen: Settings | Policies) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(frozen, fields(frozen)[0].name, "other")


def test_a_shipped_file_is_beside_the_package_or_inside_it() -> None:
    package = Path(shipped("py.typed")).parent
    assert package.name == "revdesk_mock"
    assert shipped("openapi.json") in {package / "openapi.json", package.parent / "openapi.json"}


@pytest.mark.parametrize(
    ("scheme", "host", "public_url", "expected"),
    [
        ("http", "localhost:8473", None, "http://localhost:8473"),
        ("wss", "revdesk.example", None, "https://revdesk.example"),
        ("http", None, None, "http://127.0.0.1"),
        ("http", "localhost:8473", "https://revdesk.example/mock/", "https://revdesk.example/mock"),
    ],
)
def test_clients_are_told_the_public_url_or_how_they_reached_us(
    scheme: str, host: str | None, public_url: str | None, expected: str
) -> None:
    assert Settings(public_url=public_url).base_url(scheme, host) == expected


def test_a_public_url_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(StartError, match="public_url: 'revdesk' does not begin with http"):
        Settings(public_url="revdesk")
