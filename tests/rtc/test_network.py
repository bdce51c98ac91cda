"""Where rooms listen and what clients are told is read from texts, and each refusal says what would do."""

import pytest

from revdesk_mock.rtc.network import LOOPBACK, Network, read_announced, read_bound, read_ports


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.7", "0.0.0.0"])
def test_rooms_may_listen_on_addresses_of_this_machine(text: str) -> None:
    assert read_bound(text) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("localhost", "is no IP address; give the address of this machine, such as"),
        ("", "is no IP address"),
        ("203.0.113.9", "203.0.113.9 is no address of this machine"),
        ("2001:db8::9", "2001:db8::9 is no address of this machine"),
        ("224.0.0.251", "no address of one machine"),
        ("255.255.255.255", "no address of one machine"),
    ],
)
def test_rooms_listen_nowhere_else(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_bound(text)


def test_any_address_of_one_machine_may_be_announced() -> None:
    assert [read_announced(text) for text in ("203.0.113.9", "2001:DB8::9")] == ["203.0.113.9", "2001:db8::9"]
    for text, why in {"::": "nobody can send to ::", "host": "no IP address", "ff02::1": "one machine"}.items():
        with pytest.raises(ValueError, match=why):
            read_announced(text)


def test_a_range_of_ports_has_both_its_ends() -> None:
    assert [read_ports(text) for text in ("1-65535", "50000-50000")] == [(1, 65535), (50000, 50000)]


@pytest.mark.parametrize("text", ["", "-", "50000", "50000-", "50001-50000", "0-10", "1-65536", "a-b", "1-2-3", "²-³"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no range of ports"):
        read_ports(text)


def test_where_a_client_cannot_connect_the_advice_names_what_is_and_what_to_try() -> None:
    assert "rooms listen on 127.0.0.1, and use any free UDP port" in LOOPBACK.advice()
    advice = Network(("10.0.0.2",), ("192.0.2.7",), (50_000, 50_100)).advice()
    assert "listen on 10.0.0.2, are also said to be at 192.0.2.7, and use the UDP ports 50000 to 50100" in advice
    for option in ("--media-host", "--media-ip", "--media-ports"):
        assert option in advice
