"""JSON in a file is read, or refused in words that name the file."""

from pathlib import Path

import pytest

from revdesk_mock import StartError, json_file


def test_what_a_file_holds_is_read(tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text('{"a": [1]}')
    assert json_file.read(tmp_path / "some.json") == {"a": [1]}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^contract some\.json: No such file or directory$"):
        json_file.read(tmp_path / "some.json", "contract some.json")


def test_a_file_that_is_not_json_is_named_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text("{")
    with pytest.raises(StartError, match=r"some\.json is not JSON: "):
        json_file.read(tmp_path / "some.json")
