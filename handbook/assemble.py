"""The pages of the site: those of the repository, and those that are made from the code."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from analytics.dictionary.markdown import write_pages
from handbook import api, commands, links, variables

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".build" / "docs"
# The head of a page whose tables have many columns: they get the room of the navigation, too.
WIDE = "---\nhide: [navigation, toc]\n---\n\n"
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

    The tables are those of the databases; with `examples` each column has a value, for a warehouse of the sample alone.
    Raises UndocumentedError or BrokenLinkError for what the site cannot show.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in (pages() | pictures()).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    write_pages(folder / "tables", examples=examples)
    for page in (folder / "tables").iterdir():
        page.write_text(WIDE + page.read_text(encoding="utf-8"), encoding="utf-8")
    shutil.copytree(Path(__file__).with_name("theme"), folder / "theme")


def pages() -> dict[str, bytes]:
    """Return the Markdown of each page by its path in the site."""
    written = {
        links.place(file) or file: links.rewrite((ROOT / file).read_text(encoding="utf-8"), file, ROOT)
        for file in [*_in_docs("*.md"), *links.MOVED]
    }
    return {name: text.encode() for name, text in (written | api.pages(ROOT)).items()}


def pictures() -> dict[str, bytes]:
    """Return each picture of the pages by its path in the site."""
    files = [*(file for kind in links.PICTURES for file in _in_docs(f"*{kind}")), "bench/results/results.png"]
    return {links.place(file) or file: (ROOT / file).read_bytes() for file in files}


def _in_docs(pattern: str) -> Iterator[str]:
    """Yield the files of docs/ that match, as paths from the repository's root."""
    return (file.relative_to(ROOT).as_posix() for file in sorted((ROOT / "docs").rglob(pattern)))
