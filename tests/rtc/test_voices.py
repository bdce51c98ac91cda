"""The voices of a room: speech begins and ends with loud and quiet packets, and without any."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from revdesk_mock.rtc.events import Participant, Speaking, Track
from revdesk_mock.rtc.media import Encoder, Frame, frames_of, level, tone
from revdesk_mock.rtc.packets import FRAME
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.speech import Speech
from revdesk_mock.rtc.voices import AUDIBLE, BEAT, HANGOVER, LOUD, ONSET, Voices
from tests.rtc.test_rooms import Ear

SPEECH, NOISE = -23, -74


class Studio:
    """A room with watched voices, and a timer that runs out when the test says so."""

    def __init__(self, *identities: str) -> None:
        self.room, self.ear = Room("room_1", "RM_1"), Ear()
        self.timer: Callable[[], None] | None = None
        self.room.watch(Voices(self.room, self.later))
        self.room.join(Participant("PA_ear", "ear"), self.ear)
        for identity in identities or ("ann",):
            self.room.join(Participant(f"PA_{identity}", identity), Ear())
            self.room.publish(identity, Track(f"TR_{identity}", "microphone"))

    def later(self, seconds: float, call: Callable[[], None]) -> Any:
        assert seconds == BEAT
        self.timer = call
        return self

    def cancel(self) -> None:
        self.timer = None

    def beat(self) -> None:
        assert self.timer is not None
        self.timer()

    def sound(self, loudness: int | None, packets: int = 1, who: str = "ann", packet: bytes = b"x") -> None:
        for _ in range(packets):
            self.room.sound(who, f"TR_{who}", packet, loudness)

    @property
    def told(self) -> list[list[str]]:
        """Who spoke, each time that was told."""
        return [list(event.levels) for event in self.ear.told if isinstance(event, Speaking)]

    @property
    def levels(self) -> Any:
        return [event.levels for event in self.ear.told if isinstance(event, Speaking)][-1]


def test_speech_begins_with_the_third_loud_packet_and_ends_after_some_quiet() -> None:
    studio = Studio()
    studio.sound(SPEECH, ONSET - 1)
    assert studio.told == []
    studio.sound(SPEECH)
    assert studio.told == [["ann"]]
    studio.sound(NOISE, HANGOVER - 1)
    assert studio.told == [["ann"]]
    studio.sound(NOISE)
    assert (studio.told, studio.timer) == ([["ann"], []], None)


def test_a_click_is_no_speech() -> None:
    studio = Studio()
    for _ in range(5):
        studio.sound(-3, ONSET - 1)
        studio.sound(NOISE, HANGOVER)
    assert studio.told == []


def test_a_noise_is_no_speech() -> None:
    studio = Studio()
    studio.sound(NOISE, 500)
    studio.sound(round(LOUD) - 1, 500)
    assert studio.told == []


def test_speech_goes_on_through_what_would_not_begin_it() -> None:
    studio = Studio()
    studio.sound(SPEECH, ONSET)
    studio.sound(round(AUDIBLE), 200)
    assert studio.told == [["ann"]]


def test_the_beeps_of_a_browsers_fake_microphone_are_one_speech() -> None:
    studio = Studio()
    for _ in range(6):  # as Chromium sends them, every half second
        for loudness in (-8, -12, -28, -34, -38, -41, -44, -48, -52, -56, -61, -67, -74, *[-127] * 12):
            studio.sound(loudness)
    assert studio.told == [["ann"]]


def test_while_somebody_speaks_the_levels_are_told_a_few_times_a_second() -> None:
    studio = Studio()
    studio.sound(-40, ONSET)
    studio.sound(-20)
    studio.beat()
    assert studio.levels == {"ann": 0.1}
    studio.sound(-40)
    studio.beat()
    assert studio.levels == {"ann": 0.01}
    assert studio.told == [["ann"]] * 3


def test_the_loudest_comes_first() -> None:
    studio = Studio("ann", "bob")
    studio.sound(-30, 4, "ann")
    studio.sound(-20, 4, "bob")
    studio.beat()
    studio.sound(-30, 4, "ann")
    studio.sound(-20, 4, "bob")
    studio.beat()
    assert studio.told[-1] == ["bob", "ann"]


def test_speech_ends_when_packets_stop() -> None:
    studio = Studio()
    studio.sound(SPEECH, ONSET)
    studio.beat()
    studio.beat()
    studio.beat()
    assert (studio.told[-1], studio.timer) == ([], None)
    studio.sound(SPEECH, ONSET)
    assert studio.told[-1] == ["ann"]


@pytest.mark.parametrize("what", ["mute", "unpublish", "leave"])
def test_speech_ends_at_once_when_its_track_is_muted_or_taken_away_or_the_person_leaves(what: str) -> None:
    studio = Studio()
    studio.sound(SPEECH, ONSET)
    match what:
        case "mute":
            studio.room.mute("ann", "TR_ann", is_muted=True)
        case "unpublish":
            studio.room.unpublish("ann", "TR_ann")
        case _:
            studio.room.leave("ann")
    assert (studio.told, studio.timer) == ([["ann"], []], None)


def test_a_closed_room_leaves_no_timer() -> None:
    studio = Studio()
    studio.sound(SPEECH, ONSET)
    studio.room.close()
    assert studio.timer is None


def packets(samples: Frame) -> list[bytes]:
    encoder = Encoder()
    return [encoder.encode(frame) for frame in frames_of(samples)]


def test_where_the_sender_tells_no_levels_they_are_measured() -> None:
    studio = Studio()
    noise = np.random.default_rng(0).integers(-12, 12, 50 * FRAME, np.int16, endpoint=True)
    for packet in packets(noise):
        studio.sound(None, packet=packet)
    studio.sound(None, packet=b"")
    assert studio.told == []
    for packet in packets(tone(440, 0.2)):
        studio.sound(None, packet=packet)
    assert studio.told == [["ann"]]


def test_a_sentence_is_one_speech() -> None:
    studio = Studio()
    sentence = Speech().say("Hello, this is Harbor Dental. How can I help you?")
    for frame in frames_of(sentence):
        studio.sound(round(level(frame)))
    studio.sound(NOISE, HANGOVER)
    assert studio.told == [["ann"], []]
