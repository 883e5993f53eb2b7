"""The table of variables, held against the code that reads them."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from dotenv import dotenv_values

from handbook.assemble import COMMITTED
from handbook.variables import Variable, sections

ROOT: Path = settings.BASE_DIR
TABLE = {each.name: each for section in sections() for each in section.variables}
SECRETS = {name for name, each in TABLE.items() if each.secret}
READERS = ("env", "addresses")
TLS = ("SSLMODE", "SSLROOTCERT", "SSLCERT", "SSLKEY")
# What shells, containers and PostgreSQL's programs know by themselves.
NOBODYS = {"PATH", "HOME", "PROJECT", "PGHOST", "TZ", "SECONDS", "EUID"}
# What is read so that whoever still sets it is told that it means nothing any more.
RETIRED = {"MSK_ORPHANS"}
NAME = r"[A-Z][A-Z0-9_]+"


def calls() -> list[ast.Call]:
    """Return the calls by which the settings read the environment."""
    tree = ast.parse((ROOT / "pipeline_project" / "settings.py").read_text(encoding="utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in (*READERS, "tls")
    ]


def is_of_tls(call: ast.Call) -> bool:
    return ast.unparse(call.func).startswith("tls.")


def name_of(call: ast.Call) -> str:
    return str(ast.literal_eval(call.args[0]))


def default_of(call: ast.Call) -> str | None:
    """Return the default that the call states as a literal, as the environment would have it; None: it states none."""
    stated = [*call.args[1:2], *(each.value for each in call.keywords if each.arg == "default")]
    if not stated:
        return ""
    if not isinstance(stated[0], ast.Constant):
        return None
    value = stated[0].value
    return str(int(value)) if isinstance(value, bool) else str(value)


# Of a variable that is read again, the first time has the default.
SETTINGS = list(
    {
        name_of(call): call
        for call in sorted(calls(), key=lambda call: -call.lineno)
        if not is_of_tls(call) and name_of(call) not in RETIRED
    }.values()
)


def read_by(file: str) -> set[str]:
    """Return the names of the environment that a file reads, but for those of the files of secrets."""
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.endswith("settings.py"):
        prefixes = [name_of(call) for call in calls() if is_of_tls(call)]
        return {name_of(call) for call in SETTINGS} | {f"{prefix}_{part}" for prefix in prefixes for part in TLS}
    if file.endswith(".yml"):
        found = re.findall(rf"^ +({NAME}):", text, re.MULTILINE) + re.findall(rf"\$\{{({NAME})", text)
    elif file.endswith(".py"):
        found = re.findall(rf"variable ({NAME})", text)
    else:
        own = set(re.findall(rf"^ *({NAME})=", text, re.MULTILINE)) - TABLE.keys()
        found = [name for name in re.findall(rf"\$\{{?({NAME})", text) if name not in own]
    return {name.removesuffix("_FILE") if name.removesuffix("_FILE") in SECRETS else name for name in found} - NOBODYS


@pytest.mark.parametrize(
    ("file", "least"),
    [
        ("pipeline_project/settings.py", 50),
        ("docker-compose.yml", 5),
        ("entrypoint.sh", 2),
        ("init-db.sh", 5),
        ("gunicorn.conf.py", 1),
    ],
)
def test_it_describes_each_variable_that_is_read(file: str, least: int) -> None:
    read = read_by(file)
    assert len(read) >= least
    assert read <= TABLE.keys(), f"{file} reads what handbook/variables.toml does not describe"


def test_it_describes_none_that_nobody_reads() -> None:
    files = ("pipeline_project/settings.py", "docker-compose.yml", "entrypoint.sh", "init-db.sh", "gunicorn.conf.py")
    assert TABLE.keys() <= set().union(*map(read_by, files))


@pytest.mark.parametrize("call", SETTINGS, ids=name_of)
def test_it_has_the_default_of_the_settings(call: ast.Call) -> None:
    described, default = TABLE[name_of(call)], default_of(call)
    if default is None:
        assert described.otherwise, "the default is no text: say in `otherwise` what it is"
        assert not described.default
    else:
        assert described.default == default


def test_it_has_the_defaults_of_docker_compose() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    stated = dict(re.findall(rf"(?<!\$)\$\{{({NAME}):-([^}}]*)}}", compose))
    assert len(stated) > 2
    assert stated == {name: TABLE[name].default for name in stated}


@pytest.mark.parametrize("call", SETTINGS, ids=name_of)
def test_it_calls_a_secret_what_the_settings_read_as_one(call: ast.Call) -> None:
    assert TABLE[name_of(call)].secret == (".secret" in ast.unparse(call.func))


@pytest.mark.parametrize("file", COMMITTED)
def test_what_is_made_of_it_is_as_it_says(file: str) -> None:
    assert (ROOT / file).read_text(encoding="utf-8") == COMMITTED[file](), f"make docs renews {file}"


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
@pytest.mark.parametrize("file", COMMITTED)
def test_ci_refuses_a_commit_in_which_it_is_not(file: str, tmp_path: Path) -> None:
    check = re.search(r"^nothing_renewed\(\) \{.*?^\}", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.M | re.S)
    assert check
    for name in COMMITTED:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    commit = "git init -q && git add . && git -c user.name=x -c user.email=x@x commit -qm x"
    subprocess.run(["bash", "-c", commit], cwd=tmp_path, check=True)
    script = ["bash", "-euc", f"{check[0]}\nnothing_renewed"]
    assert subprocess.run(script, cwd=tmp_path).returncode == 0
    with (tmp_path / file).open("a", encoding="utf-8") as committed:
        committed.write("What make docs would not write.\n")
    ended = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 1
    assert file in ended.stdout
    assert "run it, and commit what it writes" in ended.stderr


def test_a_copied_example_sets_what_it_says_and_no_more() -> None:
    said = {name: each.set for name, each in TABLE.items() if each.set is not None}
    assert dotenv_values(ROOT / ".env.example") == said


def test_an_example_without_its_marks_is_read_as_it_stands(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    (tmp_path / ".env").write_text(re.sub(rf"^#({NAME}=)", r"\1", text, flags=re.MULTILINE), encoding="utf-8")
    said = {name: each.example for name, each in TABLE.items() if each.example is not None}
    read = dotenv_values(tmp_path / ".env")
    assert {name: read[name] for name in said} == said
    assert {name for name in read if name.endswith("_FILE")} == {f"{name}_FILE" for name in SECRETS}


def test_it_refuses_a_key_that_no_variable_has(tmp_path: Path) -> None:
    table = tmp_path / "variables.toml"
    table.write_text('[[section]]\ntitle = "x"\n[[section.variable]]\nname = "X"\nmeaning = "x"\ndefalt = "1"\n')
    with pytest.raises(TypeError, match="defalt"):
        sections(table)


def test_each_meaning_is_a_sentence() -> None:
    unfinished = [each.name for each in TABLE.values() if not is_sentence(each)]
    assert unfinished == []


def is_sentence(variable: Variable) -> bool:
    meaning = variable.meaning
    return (meaning[0].isupper() or meaning[0] in "`1") and meaning[-1] in ".`" and "\n" not in meaning
