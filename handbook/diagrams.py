"""Mermaid's diagrams as pictures: a host of repositories draws them itself, a site needs another host's script to."""

import re
import subprocess
import sys

from ingest.runs.errors import PipelineError

# A program of its own: loaded into ours, its library complains of leaks when that ends.
RENDER = (sys.executable, "-m", "mmdr", "--input", "-", "--output", "-")
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"^ *accTitle: (.+)$", re.MULTILINE)


class DiagramError(PipelineError):
    """A diagram does not say in words what it shows, or cannot be drawn."""


def draw(text: str, page: str) -> tuple[str, dict[str, bytes]]:
    """Return Markdown with a picture, beside the page, in the place of each diagram; and the pictures by their paths.

    Raises DiagramError for one that is not understood, and for one without an accTitle, the words for who does not see
    it.
    """
    pictures: dict[str, bytes] = {}

    def picture(found: re.Match[str]) -> str:
        title = TITLE.search(found[1])
        if title is None:
            raise DiagramError(f"a diagram of {page} has no accTitle: say in a line what it shows")
        name = f"{page.removesuffix('.md')}-{len(pictures) + 1}.svg"
        drawn = subprocess.run(RENDER, input=found[1].encode(), capture_output=True, timeout=60, check=False)  # noqa: S603
        if drawn.returncode:
            raise DiagramError(f"the diagram “{title[1]}” of {page} cannot be drawn: {drawn.stderr.decode().strip()}")
        pictures[name] = drawn.stdout
        file = name.rpartition("/")[2]
        return f"[![{title[1]}]({file}){{ .diagram }}]({file})"

    return DIAGRAM.sub(picture, text), pictures
