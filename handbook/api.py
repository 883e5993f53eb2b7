"""The reference of the code, from its docstrings: a page a part, in the order of the data's path."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from handbook.commands import UndocumentedError

PACKAGES = ("ingest", "analytics", "access")
# What nobody calls by name: models are in the data dictionary, commands have their own page, Django finds the rest.
LEFT_OUT = {"models", "management", "migrations", "admin", "templatetags", "apps", "deploy", "urls"}


@dataclass(frozen=True)
class Part:
    """A page: the modules whose names are one of `modules`, or begin with one and a dot."""

    name: str
    title: str
    text: str
    modules: tuple[str, ...]

    def has(self, module: str) -> bool:
        """Tell whether the module is on this page."""
        return any(module == each or module.startswith(f"{each}.") for each in self.modules)


PARTS = (
    Part(
        "msk",
        "From msk_db to staging",
        "One consistent read of the source, and the rows that changed.",
        ("ingest.msk",),
    ),
    Part(
        "slugs", "Schedule slugs", "What the slug of a schedule says about when an activity is due.", ("ingest.slugs",)
    ),
    Part(
        "covid",
        "From the COVID API to staging",
        "Documents, the days in them, and what their fields mean.",
        ("ingest.covid",),
    ),
    Part("runs", "Runs", "How a run is held, recorded, shown, watched and told of.", ("ingest.runs",)),
    Part(
        "staging",
        "Rows between tables",
        "What every step uses: copying, comparing, writing what differs, and where rows live.",
        (
            *("ingest.copying", "ingest.cursors", "ingest.databases", "ingest.distributed", "ingest.placement"),
            *("ingest.quoting", "ingest.reconcile", "ingest.statements", "ingest.target"),
        ),
    ),
    Part(
        "loads",
        "Loads",
        "From staging to the star schema.",
        ("analytics.loads", "analytics.overrides", "analytics.distribution"),
    ),
    Part(
        "checks",
        "Checks and proofs",
        "What proves that the warehouse is right, whole and well.",
        (
            "analytics.checks",
            "analytics.proofs",
            "analytics.erasure",
            "analytics.health",
            "analytics.metrics",
            "analytics.follow_up",
        ),
    ),
    Part(
        "pages",
        "Pages and charts",
        "What people look at, and the data dictionary.",
        ("analytics.pages", "analytics.charts", "analytics.dictionary"),
    ),
    Part("exports", "Exports", "What people take away.", ("analytics.exports",)),
    Part(
        "people",
        "People and rights",
        "Who comes in, who may see what, and who did.",
        ("access", "analytics.roles", "analytics.analyst", "analytics.research", "analytics.unrecorded"),
    ),
)


def pages(root: Path) -> dict[str, str]:
    """Return the text of each page by its path in the site; `root` is the folder of the packages.

    Raises UndocumentedError for a module that no page has, and for what has no docstring: the site would leave it out.
    """
    found: dict[str, list[str]] = {part.name: [] for part in PARTS}
    for module in modules(root):
        found[_part(module).name].append(module)
    return {
        f"api/{part.name}.md": f"# {part.title}\n\n{part.text}\n\n"
        + "\n".join(f"::: {module}\n" for module in found[part.name])
        for part in PARTS
    }


def modules(root: Path) -> list[str]:
    """Return the names of all modules that people may call.

    Raises UndocumentedError where one has no docstring, or a function, class or method in it that people may call.
    """
    names = []
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            code = ast.parse(file.read_text(encoding="utf-8"))
            if LEFT_OUT & set(parts) or (parts[-1] == "__init__" and not code.body):
                continue
            name = ".".join(part for part in parts if part != "__init__")
            if not ast.get_docstring(code):
                raise UndocumentedError(f"the module {name} has no docstring: say in its first line what it holds")
            for silent in _undocumented(code):
                raise UndocumentedError(f"{name}.{silent} has no docstring: say in its first line what it does")
            names.append(name)
    return names


def _undocumented(code: ast.Module | ast.ClassDef) -> Iterator[str]:
    for each in code.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not each.name.startswith("_"):
            is_attribute = any("property" in ast.unparse(decorator) for decorator in each.decorator_list)
            if not (ast.get_docstring(each) or is_attribute):  # an attribute's name may say it all
                yield each.name
            if isinstance(each, ast.ClassDef):
                yield from (f"{each.name}.{name}" for name in _undocumented(each))


def _part(module: str) -> Part:
    for part in PARTS:
        if part.has(module):
            return part
    raise UndocumentedError(f"the module {module} is on no page of the reference: name it in handbook/api.py")
