"""What docs/security.md says is proved, is proved where it says."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def named_in(path: Path) -> set[str]:
    """Return the names of the tests in a file, or in the files of a folder."""
    files = path.rglob("test_*.py") if path.is_dir() else [path]
    return {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.M)}


def heading_of(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def anchors_in(text: str) -> set[str]:
    return {heading_of(title) for title in re.findall(r"^#+ (.*)$", text, re.M)}


def test_each_of_its_links_leads_somewhere() -> None:
    links = re.findall(r"\[([^\]]*)\]\(([^)\s]*)\)", GUIDE)
    assert links
    for text, target in links:
        place, _, anchor = target.partition("#")
        if not target.startswith("https://"):
            path = (ROOT / "docs" / (place or "security.md")).resolve()
            assert path.exists(), target
            assert not anchor or anchor in anchors_in(path.read_text(encoding="utf-8")), target
            if text.startswith("`test_"):
                assert text.strip("`") in named_in(path), (text, target)


def test_each_test_that_it_names_is_there() -> None:
    every = named_in(ROOT / "tests")
    named = re.findall(r"`(test_\w+?)(_?…)?`", GUIDE)
    assert named
    for name, is_cut in named:
        assert name in every or (is_cut and any(test.startswith(name) for test in every)), name


def test_each_question_of_a_review_has_an_answer_and_a_test() -> None:
    (table,) = re.findall(r"^\| control \|.*\n\|[-|]+\n((?:\|.*\n)+)", GUIDE, re.M)
    for row in table.splitlines():
        _, question, answer, proof = (cell.strip() for cell in row.strip("|").split("|"))
        assert question.endswith("?"), row
        assert answer.endswith("."), row
        assert re.search(r"\]\(\.\./(tests|\.ci)/", proof), row
