"""A private name says by itself what it is; what it cannot say is a comment at the line that it explains."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

PACKAGES = ("access", "analytics", "bench", "handbook", "ingest", "pipeline_project", "sample_data", "tests")
CODE = sorted(file for name in PACKAGES for file in (settings.BASE_DIR / name).rglob("*.py"))


def needless(text: str) -> Iterator[str]:
    """Yield the private functions and classes of a module that have a docstring of one line."""
    for each in ast.walk(ast.parse(text)):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            is_private = each.name.startswith("_") and not each.name.startswith("__")
            if is_private and "\n" not in (ast.get_docstring(each) or "\n"):
                yield f"{each.lineno}: {each.name}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('def _half(x: int) -> int:\n    """Return half of x."""', ["1: _half"]),
        ('class Public:\n    async def _wait(self) -> None:\n        """Wait."""', ["2: _wait"]),
        ('class _Private:\n    """What is private."""', ["1: _Private"]),
        ('def half(x: int) -> int:\n    """Return half of x."""', []),
        ('def _half(x: int) -> int:\n    """Return half of x.\n\n    Rounded down.\n    """', []),
        ("def _half(x: int) -> int:\n    return x // 2  # rounded down", []),
        ('class Public:\n    def __str__(self) -> str:\n        """Return it in words."""', []),
    ],
)
def test_it_finds_the_docstrings_of_one_line_of_what_is_private(text: str, found: list[str]) -> None:
    assert list(needless(text)) == found


def test_no_private_function_or_class_has_a_docstring_of_one_line() -> None:
    assert len(CODE) > 200
    root: Path = settings.BASE_DIR
    assert [f"{file.relative_to(root)}:{each}" for file in CODE for each in needless(file.read_text("utf-8"))] == []
