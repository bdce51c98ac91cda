"""Several people and an agent in one room hear one another, whichever way each came in."""

from collections.abc import Iterator

import pytest

from revdesk_mock import Emulator, Policies, Settings
from revdesk_mock.server import Server
from tests.conftest import SPEC
from tests.rtc.browser import HERE, MICROPHONE, Chromium, Page
from tests.rtc.needs import need
from tests.rtc.rest import Rest
from tests.rtc.test_livekit_clients import GREETING, PAGES
from tests.rtc.test_plain_page import JOIN


@pytest.fixture
def rest() -> Iterator[Rest]:
    """Give a server whose agents do not echo: who hears a tone hears it from whoever sends it."""
    with Server(Emulator(Settings(seed="test", policies=Policies(agent_mode="silent")), SPEC)) as server:
        yield Rest(server)


def opened(browser: Chromium, package: str) -> Page:
    need((HERE / "node_modules" / package).is_dir(), f"{package} (npm ci in tests/rtc)")
    return browser.open(f"livekit.html?{package}")


def test_three_pages_and_an_agent_hear_one_another(browser: Chromium, rest: Rest) -> None:
    call = rest.web_call(GREETING)
    tokens = [call["token"], *rest.tokens("second", "third")]
    people = dict(zip((500, 740, 1130), [opened(browser, package) for package in PAGES], strict=True))
    for page, token in zip(people.values(), tokens, strict=True):
        page.call("enter", call["room_url"], token)
    for hertz, page in people.items():
        page.call("sound", hertz)
    for mine, page in people.items():
        page.hears(*people.keys() - {mine}, but=mine)
    people[500].call("ask", "agent", "say", "Good morning.")
    for page in people.values():
        page.told("transcription", text="Good morning.", final=True, **{"from": "agent"})


def test_a_plain_page_and_a_livekit_page_hear_one_another(browser: Chromium, rest: Rest) -> None:
    plain, livekit = browser.open("plain.html", JOIN), opened(browser, PAGES[-1])
    call = rest.web_call(GREETING)
    [second] = rest.tokens("second")
    first = plain.call("enter", rest.url, call["token"])["me"]
    livekit.call("enter", call["room_url"], second)
    livekit.call("sound", 700)
    plain.told("offer_wanted")
    plain.call("widen")
    plain.hears(700)
    livekit.hears(MICROPHONE)
    plain.call("press", "1")
    livekit.told("dtmf", digit="1", **{"from": first})
    livekit.call("press", 11, "#")
    plain.told("dtmf", digits="#", **{"from": "second"})
    plain.call("send", {"type": "data", "topic": "chat", "payload": "Hello"})
    livekit.told("data", topic="chat", text="Hello", **{"from": first})
    livekit.call("send", "Hello too", "chat", True)
    plain.told("data", topic="chat", payload="Hello too", **{"from": "second"})
