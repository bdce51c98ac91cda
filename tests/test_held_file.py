"""A file counts for as long as a process holds it."""

import fcntl
from pathlib import Path

from revdesk_mock import held_file


def test_a_file_that_is_held_is_read(tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.write_text("news")
    with path.open() as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert held_file.read(path) == "news"
    assert path.exists()


def test_a_file_that_nobody_holds_is_no_news_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.write_text("old")
    assert held_file.read(path) is None
    assert not path.exists()


def test_no_file_is_no_news(tmp_path: Path) -> None:
    assert held_file.read(tmp_path / "record") is None
