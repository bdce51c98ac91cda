"""A plain page in Chromium is in a room with nothing but the lines of docs/rooms.md."""

import re

import pytest

from tests.rtc.browser import HERE, MICROPHONE, Chromium, Page
from tests.rtc.driven import Failed
from tests.rtc.rest import Rest

JOIN = re.findall(r"```js\n(.*?)```", (HERE.parent.parent / "docs/rooms.md").read_text(), re.DOTALL)[0]
GREETING = "Hello."


@pytest.fixture
def page(browser: Chromium) -> Page:
    return browser.open("plain.html", JOIN)


@pytest.fixture
def other(browser: Chromium) -> Page:
    return browser.open("plain.html", JOIN)


def test_it_is_greeted_by_the_agent_and_then_echoed(page: Page, rest: Rest) -> None:
    joined = page.call("enter", rest.url, rest.web_call(GREETING)["token"])
    assert joined["others"] == [["agent", "agent"]]
    page.told("said", text=GREETING, final=False)
    page.hears_something()
    page.told("said", text=GREETING, final=True)
    page.hears(MICROPHONE)


def test_it_is_told_of_the_call_and_ends_it_by_leaving(page: Page, rest: Rest) -> None:
    page.call("enter", rest.url, rest.web_call(GREETING)["token"])
    page.told("callUpdate", status="IN_PROGRESS", id=rest.newest()["id"])
    page.call("send", {"type": "leave"})
    page.told("closed", reason="left")
    assert rest.newest()["status"] == "COMPLETED"


def test_it_is_not_heard_while_it_is_muted(page: Page, rest: Rest) -> None:
    page.call("enter", rest.url, rest.web_call(GREETING)["token"])
    page.hears(MICROPHONE)
    page.call("send", {"type": "mute", "muted": True})
    page.hears_nothing()
    page.call("send", {"type": "mute", "muted": False})
    page.hears(MICROPHONE)


def test_what_it_presses_sends_and_asks_reaches_the_other(page: Page, other: Page, rest: Rest) -> None:
    token = rest.web_call(GREETING)["token"]
    [second] = rest.tokens("second")
    me = page.call("enter", rest.url, token)["me"]
    other.call("enter", rest.url, second)
    page.told("participant_joined")
    page.call("press", "1#")
    other.told("dtmf", digits="1", **{"from": me})
    other.told("dtmf", digits="#")
    page.call("send", {"type": "data", "topic": "chat", "payload": "Good morning"})
    other.told("data", topic="chat", payload="Good morning")
    page.call("send", {"type": "rpc", "id": "7", "to": "second", "method": "ask", "payload": "who?"})
    other.told("rpc", id="7", method="ask", payload="who?")
    other.call("send", {"type": "rpc_answer", "id": "7", "to": me, "payload": "me"})
    page.told("rpc_answer", id="7", payload="me", error=None)


def test_a_used_token_is_refused_with_the_reason(page: Page, other: Page, rest: Rest) -> None:
    token = rest.web_call(GREETING)["token"]
    page.call("enter", rest.url, token)
    with pytest.raises(Failed, match="The token is joined: it joins one call, once"):
        other.call("enter", rest.url, token)
    other.excuse("401")
