"""An agent that finds and reads the pages of this project's documentation by tools of its own.

It is what docker-compose.yml runs: it needs no weights for embeddings.

sostenuto run examples/docs_agent.py:app docs "How does Sostenuto keep the history small?"
"""

import math
import os
import re
from collections import Counter
from pathlib import Path

from pydantic import BaseModel

from sostenuto import Agent, App, ToolError, tool

DOCS = Path(__file__).parents[1] / "docs"


class Page(BaseModel):
    path: str
    title: str


@tool(effect="read")
async def find_pages(query: str) -> list[Page]:
    """Find the pages of the documentation that are about a topic, the best first."""
    pages = _pages()
    wanted = _words(query)
    rarity = {word: math.log(1 + len(pages) / (1 + sum(word in page for page in pages.values()))) for word in wanted}
    scores = {path: sum(rarity[word] * math.log1p(page[word]) for word in wanted) for path, page in pages.items()}
    best = sorted((path for path in scores if scores[path] > 0), key=lambda path: -scores[path])[:3]
    return [Page(path=path, title=_title(path)) for path in best]


@tool(effect="read")
async def read_page(path: str) -> str:
    """Read one page of the documentation, by the path that find_pages gave."""
    if path not in _pages():
        raise ToolError(f"there is no page {path!r}; there are: {', '.join(_pages())}")
    return (DOCS / path).read_text()


def _pages() -> dict[str, Counter[str]]:
    pages = {
        file.relative_to(DOCS).as_posix(): Counter(_words(file.read_text())) for file in sorted(DOCS.rglob("*.md"))
    }
    if not pages:
        raise ToolError(f"there are no pages in {DOCS}: run this in a checkout of the project")
    return pages


def _words(text: str) -> list[str]:
    # Without their endings, "keeps" finds "keep" and "histories" finds "history".
    return [re.sub(r"(ies|y|es|s|ed|ing)$", "", word) for word in re.findall(r"[a-z]{3,}", text.lower())]


def _title(path: str) -> str:
    return (DOCS / path).read_text().partition("\n")[0].lstrip("# ")


def _model() -> str:
    if named := os.environ.get("SOSTENUTO_MODEL"):
        return named
    if os.environ.get("ANTHROPIC_API_KEY"):
        return "anthropic/claude-haiku-5-5"
    return "openai/gpt-5.4-mini" if os.environ.get("OPENAI_API_KEY") else "local/smollm2-135m"


docs = Agent(
    name="docs",
    instructions="Answer the question from the pages of the documentation, in one or two sentences.",
    model=_model(),
    tools=[find_pages, read_page],
)
app = App(docs)
