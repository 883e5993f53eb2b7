from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from pipeline_project import env


def refusal(function, *arguments, **named) -> str:
    """Return the one line with which `function` refuses the variable THING."""
    with pytest.raises(ImproperlyConfigured) as refused:
        function("THING", *arguments, **named)
    (line,) = str(refused.value).splitlines()
    return line


@pytest.fixture(autouse=True)
def _unset(monkeypatch) -> None:
    monkeypatch.delenv("THING", raising=False)
    monkeypatch.delenv("THING_FILE", raising=False)


@pytest.mark.parametrize("line", ['SECRET_KEY="my-long-key', "this is nonsense", "ADMINS='ann@example.org"])
def test_it_refuses_a_file_with_a_line_that_says_nothing(monkeypatch, tmp_path: Path, line: str) -> None:
    monkeypatch.setattr("os.environ", {})
    path = tmp_path / ".env"
    path.write_text(f"THING=1\n{line}\n")
    with pytest.raises(ImproperlyConfigured, match=f"^line 2 of {path} is no NAME=value, or its quotes are not closed"):
        env.load(path)


def test_it_reads_a_file_with_comments_exports_and_values_of_several_lines(monkeypatch, tmp_path: Path) -> None:
    environment = {"THING": "kept"}
    monkeypatch.setattr("os.environ", environment)
    path = tmp_path / ".env"
    path.write_text("# a comment\n\nexport ONE=1\nTWO='a # b'\nTHREE=\"first\nsecond\"\nFOUR=\nTHING=other\n")
    env.load(path)
    assert environment == {"THING": "kept", "ONE": "1", "TWO": "a # b", "THREE": "first\nsecond", "FOUR": ""}


@pytest.mark.parametrize("value", [None, "", "  "])
def test_it_takes_the_default_for_a_text_that_is_not_set_or_blank(monkeypatch, value) -> None:
    if value is not None:
        monkeypatch.setenv("THING", value)
    assert env.text("THING", "default") == "default"
    assert env.text("THING") == ""


def test_it_reads_a_text_without_the_space_around_it(monkeypatch) -> None:
    monkeypatch.setenv("THING", " two words ")
    assert env.text("THING", "default") == "two words"


