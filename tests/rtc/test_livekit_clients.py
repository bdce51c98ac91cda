"""LiveKit's clients, unmodified, are in a room: the one for pages in its three dialects, the Python SDK in its two."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from revdesk_mock.clock import stopwatch
from tests.rtc.browser import HERE, MICROPHONE
from tests.rtc.driven import Client, Failed
from tests.rtc.needs import need
from tests.rtc.rest import Rest
from tests.rtc.sdk import Guest

GREETING = "Hello."
# Signalling for two connections; for one, without an offer in the join; for one, with it.
PAGES = ["livekit-client-2-16", "livekit-client-2-18", "livekit-client"]
PROGRAMS = ["python-dual", "python-single"]
NEWEST = PAGES[-1]

Start = Callable[[str], Client]


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start clients by their names; a browser only for those that need one."""
    guests: list[Guest] = []

    def started(name: str) -> Client:
        if name in PROGRAMS:
            need(find_spec("livekit.rtc"), "livekit (a Python package)")
            guests.append(Guest(name.removeprefix("python-")))
            return guests[-1]
        need((HERE / "node_modules" / name).is_dir(), f"{name} (npm ci in tests/rtc)")
        page: Client = request.getfixturevalue("browser").open(f"livekit.html?{name}")
        return page

    yield started
    for guest in guests:
        guest.close()


@pytest.fixture(params=[*PAGES, *PROGRAMS])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(start: Start, name: str) -> Client:
    return start(name)


def enter(client: Client, call: Any) -> Any:
    return client.call("enter", call["room_url"], call["token"])


def test_it_is_greeted_by_the_agent_and_then_echoed(client: Client, rest: Rest) -> None:
    [agent] = enter(client, rest.web_call(GREETING))
    assert (agent["identity"], agent["isAgent"]) == ("agent", True)
    client.told("trackSubscribed", **{"from": "agent"})
    client.told("transcription", text=GREETING, final=True, **{"from": "agent"})
    client.told("stream", topic="lk.transcription", text=GREETING, **{"from": "agent"})
    client.told("attribute", name="lk.agent.state", value="listening", **{"from": "agent"})
    client.call("speak")
    client.hears(MICROPHONE)


@pytest.mark.parametrize("name", PAGES)  # the Python SDK has nothing to prepare
def test_it_finds_us_when_it_prepares_to_connect(client: Client, rest: Rest) -> None:
    call = rest.web_call(GREETING)
    client.call("prepare", call["room_url"], call["token"])
    enter(client, call)
    client.excuse("ERR_ABORTED")  # what Chromium says of an answer to HEAD that nobody reads


def test_it_is_told_of_the_call_and_ends_it_by_leaving(client: Client, rest: Rest) -> None:
    enter(client, rest.web_call(GREETING))
    client.told("callUpdate", status="IN_PROGRESS", id=rest.newest()["id"], **{"from": None})
    client.call("leave")
    rest.sees(1.0, status="COMPLETED")


def test_hanging_up_puts_it_out_with_a_reason(client: Client, rest: Rest) -> None:
    enter(client, rest.web_call(GREETING))
    client.told("callUpdate", status="IN_PROGRESS")
    rest.ask("POST", f"/v1/calls/{rest.newest()['id']}/hangup")
    client.told("disconnected", reason="ROOM_DELETED")


def test_a_used_token_is_refused_with_the_reason(client: Client, start: Start, name: str, rest: Rest) -> None:
    call, other = rest.web_call(GREETING), start(name)
    enter(client, call)
    with pytest.raises(Failed, match="The token is joined: it joins one call, once"):
        enter(other, call)
    other.excuse("401")
    other.excuse("HTTP Authentication failed")


def test_its_sound_comes_and_goes_with_mute_and_publication(client: Client, rest: Rest) -> None:
    enter(client, rest.web_call(GREETING))
    client.call("speak")
    client.told("localTrackPublished", source="microphone")
    client.hears(MICROPHONE)
    client.call("speak", False)
    client.hears_nothing()
    client.call("speak")
    client.hears(MICROPHONE)
    client.call("hush")
    client.told("localTrackUnpublished", source="microphone")
    client.hears_nothing()
    client.call("sound", 700)
    client.hears(700)


