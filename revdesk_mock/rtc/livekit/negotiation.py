"""Who describes a connection to whom, and when: offers and answers with a client of LiveKit's protocol."""

import asyncio
from collections.abc import Callable

from livekit.protocol import rtc

from revdesk_mock.rtc.livekit import messages
from revdesk_mock.rtc.livekit.transports import Transports
from revdesk_mock.rtc.peer import PeerError


class Negotiation:
    """With one peer connection the client makes every offer, and is asked for sections where tracks lack them.

    With two, each side offers the one on which it speaks. `failed` is called with what cannot be used.
    """

    def __init__(
        self, transports: Transports, send: Callable[[rtc.SignalResponse], None], failed: Callable[[Exception], None]
    ) -> None:
        self._transports = transports
        self._send = send
        self._failed = failed
        self._number = 0  # of our last offer
        self._is_waiting = False  # for the answer to it
        self._is_outdated = False
        self._has_answered = False
        self._sections_asked = 0
        self._offering: asyncio.Task[None] | None = None

    async def answer(self, offer: rtc.SessionDescription) -> bool:
        """Answer an offer of the client's; return whether that could be done."""
        homeless = self._transports.homeless
        try:
            sdp = await self._transports.publisher.answer(offer.sdp)
        except (PeerError, OSError) as error:
            self._failed(error)
            return False
        mids = {} if self._transports.is_dual else self._transports.mids
        self._send(messages.description("answer", sdp, offer.id, mids))
        self._has_answered = True
        left = self._transports.homeless
        self._sections_asked = min(max(0, self._sections_asked - (homeless - left)), left)
        self.renew()
        return True

    async def accept(self, answer: rtc.SessionDescription) -> None:
        """Take the answer to our last offer; one to an earlier offer is no matter. Native clients number none."""
        if not self._is_waiting or answer.id not in {0, self._number}:
            return
        try:
            await self._transports.subscriber.accept(answer.sdp)
        except PeerError as error:
            self._failed(error)
            return
        self._is_waiting = False
        if self._is_outdated:
            self.offer()

    def renew(self) -> None:
        """See to it that every track has a media section."""
        if not self._transports.is_dual:
            self._ask_for_sections()
        elif self._transports.homeless:
            self.offer()

    def offer(self) -> None:
        """Offer what there is now, once the offer before is answered."""
        self._is_outdated = self._is_waiting
        if not self._is_waiting:
            self._is_waiting = True
            self._offering = asyncio.create_task(self._offer())

    def repeat(self) -> None:
        """Offer anew what a client that was away for a while may not have seen."""
        if self._is_waiting:
            self._is_waiting = False
            self.offer()

    def close(self) -> None:
        """Make no offer any more."""
        if self._offering is not None:
            self._offering.cancel()

    async def _offer(self) -> None:
        self._number += 1
        try:
            sdp = await self._transports.subscriber.offer()
        except (PeerError, OSError) as error:
            self._failed(error)
        else:
            self._send(messages.description("offer", sdp, self._number, self._transports.mids))

    def _ask_for_sections(self) -> None:
        """Ask for as many as are missing; not before its first offer, which may have them."""
        missing = self._transports.homeless - self._sections_asked
        if self._has_answered and missing > 0:
            self._sections_asked += missing
            self._send(rtc.SignalResponse(media_sections_requirement=rtc.MediaSectionsRequirement(num_audios=missing)))
