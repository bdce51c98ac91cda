"""Agents are understood: what is said is recognised, at a decent level, whatever the text and the voice."""

import logging
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock.rtc.media import Decoder
from revdesk_mock.rtc.packets import FRAME, RATE
from revdesk_mock.rtc.speech import CHARACTERS_A_SECOND, LONGEST, NOISE, PAUSE, TONE, Samples, Speech
from tests.rtc.hearing import heard, word_errors, words

SENTENCES = [
    "Hello, this is the rev desk test agent.",
    "Your appointment is on Monday at ten.",
    "Please say your name after the tone.",
    "Thank you for calling Harbor Dental.",
    "We are open from nine to five.",
    "Press one to speak to a person.",
    "The weather will be fine tomorrow morning.",
    "Please hold the line for a moment.",
]
# Each differs from the one above in a word.
OTHERS = [
    "Hello, this is the rev desk sales agent.",
    "Your appointment is on Tuesday at ten.",
    "Please say your number after the tone.",
    "Thank you for calling Uptown Dental.",
    "We are open from eight to five.",
    "Press two to speak to a person.",
    "The weather will be bad tomorrow morning.",
    "Please hold the door for a moment.",
]
NOWHERE = "/nowhere/libespeak-ng.so"


@pytest.fixture(scope="module")
def speech() -> Speech:
    made = Speech()
    if made.voice_for() == TONE:
        pytest.skip("espeakng-loader, which brings the voices, is not installed")
    return made