def test_it_reads_a_secret_as_it_is(monkeypatch) -> None:
    monkeypatch.setenv("THING", ' s3cr"et$# ')
    assert env.secret("THING", "default") == ' s3cr"et$# '


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\x1b[2Jb", "a\u200bb", "a\u202eb", "a\udcffb"])
def test_it_refuses_a_text_with_what_cannot_be_seen(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", value)
    for read in (env.text, env.words, env.cron):
        line = refusal(read, "default")
        assert line.isprintable()
        assert line.startswith("THING")


@pytest.mark.parametrize("value", [" ", "\n", "\t "])
def test_it_refuses_a_secret_that_is_blank(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", value)
    assert refusal(env.secret, "default") == "THING is blank: write the secret into it, or remove THING"


def test_it_takes_the_default_for_a_secret_that_is_not_set() -> None:
    assert env.secret("THING", "default") == "default"


def test_it_takes_the_default_for_a_secret_that_is_empty(monkeypatch) -> None:
    monkeypatch.setenv("THING", "")
    assert env.secret("THING", "default") == "default"


@pytest.mark.parametrize("line_end", ["", "\n", "\r\n"])
def test_it_reads_a_secret_from_a_file_without_its_line_end(monkeypatch, tmp_path: Path, line_end) -> None:
    path = tmp_path / "secret"
    path.write_bytes(f" sécret {line_end}".encode())
    monkeypatch.setenv("THING_FILE", str(path))
    assert env.secret("THING", "default") == " sécret "


def test_it_refuses_a_secret_that_is_set_and_in_a_file(monkeypatch) -> None:
    monkeypatch.setenv("THING", "s3cret")
    monkeypatch.setenv("THING_FILE", "/run/secrets/thing")
    line = refusal(env.secret)
    assert line == "THING and THING_FILE are both set: remove one of them"
    assert "s3cret" not in line


@pytest.mark.parametrize(("name", "problem"), [("missing", "No such file or directory"), (".", "Is a directory")])
def test_it_refuses_a_secret_whose_file_cannot_be_read(monkeypatch, tmp_path: Path, name, problem) -> None:
    monkeypatch.setenv("THING_FILE", str(tmp_path / name))
    assert refusal(env.secret) == f"THING_FILE={tmp_path / name} cannot be read: {problem}"


def test_it_reads_a_secret_from_a_file_without_its_byte_order_mark(monkeypatch, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("sécret\n", encoding="utf-8-sig")
    monkeypatch.setenv("THING_FILE", str(path))
    assert env.secret("THING") == "sécret"


@pytest.mark.parametrize("content", [b"\xff\xfe", "sécret".encode("utf-16"), "secret".encode("utf-16-le")])
def test_it_refuses_a_secret_whose_file_is_no_text(monkeypatch, tmp_path: Path, content) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    monkeypatch.setenv("THING_FILE", str(path))
    assert refusal(env.secret).startswith(f"THING_FILE={path} cannot be read: ")


@pytest.mark.parametrize("content", ["", "\n", "\r\n", "  \n"])
def test_it_refuses_a_secret_whose_file_is_empty(monkeypatch, tmp_path: Path, content) -> None:
    path = tmp_path / "secret"
    path.write_text(content)
    monkeypatch.setenv("THING_FILE", str(path))
    assert (
        refusal(env.secret, "default") == f"THING_FILE={path} is empty: write the secret into it, or remove THING_FILE"
    )


@pytest.mark.parametrize(
    ("value", "words"), [(None, ["a", "b"]), ("", ["a", "b"]), ("c", ["c"]), (" c ,\n d,", ["c", "d"]), (",", [])]
)
def test_it_reads_words_between_commas(monkeypatch, value, words) -> None:
    if value is not None:
        monkeypatch.setenv("THING", value)
    assert env.words("THING", "a,b") == words


@pytest.mark.parametrize(
    ("value", "number"), [("1", 1), ("65535", 65535), (" 5432 ", 5432), ("0080", 80), ("0" * 5000 + "1", 1), ("", 7)]
)
def test_it_reads_a_whole_number(monkeypatch, value, number) -> None:
    monkeypatch.setenv("THING", value)
    assert env.integer("THING", 7, minimum=1, maximum=65535) == number


@pytest.mark.parametrize(
    "value",
    [
        "abc",
        "0",
        "65536",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "0x10",
        "1_000",
        "5432 # the port",
        "٣",
        "²",
        "9" * 5000,
        "0" * 18 + "65536",
        "0" * 5000,
        "0" * 5000 + "65536",
    ],
)
def test_it_refuses_what_is_no_whole_number_in_range(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", value)
    line = refusal(env.integer, 7, minimum=1, maximum=65535)
    assert line == f"THING={value} must be a whole number from 1 to 65535"


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_it_takes_the_default_for_a_truth_value_that_is_not_set_or_blank(monkeypatch, value, default) -> None:
    if value is not None:
        monkeypatch.setenv("THING", value)
    assert env.boolean("THING", default=default) is default


@pytest.mark.parametrize(
    ("value", "truth"),
    [(word, True) for word in ("1", "true", "yes", "on", "True", "YES", " On ")]
    + [(word, False) for word in ("0", "false", "no", "off", "False", "NO", " Off ")],
)
def test_it_knows_the_words_of_truth_in_any_case(monkeypatch, value, truth) -> None:
    monkeypatch.setenv("THING", value)
    assert env.boolean("THING", default=not truth) is truth


@pytest.mark.parametrize("value", ["maybe", "2", "01", "y", "t", "enabled", "none"])
def test_it_refuses_another_word_and_names_those_it_knows(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", value)
    line = refusal(env.boolean, default=True)
    assert line == f"THING={value} must be one of 1, true, yes, on or 0, false, no, off"


@pytest.mark.parametrize(
    ("value", "choice"), [(None, "red"), ("", "red"), ("red", "red"), ("blue", "blue"), ("BLUE", "blue"), (" b ", "b")]
)
def test_it_takes_one_of_the_choices_and_by_default_the_first(monkeypatch, value, choice) -> None:
    if value is not None:
        monkeypatch.setenv("THING", value)
    assert env.choice("THING", "red", "blue", "b") == choice


@pytest.mark.parametrize("value", ["perhaps", "re", "redblue", "red, blue"])
def test_it_refuses_another_choice_and_names_those_allowed(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", value)
    assert refusal(env.choice, "red", "blue") == f"THING={value} must be one of red, blue"


@pytest.mark.parametrize(
    ("value", "expression"),
    [
        (None, "30 5 * * *"),
        ("0 * * * *", "0 * * * *"),
        ("  */15  0-23/2 1,15 * 1-5 ", "*/15 0-23/2 1,15 * 1-5"),
        ("59 23 31 12 6", "59 23 31 12 6"),
        ("0,10-20/5,*/30 00 01 01 0", "0,10-20/5,*/30 00 01 01 0"),
        ("", ""),
        (" off ", ""),
        ("OFF", ""),
    ],
)
def test_it_reads_a_cron_expression_or_that_it_is_off(monkeypatch, value, expression) -> None:
    if value is not None:
        monkeypatch.setenv("THING", value)
    assert env.cron("THING", "30 5 * * *") == expression


@pytest.mark.parametrize(
    "value",
    [
        "hourly",
        "@hourly",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 0 *",
        "* * * 13 *",
        "* * * * 7",
        "* * * * mon",
        "* 22-2 * * *",
        "*/0 * * * *",
        "5/15 * * * *",
        "1-2-3 * * * *",
        "1, * * * *",
        "-1 * * * *",
        "٣ * * * *",
        "0 * * * $(id)",
        "% * * * *",
    ],
)
def test_it_refuses_what_cron_would_misread(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", value)
    assert refusal(env.cron, "0 * * * *") == (
        f"THING={value} must be off or five fields such as 30 5 * * *: "
        "minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6"
    )


def test_it_refuses_a_cron_expression_of_two_lines_in_one(monkeypatch) -> None:
    monkeypatch.setenv("THING", "0 * * * *\n* * * * *")
    assert refusal(env.cron, "0 * * * *").startswith("THING=0 * * * * * * * * * must be off or five fields")
