"""What the documentation shows of the code's work: compared with it, or written anew."""

from pathlib import Path

from django.conf import settings

DOCS = settings.BASE_DIR / "docs"


def hold(page: Path, shown: str, found: str, *, renew: bool) -> None:
    """Assert that a page shows what the code gives; with `renew` write it there in the place of what is shown."""
    if renew:
        text = page.read_text(encoding="utf-8")
        assert text.count(shown) == 1
        page.write_text(text.replace(shown, found), encoding="utf-8")
        return
    module = {"queries.md": "test_queries.py", "slugs.md": "test_slugs.py"}[page.name]
    remedy = f"if that is right, renew the page by .venv/bin/python -m pytest tests/docs/{module} --renew"
    assert found == shown, f"docs/{page.name} shows something else: {remedy}"
