"""Speech: texts as sound, spoken by espeak-ng where that is installed, else a tone as long as the text would take."""

import logging
import re
import threading
from collections import OrderedDict

import av
import numpy as np
import numpy.typing as npt

from revdesk_mock.rtc.espeak import Espeak
from revdesk_mock.rtc.mouth import BEAT, Spoken
from revdesk_mock.rtc.packets import FRAME, RATE
from revdesk_mock.rtc.tones import encoded

log = logging.getLogger("revdesk_mock")

Samples = npt.NDArray[np.int16]

LONGEST = 120  # seconds; a greeting of 1,000 characters takes about 70
MOST_CHARACTERS = 4_000  # more than are said in that time
WORDS_A_MINUTE = 165
CHARACTERS_A_SECOND = 15  # what the voices say at that rate, give or take a third
LEVEL, PEAK = 10 ** (-23 / 20), 10 ** (-1 / 20)  # of full scale: the mean of a sentence, and what no sample exceeds
NOISE = 12  # steps to either side: what listens for speech is confused by digital silence
PAUSE = 0.3  # seconds of it after a sentence: the last word is heard as ended
FALLBACK, TONE = "en-us", "tone"

_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")  # \x01 would begin a command to the library
_ONE_AT_A_TIME = threading.Lock()  # the process's, as the library's state is


class Speech:
    """Speaks texts, and remembers what it said lately as packets; for any thread but an event loop's: it takes time."""

    def __init__(self, library: str | None = None, cache_seconds: float = 300) -> None:
        self._library = library
        self._most_held = round(cache_seconds / BEAT)
        self._said: OrderedDict[tuple[str, str], Spoken] = OrderedDict()  # by voice and text, the latest last
        self._held = 0
        self._tried = False
        self._espeak: Espeak | None = None

    def say(self, text: str, voice_id: str | None = None, language: str | None = None) -> Samples:
        """Return the text as whole frames of 20 ms: none for a blank text, and no more than LONGEST."""
        with _ONE_AT_A_TIME:
            return self._spoken(speakable(text), self._voice_for(voice_id, language))

    def packets(self, text: str, voice_id: str | None = None, language: str | None = None) -> Spoken:
        """Return the text as Opus packets: the same ones while they are remembered.

        Whoever wants the same sentence at the same time waits for the first, rather than make it too.
        """
        with _ONE_AT_A_TIME:
            key = self._voice_for(voice_id, language), speakable(text)
            said = self._said.get(key)
            if said is None:
                log.debug("Voice %s speaks (voice_id %r, language %r).", key[0], voice_id, language)
                said = encoded(self._spoken(key[1], key[0]))
                self._remember(key, said)
            else:
                self._said.move_to_end(key)
            return said

    def voice_for(self, voice_id: str | None = None, language: str | None = None) -> str:
        """Name the voice that speaks: the one asked for, else the language's, else American English; or `tone`."""
        with _ONE_AT_A_TIME:
            return self._voice_for(voice_id, language)

    def _voice_for(self, voice_id: str | None, language: str | None) -> str:
        espeak = self._loaded()
        if espeak is None:
            return TONE
        voices = (espeak.voice(asked) for asked in (voice_id, language) if asked)
        return next(filter(None, voices), None) or espeak.voice(FALLBACK) or TONE

    def _loaded(self) -> Espeak | None:
        if not self._tried:
            self._tried = True
            try:
                self._espeak = Espeak(self._library)
            except (ImportError, OSError, AttributeError, RuntimeError) as why:
                log.warning(
                    "Agents speak in tones, as espeak-ng is not there (%s): pip install 'revdesk-mock[speech]'", why
                )
        return self._espeak

    def _spoken(self, text: str, voice: str) -> Samples:
        if not text:
            return _finished(np.zeros(0, np.float32))
        if self._espeak is None:
            return _finished(_tone(min(len(text) / CHARACTERS_A_SECOND, LONGEST)))
        spoken = self._espeak.speak(text, voice, words_a_minute=WORDS_A_MINUTE, longest=LONGEST)
        return _finished(_resampled(np.frombuffer(spoken, np.int16), self._espeak.rate))

    def _remember(self, key: tuple[str, str], said: Spoken) -> None:
        self._said[key] = said
        self._held += len(said)
        while self._held > self._most_held:
            self._held -= len(self._said.popitem(last=False)[1])


def speakable(text: str) -> str:
    """Return a text without what cannot be said, and no more of it than anybody would hear."""
    return _UNSPEAKABLE.sub(" ", text[:MOST_CHARACTERS]).strip()


def _tone(seconds: float) -> npt.NDArray[np.float32]:
    tone: npt.NDArray[np.float32] = np.sin(2 * np.pi * 440 / RATE * np.arange(round(seconds * RATE))).astype(np.float32)
    return tone


def _resampled(samples: Samples, rate: int) -> npt.NDArray[np.float32]:
    """Bring samples to RATE, as shares of full scale."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler("flt", "mono", RATE)
    return np.concatenate([part.to_ndarray()[0] for part in (*resampler.resample(frame), *resampler.resample(None))])


def _finished(speech: npt.NDArray[np.float32]) -> Samples:
    """Bring speech to its level, with a pause behind it and a little noise throughout, in whole frames."""
    frames = -(-(speech.size + round(PAUSE * RATE)) // FRAME) if speech.size else 0
    samples = np.random.default_rng(0).integers(-NOISE, NOISE, frames * FRAME, np.int16, endpoint=True)
    if peak := float(np.abs(speech).max(initial=0)):
        gain = min(LEVEL / float(np.sqrt(np.mean(speech**2))), PEAK / peak)
        samples[: speech.size] += (speech * gain * np.iinfo(np.int16).max).astype(np.int16)
    return samples
