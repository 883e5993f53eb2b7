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
READERS = {name: f"pipeline_project/{name}.py" for name in ("env", "addresses", "tls")}
DIRECTLY = re.compile("environ|getenv")
TLS = ("SSLMODE", "SSLROOTCERT", "SSLCERT", "SSLKEY")
# What shells, containers and PostgreSQL's programs know by themselves.
NOBODYS = {"PATH", "HOME", "PROJECT", "TZ", "SECONDS", "EUID"}
# What is read so that whoever still sets it is told that it means nothing any more.
RETIRED = {"MSK_ORPHANS"}
# Who comes to the environment by another way than these readers, and for what: "" for all of it, or for any name.
DIRECT = {
    ("gunicorn.conf.py", "LOG_FORMAT"): "gunicorn starts before the settings are read",
    ("ingest/databases.py", ""): "psql has the environment, and the address of the server",
    ("ingest/runs/requests.py", ""): "a run that was asked for has the environment of who starts it",
    ("manage.py", "DJANGO_SETTINGS_MODULE"): "Django's own, set where nobody has",
    ("manage.py", "PIPELINE_ROLE"): "set where nobody has, before the settings are read",
    ("pipeline_project/embedded.py", ""): "what names a server is refused beside the embedded one, which then sets it",
    ("pipeline_project/embedded.py", "PATH"): "with the embedded server's programs",
    ("pipeline_project/embedded.py", "POSTGRES_HOST"): "is there a server? This is asked before the settings are read",
    ("pipeline_project/env.py", ""): "it is the reader",
    ("pipeline_project/env.py", "PYTHON_DOTENV_DISABLED"): "python-dotenv's own, for tests",
    ("pipeline_project/wsgi.py", "DJANGO_SETTINGS_MODULE"): "as manage.py",
    ("pipeline_project/wsgi.py", "PIPELINE_ROLE"): "as manage.py",
}
FOLDERS = ("access", "analytics", "handbook", "ingest", "pipeline_project", "sample_data")
PYTHON = [
    *(file.relative_to(ROOT).as_posix() for file in sorted(ROOT.glob("*.py"))),
    *(file.relative_to(ROOT).as_posix() for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))),
]
SHELL = [file.name for pattern in ("*.sh", "docker-compose*.yml") for file in sorted(ROOT.glob(pattern))]
NAME = r"[A-Z][A-Z0-9_]+"


def code_of(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def calls(code: ast.AST) -> list[ast.Call]:
    """Return the calls of the readers of the environment."""
    return [
        node
        for node in ast.walk(code)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value).split(".")[-1] in READERS
        and node.func.attr != "load"
        and (node.args or node.keywords)
    ]


def past_the_readers(code: ast.AST) -> set[str]:
    """Return the names that code reads from the environment, or sets there, by another way; "" for what is not told."""
    found = set()
    parents = {child: node for node in ast.walk(code) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(code):
        if isinstance(node, ast.ImportFrom) and node.module in (
            "os",
            *(f"pipeline_project.{each}" for each in READERS),
        ):
            found |= {"" for each in node.names if node.module != "os" or DIRECTLY.match(each.name)}
        if isinstance(node, ast.Attribute) and DIRECTLY.match(node.attr):
            outer = parents[node]
            outer = parents[outer] if isinstance(outer, ast.Attribute) else outer  # os.environ.get(…)
            named = outer.slice if isinstance(outer, ast.Subscript) else next(iter(getattr(outer, "args", ())), None)
            found.add(str(named.value) if isinstance(named, ast.Constant) else "")
    return found


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
        for call in sorted(calls(code_of("pipeline_project/settings.py")), key=lambda call: -call.lineno)
        if not is_of_tls(call) and name_of(call) not in RETIRED
    }.values()
)


def read_by(file: str) -> set[str]:
    """Return the names of the environment that a file reads, but for those of the files of secrets."""
    if file.endswith(".py"):
        found = in_python(file)
    else:
        text = (ROOT / file).read_text(encoding="utf-8")
        found = in_compose(text) if file.endswith(".yml") else in_shell(text)
    return {name.removesuffix("_FILE") if name.removesuffix("_FILE") in SECRETS else name for name in found}


def in_python(file: str) -> set[str]:
    found: set[str] = set()
    for call in calls(code_of(file)):
        if is_of_tls(call):
            found |= {f"{name_of(call)}_{part}" for part in TLS}
        # The readers themselves hand on the names that they are given.
        elif file not in READERS.values() or isinstance(call.args[0], ast.Constant):
            found.add(name_of(call))
    return found


def in_compose(text: str) -> set[str]:
    return set(re.findall(rf"^ +({NAME}):$", text, re.MULTILINE) + re.findall(rf"\$\{{({NAME})", text))


def in_shell(text: str) -> set[str]:
    """Return the names that a script reads and does not make; one that it makes of itself, as X=${X:-3}, is read."""
    own = set(re.findall(rf"^ *({NAME})=(?!.*\$\{{?\1\b)", text, re.MULTILINE)) - TABLE.keys()
    return set(re.findall(rf"\$\{{?({NAME})", text)) - own


@pytest.mark.parametrize(
    ("file", "least"),
    [
        ("pipeline_project/settings.py", 50),
        ("docker-compose.yml", 5),
        ("entrypoint.sh", 2),
        ("init-db.sh", 5),
    ],
)
def test_it_describes_what_is_read(file: str, least: int) -> None:
    assert len(read_by(file) & TABLE.keys()) >= least


def test_it_describes_each_variable_that_is_read() -> None:
    read = {name: file for file in (*PYTHON, *SHELL) for name in read_by(file)}
    assert {name: read[name] for name in read.keys() - TABLE.keys() - NOBODYS - RETIRED} == {}


def test_it_describes_none_that_nobody_reads() -> None:
    assert TABLE.keys() <= set().union(*map(read_by, (*PYTHON, *SHELL)))


def test_nothing_else_comes_to_the_environment_past_its_readers() -> None:
    assert {(file, name) for file in PYTHON for name in past_the_readers(code_of(file))} == DIRECT.keys()


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("os.environ.get('X')", {"X"}),
        ("os.environ['X'] = os.getenv('Y', '1')", {"X", "Y"}),
        ("os.environ.setdefault('X', '1')", {"X"}),
        ("os.environ.get(name)", {""}),
        ("'X' in os.environ", {""}),
        ("run(command, env=os.environ | {'X': '1'})", {""}),
        ("from os import environ as everything", {""}),
        ("from pipeline_project.env import text", {""}),
        ("env.text('X')", set()),
    ],
)
def test_it_sees_what_comes_past_the_readers(code: str, names: set[str]) -> None:
    assert past_the_readers(ast.parse(code)) == names


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ("echo $ONE ${TWO:-3}", {"ONE", "TWO"}),
        ("ONE=1\necho $ONE", set()),
        ("ONE=${ONE:-3}\necho $ONE", {"ONE"}),
        ('  ONE="$TWO${ONE}"', {"ONE", "TWO"}),
        ("declare -l x=${ONE:-on}", {"ONE"}),
    ],
)
def test_it_sees_what_a_script_reads(script: str, names: set[str]) -> None:
    assert in_shell(script) == names


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


def test_the_example_has_all_but_those_of_the_last_section() -> None:
    *yours, projects = sections()
    assert {name for name, each in TABLE.items() if each.set is None and each.example is None} == {
        each.name for each in projects.variables
    }
    assert yours
    assert projects.title == "Set by the project itself"


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
