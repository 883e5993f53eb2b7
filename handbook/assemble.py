"""The pages of the site: those of the repository, and those that are made from the code."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from analytics.dictionary.markdown import write_pages
from analytics.dictionary.tables import dictionary
from handbook import api, commands, links, variables
from handbook.diagrams import draw
from handbook.sample import require_sample

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".build" / "docs"
# Heads of pages. Tables with many columns get the room of the navigation, too; the guides come first in a search.
TABLE = "---\nhide: [navigation, toc]\nsearch: {boost: 0.5}\n---\n\n"
CODE = "---\nsearch: {boost: 0.1}\n---\n\n"
# What is committed although it is made, as people read it in the repository: by its path there.
COMMITTED = {
    ".env.example": variables.env_example,
    "docs/configuration.md": variables.page,
    "docs/commands.md": commands.page,
}


def renew(root: Path = ROOT) -> None:
    """Write what is committed although it is made."""
    for name, text in COMMITTED.items():
        (root / name).write_text(text(), encoding="utf-8")


def assemble(folder: Path = FOLDER, *, examples: bool = False) -> None:
    """Write all pages into `folder`, in the place of what is there, as the site's generator takes them.

    The tables are those of the databases; with `examples` each column that comes from a source has a value. Raises
    NotTheSampleError where that could be a patient's, and UnsaidError, UndocumentedError, BrokenLinkError or
    DiagramError for what the site cannot show.
    """
    if examples:
        require_sample()
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    write_pages(folder / "tables", examples=examples)
    for page in (folder / "tables").iterdir():
        page.write_text(TABLE + page.read_text(encoding="utf-8"), encoding="utf-8")
    shutil.copytree(Path(__file__).with_name("theme"), folder / "theme")


def files() -> dict[str, bytes]:
    """Return the Markdown of each page and all their pictures, by their paths in the site."""
    found = {name: (CODE + text).encode() for name, text in api.pages(ROOT).items()}
    for file in [*_in_docs("*.md"), *links.MOVED]:
        page = links.place(file) or file
        text, diagrams = draw(links.rewrite((ROOT / file).read_text(encoding="utf-8"), file, ROOT), page)
        text = links.link_tables(text, page, dictionary())
        found |= {page: text.encode()} | diagrams
    pictures = [*(file for kind in links.PICTURES for file in _in_docs(f"*{kind}")), "bench/results/results.png"]
    return found | {links.place(file) or file: (ROOT / file).read_bytes() for file in pictures}


def _in_docs(pattern: str) -> Iterator[str]:
    return (file.relative_to(ROOT).as_posix() for file in sorted((ROOT / "docs").rglob(pattern)))
