"""The only user of espeak-ng: its library through ctypes, loaded at run time where it is installed.

The library is under the GPL-3 and no part of this product; without it there is no voice, and nothing else is missing.
"""

import ctypes
from collections.abc import Iterator, Mapping
from types import MappingProxyType

# What a language without a country means here, and names by which the library does not know a language.
USUAL: Mapping[str, str] = MappingProxyType({"en": "en-us", "zh": "cmn", "no": "nb"})
MOST_PARTS = 5  # of a language tag

# From its header, speak_lib.h.
SYNCHRONOUS, NEVER_EXIT = 2, 0x8000
WORD_RATE, BY_CHARACTER, UTF8 = 1, 1, 1

_Hears = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    """espeak_VOICE; `languages` points to pairs of a priority (one byte) and a tag, ended by a zero byte."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("rest", ctypes.c_ubyte * 8),
        ("spare", ctypes.c_void_p),
    )

    def tags(self) -> Iterator[tuple[int, str]]:
        """Yield (priority, language tag); the voice with the lowest priority is the tag's own."""
        at = self.languages
        while priority := ctypes.string_at(at, 1)[0]:
            tag = ctypes.string_at(at + 1)
            yield priority, tag.decode()
            at += len(tag) + 2


class Espeak:
    """The library, with its state in globals: one thread at a time, in the whole process."""

    def __init__(self, library: str | None = None) -> None:
        """Load it: the one at a path, else that of the extra `speech`.

        Raises ImportError without the extra, OSError or AttributeError for a file that is not the library, and
        RuntimeError where it finds no voices.
        """
        data = None  # a library of the system knows where its data is
        if library is None:
            import espeakng_loader

            library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path().encode()
        self._c = ctypes.CDLL(library)
        self._c.espeak_Synth.argtypes = (
            *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint),
            *(ctypes.c_void_p, ctypes.c_void_p),
        )
        self._c.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        self.rate: int = self._c.espeak_Initialize(SYNCHRONOUS, 0, data, NEVER_EXIT)
        if self.rate <= 0:
            raise RuntimeError(f"{library} finds no voices")
        tags = sorted((rank, tag.lower(), voice.identifier) for voice in self._list() for rank, tag in voice.tags())
        self._voices = {tag: voice.decode() for _, tag, voice in reversed(tags)}
        variants = (voice.identifier.decode().removeprefix("!v/") for voice in self._list(b"variant"))
        self._variants = {variant.lower(): variant for variant in variants}

    def voice(self, asked: str) -> str | None:
        """Return the voice for a language tag in any spelling, or for as much of its front as is known.

        A variant may follow the tag, as in `en-us+f3`; an unknown one is left out.
        """
        tag, _, variant = asked.lower().replace("_", "-").partition("+")
        parts = tag.split("-")
        for count in range(min(len(parts), MOST_PARTS), 0, -1):
            front = "-".join(parts[:count])
            if voice := self._voices.get(USUAL.get(front, front)):
                return f"{voice}+{self._variants[variant]}" if variant in self._variants else voice
        return None

    def speak(self, text: str, voice: str, *, words_a_minute: int, longest: int) -> bytes:
        """Return a text as 16-bit samples at the library's rate, cut off after `longest` seconds."""
        pieces: list[bytes] = []
        left = longest * self.rate

        def hear(samples: int | None, count: int, _events: int | None) -> int:
            nonlocal left
            if samples and count > 0:
                pieces.append(ctypes.string_at(samples, 2 * min(count, left)))
                left -= min(count, left)
            return int(left == 0)  # one ends it

        heard = _Hears(hear)  # held until all is said
        self._c.espeak_SetSynthCallback(heard)
        self._c.espeak_SetVoiceByName(voice.encode())
        self._c.espeak_SetParameter(WORD_RATE, words_a_minute, 0)
        spoken = text.encode() + b"\0"
        self._c.espeak_Synth(spoken, len(spoken), 0, BY_CHARACTER, 0, UTF8, None, None)
        return b"".join(pieces)

    def _list(self, kind: bytes | None = None) -> Iterator[_Voice]:
        """Yield the voices of all languages, or those of a kind."""
        asked = ctypes.byref(_Voice(languages=ctypes.cast(ctypes.c_char_p(kind), ctypes.c_void_p))) if kind else None
        for voice in iter(self._c.espeak_ListVoices(asked)):
            if not voice:
                return
            yield voice.contents
