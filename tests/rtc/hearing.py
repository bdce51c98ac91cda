"""Hears which of some sentences was said: pocketsphinx with its model of American English, and a grammar of them."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

RATE, HEARD_RATE = 48_000, 16_000
NOISE = 60  # steps to either side; in digital silence, and in very little noise, the recogniser loses last words
SILENCE = HEARD_RATE // 3  # after the last word


def words(text: str) -> list[str]:
    """Return the words of a text as the recogniser writes them."""
    return "".join(letter if letter.isalpha() or letter == "'" else " " for letter in text.lower()).split()


def heard(samples: npt.NDArray[np.int16], sentences: Iterable[str]) -> str:
    """Return what was said in 48 kHz mono, as lower-case words: one of the sentences, the beginning of one, or nothing.

    It hears the nearest one, so give it sentences that were not said, too. Raises ValueError for a word that is not
    in its dictionary (write `rev desk`); skips the test where pocketsphinx is not installed.
    """
    recogniser = _recogniser()
    choices = sorted({" ".join(words(sentence)) for sentence in sentences})
    if unknown := {word for choice in choices for word in choice.split() if recogniser.lookup_word(word) is None}:
        raise ValueError(f"the recogniser does not know {sorted(unknown)}")
    recogniser.add_jsgf_string("choices", f"#JSGF V1.0; grammar choices; public <choice> = {' | '.join(choices)};")
    recogniser.activate_search("choices")
    recogniser.start_utt()
    recogniser.process_raw(_for_the_recogniser(samples).tobytes(), full_utt=True)
    recogniser.end_utt()
    hypothesis = recogniser.hyp()
    return hypothesis.hypstr if hypothesis else ""


def word_errors(expected: str, got: str) -> int:
    """Return how many words must be changed, added or left out to make one text the other."""
    row = list(range(len(words(got)) + 1))
    for number, wanted in enumerate(words(expected), 1):
        corner, row[0] = row[0], number
        for column, word in enumerate(words(got), 1):
            corner, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, corner + (word != wanted))
    return row[-1]


@cache
def _recogniser() -> Any:
    """Return the one there is: its model takes 0.2 s to load."""
    pocketsphinx = pytest.importorskip("pocketsphinx", reason="pocketsphinx, which hears speech, is not installed")
    return pocketsphinx.Decoder(lm=None, samprate=HEARD_RATE, loglevel="FATAL")


def _for_the_recogniser(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Bring 48 kHz to 16, through the spectrum, with noise and silence behind it."""
    whole = -(-samples.size // RATE) * RATE  # seconds: short prime factors are fast
    length = whole * HEARD_RATE // RATE
    slow = np.fft.irfft(np.fft.rfft(samples, whole), length) * HEARD_RATE / RATE
    slow = np.concatenate([slow, np.zeros(SILENCE)])
    noise = np.random.default_rng(0).integers(-NOISE, NOISE, slow.size, endpoint=True)
    return np.clip(slow + noise, -32768, 32767).astype(np.int16)
