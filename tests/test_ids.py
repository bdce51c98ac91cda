"""Ids repeat from seed and position, and cursors are read back only where they were written here."""

import re
from statistics import mean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock.ids import Dice, decode_cursor, encode_cursor, fingerprint, fresh_seed


def draws(dice: Dice) -> list[str | int]:
    return [dice.uuid(), dice.hex(24), dice.integer(1, 6), dice.choice(["heads", "tails"])]


def test_the_same_seed_draws_the_same() -> None:
    assert draws(Dice("seed")) == draws(Dice("seed"))


def test_another_seed_draws_something_else() -> None:
    assert draws(Dice("seed")) != draws(Dice("seeds"))


def test_a_stream_does_not_repeat_itself() -> None:
    dice = Dice("seed")
    assert len({dice.hex() for _ in range(1000)}) == 1000


@given(st.text(max_size=8), st.integers(0, 20))
def test_dice_go_on_from_a_position(seed: str, before: int) -> None:
    first = Dice(seed)
    for _ in range(before):
        first.hex()
    assert draws(Dice(seed, first.position)) == draws(first)


@given(st.integers(1, 128))
def test_hex_has_the_length_asked_for(length: int) -> None:
    drawn = Dice("seed").hex(length)
    assert len(drawn) == length
    assert set(drawn) <= set("0123456789abcdef")


@given(st.text(max_size=8))
def test_a_uuid_is_a_version_4_one_in_lower_case(seed: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", Dice(seed).uuid())


@given(st.text(max_size=8), st.integers(-50, 50), st.integers(0, 100))
def test_an_integer_is_between_its_bounds(seed: str, low: int, span: int) -> None:
    assert low <= Dice(seed).integer(low, low + span) <= low + span


def test_both_bounds_and_every_item_are_drawn_some_time() -> None:
    dice = Dice("seed")
    assert {dice.integer(1, 3) for _ in range(100)} == {1, 2, 3}
    assert {dice.choice("abc") for _ in range(100)} == set("abc")


def test_fresh_seeds_differ() -> None:
    assert fresh_seed() != fresh_seed()


@pytest.mark.parametrize("secret", ["revdesk_live", "", "\ud800"], ids=["key", "nothing", "lone surrogate"])
def test_a_fingerprint_is_a_sha_256_that_does_not_show_the_secret(secret: str) -> None:
    mark = fingerprint(secret)
    assert len(bytes.fromhex(mark)) == 32
    assert mark == fingerprint(secret) != fingerprint(secret + "x")


def test_a_fingerprint_is_the_well_known_one() -> None:
    assert fingerprint("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(st.integers(0, 10**18))
def test_a_cursor_is_read_back(position: int) -> None:
    cursor = encode_cursor(position)
    assert decode_cursor(cursor) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&? ")


@pytest.mark.parametrize(
    "cursor", ["", "7", "p:1", "é", "cDox!!", "cDox=", "cDox\n", " cDox", "cDowMQ", "cDotMQ", "cDp4", "eDox"]
)
def test_what_no_list_handed_out_is_no_cursor(cursor: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_cursor(cursor)


@given(st.integers(0, 999).map(encode_cursor), st.integers(0, 6), st.text("AQgw9+/=!_- é", max_size=2))
def test_a_cursor_that_is_read_is_one_that_was_written(cursor: str, place: int, more: str) -> None:
    cursor = cursor[:place] + more + cursor[place:]
    try:
        position = decode_cursor(cursor)
    except ValueError:
        return
    assert encode_cursor(position) == cursor


def test_fractions_fill_what_is_between_0_and_1_and_touch_neither() -> None:
    dice = Dice("seed")
    drawn = [dice.fraction() for _ in range(2000)]
    assert 0 < min(drawn) < 0.01
    assert 0.99 < max(drawn) < 1
    assert 0.48 < mean(drawn) < 0.52


def test_normal_draws_have_the_standard_mean_and_deviation() -> None:
    dice = Dice("seed")
    drawn = [dice.normal() for _ in range(4000)]
    assert abs(mean(drawn)) < 0.05
    assert 0.95 < pstdev(drawn) < 1.05
