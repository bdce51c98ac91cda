"""Faults from the command line, the environment and the configuration file; and the list of recipes."""

import json
from pathlib import Path

import pytest

from revdesk_mock.faults.recipes import RECIPES
from tests.commands.shell import run
from tests.test_cli import serving

RULE = '{"on": "GET /v1/me", "do": {"status": 503}}'


def test_every_new_world_starts_with_what_the_flags_order() -> None:
    with serving(
        "--port", "0", "--fault", RULE, "--fault", '{"do": {"status": 500}}', "--recipe", "429-storm"
    ) as server:
        assert "faults   3 for every new world" in server.banner
        for key in ("revdesk_one", "revdesk_two"):
            assert server.ask("GET", "/v1/me", key=key)[0] == 429
            rows = server.ask("GET", "/_revdesk/faults", key=key)[1]
            assert [row["rule"]["do"] for row in rows] == [{"status": 503}, {"status": 500}, *RECIPE_DO]


RECIPE_DO = [rule["do"] for rule in RECIPES["429-storm"].rules]


@pytest.mark.parametrize("text", [RULE, f"[{RULE}]"], ids=["a rule", "a list"])
def test_a_variable_holds_a_rule_or_a_list_of_them(text: str) -> None:
    with serving("--port", "0", REVDESK_MOCK_FAULT=text, REVDESK_MOCK_RECIPE="lost-reply") as server:
        assert [server.ask("GET", "/v1/me")[0] for _ in range(2)] == [503, 200]
        assert len(server.ask("GET", "/_revdesk/faults")[1]) == 2


def test_a_rule_is_a_table_of_the_configuration_file(tmp_path: Path) -> None:
    lines = [
        "port = 0",
        'recipe = ["lost-reply"]',
        "[[fault]]",
        'on = "GET /v1/me"',
        "do = { status = 503 }",
        "nth = 2",
    ]
    (tmp_path / "revdesk-mock.toml").write_text("\n".join(lines))
    with serving(cwd=tmp_path) as server:
        assert [server.ask("GET", "/v1/me")[0] for _ in range(3)] == [200, 503, 200]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ["--fault", "{reset}"],
            2,
            "'--fault': '{reset}' is no JSON (unexpected character",
        ),
        (["--fault", '{"do": "rest"}'], 4, "faults: do: there is no 'rest'; did you mean 'reset'?"),
        (
            ["--fault", RULE, "--fault", '{"do": "reset", "nth": 0}'],
            4,
            "faults: 2: nth: it takes a whole number from 1",
        ),
        (["--fault", "5"], 4, "a rule is an object"),
        (["--recipe", "quiet-monday"], 2, "'429-storm', 'carrier-outage', 'lost-reply', 'slow-tuesday'"),
    ],
    ids=str,
)
def test_what_can_never_do_anything_stops_the_start(arguments: list[str], code: int, words: str) -> None:
    ended = run("--port", "0", *arguments)
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (code, "", 1)
    assert words in ended.stderr


def test_recipes_are_listed_with_what_they_do_and_their_rules() -> None:
    lines = [line.strip() for line in run("recipes").stdout.splitlines()]
    for name, recipe in RECIPES.items():
        at = lines.index(name)
        assert lines[at + 1] == recipe.says
        rules = lines[at + 2 : at + 2 + len(recipe.rules)]
        assert [json.loads(rule) for rule in rules] == list(recipe.rules)