@pytest.mark.parametrize("name", PAGES)  # the Python SDK does not listen to a refusal, and waits for 10 s
def test_a_camera_is_refused_at_once_with_the_reason(client: Client, rest: Rest) -> None:
    enter(client, rest.web_call(GREETING))
    began = stopwatch()
    with pytest.raises(Failed, match="permission"):
        client.call("film")
    assert stopwatch() - began < 1
    client.call("speak")
    client.hears(MICROPHONE)


def test_it_is_shown_who_speaks(client: Client, rest: Rest) -> None:
    enter(client, rest.web_call(GREETING))
    client.told("speaking", **{"from": "agent"})
    client.call("sound", 700)
    client.told("speaking", me=True)


def test_the_agent_can_be_asked(client: Client, rest: Rest) -> None:
    enter(client, rest.web_call(GREETING))
    assert client.call("ask", "agent", "say", "Good morning.") == ""
    client.told("transcription", text="Good morning.", final=True)
    with pytest.raises(Failed, match="not supported"):
        client.call("ask", "agent", "dance", "")


@pytest.mark.parametrize("name", PAGES)  # the Python SDK does not listen to a refusal, and waits for 7 s
def test_asking_nobody_fails_at_once(client: Client, rest: Rest) -> None:
    enter(client, rest.web_call(GREETING))
    with pytest.raises(Failed, match="not found"):
        client.call("ask", "nobody", "say", "")


def test_two_of_them_hear_of_all_that_the_other_does(client: Client, start: Start, rest: Rest) -> None:
    call, other = rest.web_call(GREETING), start(NEWEST)
    [token] = rest.tokens("second")
    enter(client, call)
    first = next(one for one in other.call("enter", call["room_url"], token) if not one["isAgent"])["identity"]
    client.told("participantConnected", **{"from": "second"})
    sends_all_that_it_can(client, first, other)
    sends_all_that_it_can(other, "second", client)
    assert client.call("ask", "second", "ask", "who") == f"{first} asked who"
    assert other.call("ask", first, "ask", "who") == "second asked who"
    other.call("leave")
    client.told("participantDisconnected", **{"from": "second"})


def sends_all_that_it_can(client: Client, identity: str, other: Client) -> None:
    sender, long = {"from": identity}, "long " * 10_000
    client.call("send", "for sure", "chat", True)
    client.call("send", "perhaps", "chat", False)
    client.call("write", long, "lk.chat")
    client.call("press", 11, "#")
    client.call("present", "Ada", "a guest", {"mood": "fine"})
    client.call("sound", 700)
    other.told("data", topic="chat", text="for sure", isLossy=False, **sender)
    other.told("data", topic="chat", text="perhaps", isLossy=True, **sender)
    other.told("stream", topic="lk.chat", text=long, **sender)
    other.told("dtmf", digit="#", code=11, **sender)
    other.told("name", name="Ada", **sender)
    other.told("metadata", metadata="a guest", **sender)
    other.told("attribute", name="mood", value="fine", **sender)
    other.told("trackPublished", source="microphone", **sender)
    client.call("speak", False)
    other.told("trackMuted", source="microphone", **sender)


@pytest.mark.parametrize("scenario", ["signal-reconnect", "full-reconnect"])
def test_a_connection_that_is_lost_comes_back(client: Client, rest: Rest, scenario: str) -> None:
    comes_back(client, rest, scenario)


@pytest.mark.parametrize("name", PAGES)  # the Python SDK has no such scenario
def test_a_connection_that_cannot_resume_comes_back(client: Client, rest: Rest) -> None:
    comes_back(client, rest, "resume-reconnect")


def comes_back(client: Client, rest: Rest, scenario: str) -> None:
    enter(client, rest.web_call(GREETING))
    client.call("speak")
    client.hears(MICROPHONE)
    client.call("simulate", scenario)
    client.told("reconnected")
    client.call("hush")
    client.call("sound", 700)
    client.hears(700)
    assert rest.newest()["status"] == "IN_PROGRESS"
    client.call("leave")
    rest.sees(1.0, status="COMPLETED")
