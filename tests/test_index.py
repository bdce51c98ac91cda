"""An index finds records by value, and a copy of it goes its own way."""

from revdesk_mock.index import Index


def test_records_are_found_in_the_order_in_which_they_got_a_value() -> None:
    index = Index()
    for record_id in "213":
        index.add("x", record_id)
    index.remove("x", "1")
    index.add("x", "1")
    assert list(index.find("x")) == ["2", "3", "1"]
    assert list(index.find("y")) == []


def test_copies_and_their_original_change_apart() -> None:
    index = Index()
    index.add("x", "1")
    first, second = index.copy(), index.copy()
    index.add("x", "2")
    first.remove("x", "1")
    assert [list(each.find("x")) for each in (index, first, second, first.copy())] == [["1", "2"], [], ["1"], []]