def decibels(samples: Samples) -> float:
    """Return the mean level below full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)) / 32768))


def seconds(samples: Samples) -> float:
    return samples.size / RATE


@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "en-gb+f2"])
def test_every_word_is_understood(speech: Speech, voice: str) -> None:
    for sentence in SENTENCES:
        got = heard(speech.say(sentence, voice), SENTENCES + OTHERS)
        assert word_errors(sentence, got) == 0, f"{sentence!r} was heard as {got!r}"


def test_another_word_is_heard_as_another(speech: Speech) -> None:
    understood = [heard(speech.say(other), SENTENCES + OTHERS) == " ".join(words(other)) for other in OTHERS]
    assert sum(understood) >= len(OTHERS) - 1


def test_what_is_not_among_the_choices_is_not_heard_as_said(speech: Speech) -> None:
    assert word_errors(SENTENCES[0], heard(speech.say(SENTENCES[0]), SENTENCES[1:])) > 2


@pytest.mark.parametrize("voice", ["en-us", "en-gb+m3", "de", "fr", "es-mx", "pt-br", "cmn"])
def test_every_voice_has_the_same_level_and_a_sensible_length(speech: Speech, voice: str) -> None:
    for sentence in SENTENCES:
        samples = speech.say(sentence, voice)
        assert -26 < decibels(samples) < -21
        assert np.abs(samples.astype(int)).max() < 0.9 * 32768
        assert 0.67 < (seconds(samples) - PAUSE) * CHARACTERS_A_SECOND / len(sentence) < 1.5


def test_a_sentence_is_whole_frames_and_ends_in_a_faintly_noisy_pause(speech: Speech) -> None:
    samples = speech.say(SENTENCES[0])
    assert samples.dtype == np.int16
    assert samples.shape == (samples.size,)
    assert samples.size % FRAME == 0
    pause = samples[-round(PAUSE * RATE) :]
    assert 0 < np.abs(pause).max() <= NOISE
    assert np.count_nonzero(pause) > 0.9 * pause.size


@pytest.mark.parametrize(
    ("voice_id", "language", "taken"),
    [
        (None, None, "gmw/en-US"),
        ("en-us", "de", "gmw/en-US"),
        ("EN_US", None, "gmw/en-US"),
        ("en-gb", "en", "gmw/en"),
        ("en-au", None, "gmw/en-US"),
        (None, "en", "gmw/en-US"),
        ("de+f3", None, "gmw/de+f3"),
        ("de+nobody", None, "gmw/de"),
        ("nova", "pt-BR", "roa/pt-BR"),
        ("nova", "de-AT", "gmw/de"),
        (None, "zh-Hans-CN", "sit/cmn"),
        ("nova", "xx", "gmw/en-US"),
        ("", "", "gmw/en-US"),
        ("../../etc/passwd", "-", "gmw/en-US"),
        ("-" * 1_000_000, "+" * 1_000_000, "gmw/en-US"),
    ],
)
def test_a_voice_is_found_for_any_agent(speech: Speech, voice_id: str | None, language: str | None, taken: str) -> None:
    assert speech.voice_for(voice_id, language) == taken


def test_the_language_decides_how_a_text_is_read(speech: Speech) -> None:
    english, german = speech.say("Guten Tag, 21", "nova", "en"), speech.say("Guten Tag, 21", "nova", "de")
    assert english.size != german.size


def test_what_was_said_is_remembered_by_voice_and_text(speech: Speech) -> None:
    first = speech.packets(SENTENCES[0], "en-us")
    assert speech.packets(SENTENCES[0], "nova", "en") is first
    assert speech.packets(SENTENCES[0], "en-gb") is not first


def test_what_many_want_at_once_is_made_once() -> None:
    speech = Speech()
    with ThreadPoolExecutor(8) as pool:
        assert len({id(said) for said in pool.map(speech.packets, [SENTENCES[0]] * 8)}) == 1


def test_packets_are_the_text(speech: Speech) -> None:
    decoder = Decoder()
    samples = np.concatenate([decoder.decode(packet) for packet, _ in speech.packets(SENTENCES[0])])
    assert word_errors(SENTENCES[0], heard(samples, SENTENCES + OTHERS)) == 0


def test_no_more_is_remembered_than_told(speech: Speech) -> None:
    lengths = [seconds(speech.say(sentence)) for sentence in SENTENCES[:3]]
    forgetful = Speech(cache_seconds=sum(lengths) - 0.1)
    first, second = forgetful.packets(SENTENCES[0]), forgetful.packets(SENTENCES[1])
    assert forgetful.packets(SENTENCES[0]) is first  # now the second is the oldest
    third = forgetful.packets(SENTENCES[2])
    assert forgetful.packets(SENTENCES[0]) is first
    assert forgetful.packets(SENTENCES[2]) is third
    assert forgetful.packets(SENTENCES[1]) is not second


def test_many_threads_and_two_speakers_do_not_disturb_one_another(speech: Speech) -> None:
    speakers = [Speech(), Speech()]
    jobs = [(sentence, voice) for sentence in SENTENCES for voice in ("en-us", "de", "en-us+f3")] * 2
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda job: speakers[job[0] % 2].say(*job[1]), enumerate(jobs)))
    for (sentence, voice), samples in zip(jobs, said, strict=True):
        alone = speech.say(sentence, voice)
        assert seconds(samples) == pytest.approx(seconds(alone), abs=0.1)  # the library's own spread
        assert decibels(samples) == pytest.approx(decibels(alone), abs=0.5)
        assert voice == "de" or word_errors(sentence, heard(samples, SENTENCES + OTHERS)) == 0


@pytest.mark.parametrize("blank", ["", " ", "\n\r\n\t", "\x00", "\ud800"])
def test_a_blank_text_has_no_frames(speech: Speech, blank: str) -> None:
    assert speech.say(blank).size == 0
    assert Speech(NOWHERE).say(blank).size == 0


@pytest.mark.parametrize(
    "text",
    [
        "<speak><break time='900s'/>&amp; hello</speak>",
        "[[h@l'oU]] {hello}",
        "one\ntwo\r\n\r\nthree\x00four",
        "\ud83d hello \ude00",
        "👩‍👩‍👧‍👦🏳️‍🌈 hello",
        "你好 这是测试。สวัสดี مرحبا Привет नमस्ते",
        "\u202ehello\u202c",
        "+14155550100 $1,234,567.89 12:30 1e100 https://example.com/?a=b",
    ],
)
def test_any_text_is_said_in_good_time(speech: Speech, text: str) -> None:
    samples = speech.say(text)
    assert 0.5 < seconds(samples) < 40
    assert decibels(samples) > -30


def test_a_text_cannot_change_how_the_next_is_said(speech: Speech) -> None:
    before = Speech().say(SENTENCES[0])
    speech.say("\x015A\x01300S\x01b whispered and fast")
    after = Speech().say(SENTENCES[0])
    assert seconds(after) == pytest.approx(seconds(before), abs=0.1)
    assert decibels(after) == pytest.approx(decibels(before), abs=0.5)


@pytest.mark.parametrize("text", ["word ", "a", "9", "😀", ". ! ", "\ue000"])
def test_a_text_without_end_is_cut_off(speech: Speech, text: str) -> None:
    samples = speech.say(text * 20_000)
    assert seconds(samples) < LONGEST + 1
    assert samples.size == pytest.approx(speech.say(text * 40_000).size, abs=5 * FRAME)


def test_the_longest_greeting_is_said_to_its_end(speech: Speech) -> None:
    greeting = f"{' '.join(SENTENCES * 4)[:965]} {SENTENCES[-1]}"
    samples = speech.say(greeting)
    assert 40 < seconds(samples) < LONGEST - 10
    ending = samples[-speech.say(SENTENCES[-1]).size :]
    assert word_errors(SENTENCES[-1], heard(ending, SENTENCES + OTHERS)) == 0


@given(st.text(max_size=1_000), st.text(max_size=12), st.text(max_size=12))
def test_nothing_that_can_be_written_breaks_speech(text: str, voice_id: str, language: str) -> None:
    samples = Speech().say(text, voice_id, language)
    assert samples.size % FRAME == 0
    assert seconds(samples) < LONGEST + 1


@pytest.mark.parametrize("sentence", SENTENCES)
def test_without_the_library_a_tone_takes_as_long(speech: Speech, sentence: str) -> None:
    tone = Speech(NOWHERE).say(sentence, "en-us", "en")
    assert 0.67 < seconds(tone) / seconds(speech.say(sentence)) < 1.5
    assert decibels(tone) == pytest.approx(-23, abs=1)
    spectrum = np.abs(np.fft.rfft(tone[:RATE]))
    assert spectrum.argmax() == 440


def test_a_tone_ends_as_speech_does() -> None:
    tone = Speech(NOWHERE).say("word " * 4_000)
    assert tone.size % FRAME == 0
    assert LONGEST < seconds(tone) < LONGEST + 1
    assert np.abs(tone[-FRAME:]).max() <= NOISE


@pytest.mark.parametrize("library", [None, NOWHERE, sys.executable])
def test_a_missing_library_is_told_once(
    library: str | None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    mute = Speech(library)
    with caplog.at_level(logging.WARNING, "revdesk_mock"):
        for sentence in SENTENCES:
            mute.say(sentence)
    assert mute.voice_for("en-us", "en") == TONE
    [told] = caplog.messages
    assert "pip install 'revdesk-mock[speech]'" in told


def test_words_that_nobody_could_hear_are_refused() -> None:
    with pytest.raises(ValueError, match="revdesk"):
        heard(np.zeros(RATE, np.int16), ["Hello, this is RevDesk."])
