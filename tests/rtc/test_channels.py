"""Messages that wait for a channel: within bounds, whatever the other side does."""

import asyncio

from revdesk_mock.rtc.channels import MOST_UNSENT, MOST_WAITING, MOST_WAITING_SIZE, Channel
from revdesk_mock.rtc.packets import PacketQueue
from revdesk_mock.rtc.peer import Listener, ignore
from tests.rtc.caller import SOON, call, live

LARGE = bytes(64 * 1024)


def test_many_small_messages_and_few_large_ones_wait_within_bounds() -> None:
    channel = Channel("events", ignore)
    for number in range(2 * MOST_WAITING):
        channel.send(str(number))
    assert (len(channel._waiting), channel._waiting[0]) == (MOST_WAITING, str(MOST_WAITING))
    for _ in range(2 * MOST_WAITING):
        channel.send(LARGE)
    assert len(channel._waiting) == MOST_WAITING_SIZE // len(LARGE)
    assert channel._size == MOST_WAITING_SIZE


@live
async def test_a_client_that_reads_nothing_more_slows_nobody_down_and_fills_no_memory() -> None:
    echo = PacketQueue(most=5, lead=2)
    async with (
        call() as (peer, deaf),
        call(Listener(audio=lambda _, packet, __: echo.push(packet))) as (other, lively),
        asyncio.timeout(2 * SOON),
    ):
        for caller, each in ((deaf, peer), (lively, other)):
            caller.speak()  # before the channel, or aiortc never connects
            caller.listen(caller.connection.createDataChannel("events"))
            each.publish("PA_agent", "TR_echo", echo if each is other else PacketQueue())
            await caller.call(each)
            each.send("events", "hello")
            await caller.messages.get()
        vars(deaf.connection.sctp)["_handle_data"] = swallow
        for round_trip in range(100):  # 64 MB for the one, a message for the other
            for _ in range(10):
                peer.send("events", LARGE)
            other.send("events", str(round_trip))
            assert (await lively.messages.get())[1] == str(round_trip)
        await lively.hears(440)
        channel = peer._channels["events"]
        assert channel._size <= MOST_WAITING_SIZE
        assert channel._wire is not None
        assert channel._wire.bufferedAmount < MOST_UNSENT + len(LARGE)


async def swallow(_: bytes) -> None:
    """Take what comes, and acknowledge nothing."""
