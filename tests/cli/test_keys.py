"""`abtest key` and `abtest user`."""

import json
import re

from tests.cli.conftest import Commands


def test_a_key_is_printed_once(run: Commands) -> None:
    made = run("key", "create", "--kind", "sk", "--json")
    assert (made.code, made.err) == (0, "")
    assert made.content["kind"] == "sk"
    assert re.fullmatch(r"abtest_sk_[\w-]{43}", made.content["key"])
    assert made.content["id"]
    listed = run("key", "list", "--json")
    (found,) = listed.content
    assert (found["id"], found["hint"]) == (
        made.content["id"],
        made.content["key"][-4:],
    )
    assert made.content["key"] not in listed.out


def test_people_get_the_key_alone(run: Commands) -> None:
    origin = "https://shop.example"
    made = run("key", "create", "--kind", "pk", "--name", "shop", "--origin", origin)
    assert re.fullmatch(r"abtest_pk_[\w-]{43}\n", made.out)
    listed = run("key", "list").out
    assert "shop" in listed
    assert origin in listed
    assert made.out[-5:-1] in listed


def test_a_key_is_revoked(run: Commands) -> None:
    key_id = run("key", "create", "--kind", "rk", "--json").content["id"]
    assert run("key", "revoke", key_id).out == f"{key_id} is revoked.\n"
    assert "revoked" in run("key", "list").out
    again = run("key", "revoke", key_id)
    assert again.code == 1
    assert again.err.startswith("Error: ")
    assert key_id in again.err


def test_errors_are_one_line_or_a_problem(run: Commands) -> None:
    wrong = ("key", "create", "--kind", "pk", "--origin", "*")
    for_people = run(*wrong)
    assert (for_people.code, for_people.out) == (1, "")
    assert for_people.err.count("\n") == 1
    assert '"*"' in for_people.err
    for_programs = run(*wrong, "--json")
    assert (for_programs.code, for_programs.out) == (1, "")
    problem = json.loads(for_programs.err)
    assert problem["type"] == "/problems/invalid"
    assert problem["errors"][0]["pointer"] == "/origins/0"


def test_wrong_usage_is_exit_code_2(run: Commands) -> None:
    assert run("key", "create").code == 2
    assert run("key", "create", "--kind", "xx").code == 2
    assert run("nonsense").code == 2


def test_a_wrong_setting_is_told_before_anything_is_made(run: Commands) -> None:
    run.database.parent.mkdir()
    run.database.write_text("this is no database at all, but a text file\n" * 100)
    done = run("key", "list")
    assert done.code == 1
    assert "abtest.db" in done.err


def test_people_are_added(run: Commands) -> None:
    made = run("user", "add", "ada", "--role", "admin", "--json")
    assert made.code == 0
    assert made.content["name"] == "ada"
    assert len(made.content["password"]) >= 20
    told = run("user", "add", "bob", "--password-stdin", stdin="long enough pass\n")
    assert (told.code, "long enough" in told.out) == (0, False)
    assert run("user", "add", "ada").code == 1
    short = run("user", "add", "eve", "--password-stdin", stdin="short\n")
    assert (short.code, "5 characters" in short.err) == (1, True)
    listed = run("user", "list", "--json").content
    assert [(u["name"], u["role"]) for u in listed] == [
        ("ada", "admin"),
        ("bob", "viewer"),
    ]
    assert "ada  admin" in run("user", "list").out


def test_a_password_is_reset(run: Commands) -> None:
    run("user", "add", "ada")
    made = run("user", "passwd", "ada", "--json").content
    assert made["name"] == "ada"
    assert len(made["password"]) >= 20
    told = run("user", "passwd", "ada", "--password-stdin", stdin="long enough pass\n")
    assert (told.code, told.out) == (0, "ada has a new password.\n")
    assert run("user", "passwd", "eve").code == 1


def test_a_key_is_rotated(run: Commands) -> None:
    old = run("key", "create", "--kind", "pk", "--name", "shop", "--json").content
    new = run("key", "rotate", old["id"], "--json").content
    assert (new["kind"], new["name"]) == ("pk", "shop")
    assert new["key"] != old["key"]
    assert run("key", "rotate", old["id"]).code == 1
    assert "revoked" in run("key", "list").out
