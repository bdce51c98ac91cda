"""A window counts the instants of the last while, whichever way time is moved."""

from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock.window import KEPT, Window

INSTANTS = st.lists(st.integers(0, 500))
NOW, SPAN = st.integers(0, 600), st.integers(1, 100)


@given(INSTANTS, INSTANTS, NOW, SPAN)
def test_it_counts_what_lies_within_the_span(added: list[int], removed: list[int], now: int, span: int) -> None:
    window = Window(span)
    model: list[int] = []
    for at in added:
        window.add(at)
        model.append(at)
    for at in removed:
        window.remove(at)
        if at in model:
            model.remove(at)
    inside = [at for at in model if now - span < at <= now]
    assert window.count(now) == len(inside)
    assert window.oldest(now) == min(inside, default=now)


def test_instants_that_left_long_ago_are_thrown_away() -> None:
    window = Window(10)
    for at in range(KEPT + 2):
        window.add(at)
    window.add(5000)
    assert window.count(5000) == 1
    assert window._instants == [5000]


def test_a_window_begins_with_the_instants_of_another() -> None:
    window = Window(1000, [300, 100])
    window.add(200)
    assert list(Window(1000, window)) == [100, 200, 300]
