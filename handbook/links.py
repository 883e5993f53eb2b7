"""The repository's Markdown, as the site has it: its links, its lists.

A link to a page of the site stays one; a picture comes along; of any other file of the repository the site has only the
name. What is linked to has to be there.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from posixpath import normpath, relpath

from ingest.runs.errors import PipelineError

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s#]+)(#[^()\s]*)?\)")
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
CODE = re.compile(rf"{FENCE.pattern}|`[^`]+`", FENCE.flags)
HTML = re.compile(r"<\w[^>]*\s(?:href|src)\s*=[^>]*>", re.IGNORECASE)
# Where no link is put: code, headings, and the words of other links.
KEPT = rf"^ *```.*?^ *```$|^#[^\n]*|{LINK.pattern}"
# A list or table that follows at once on a line of prose: the repository's view shows one, the site's generator none.
ADJOINING = re.compile(r"^((?![ |>#-]|\d+\. ).+\n)(?=- |1\. |\|)", re.MULTILINE)
# Pages of the site that do not stand in docs/, and their names there.
MOVED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security-policy.md",
}
PICTURES = (".png", ".svg", ".jpg")


class BrokenLinkError(PipelineError):
    """A page links to what is not there, or in a way in which nobody sees whether it is."""


def place(file: str) -> str | None:
    """Return where in the site the file of the repository stands, both as paths from their roots; None: nowhere."""
    if file.startswith("docs/"):
        return file.removeprefix("docs/")
    return file if file.endswith(PICTURES) else MOVED.get(file)


def rewrite(text: str, file: str, root: Path) -> str:
    """Return the text of the Markdown file, a path from the repository's `root`, as the site has it.

    Raises BrokenLinkError for a link to a file that the repository does not have, or to a place in one that is no page;
    and for a link in HTML, which the site's generator would not check.
    """
    here = Path(file).parent.as_posix()
    page = place(file) or file

    def link(found: re.Match[str]) -> str:
        picture, words, target, anchor = found.groups(default="")
        if ":" in target:  # https, mailto
            return found[0]
        wanted = normpath(f"{here}/{target}")
        there = place(wanted)
        if there is None and not (root / wanted).exists():
            raise BrokenLinkError(f"{file} links to {target}, which is not there: correct the link")
        if anchor and not (there or "").endswith(".md"):
            raise BrokenLinkError(f"{file} links to {anchor} in {target}, which is no page: link to all of it")
        if there is None:  # a file of the repository that the site does not have
            return _with_name_of_file(words, wanted)
        return f"{picture}[{words}]({relpath(there, Path(page).parent.as_posix())}{anchor})"

    if found := HTML.search(CODE.sub("", text)):
        raise BrokenLinkError(f"{file} has a link in HTML, {found[0]}: write it in Markdown")
    return "".join(
        part if part.startswith("```") else LINK.sub(link, _indented(ADJOINING.sub(r"\1\n", part)))
        for part in FENCE.split(text)
    )


def link_tables(text: str, page: str, tables: Iterable[str]) -> str:
    """Return the Markdown of a page, in which the first mention of each table leads to its page of the dictionary."""
    mention = re.compile(rf"{KEPT}|`({'|'.join(map(re.escape, tables))})`", FENCE.flags)
    linked: set[str] = set()

    def link(found: re.Match[str]) -> str:
        table = found[found.re.groups]
        if not table or table in linked:
            return found[0]
        linked.add(table)
        return f"[{found[0]}]({relpath(f'tables/{table}.md', Path(page).parent.as_posix())})"

    return mention.sub(link, text)


def _indented(text: str) -> str:
    """Return Markdown whose lists are as the generator has them.

    What belongs to an item is indented by four spaces, and an item of more than one paragraph ends with an empty line.
    """
    lines, width, is_long = [], 0, False
    for line in text.splitlines(keepends=True):
        if marker := re.match(r"(?:-|\d\.) ", line):
            line = f"\n{line}" if width and is_long else line
            width, is_long = len(marker[0]), False
        elif line == "\n":
            is_long = True
        elif not line.startswith(" "):
            width = 0
        lines.append(" " * (4 - width) + line if width and line.startswith(" " * width) else line)
    return "".join(lines)


def _with_name_of_file(words: str, file: str) -> str:
    if file in words:
        return words
    return f'{words}{{ title="{file}" }}' if words.endswith("`") else f"{words} (`{file}`)"
