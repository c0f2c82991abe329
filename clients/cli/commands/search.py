"""`sostenuto search`: searches a collection, and shows the scores of each stage."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

from ....contracts.collection.document import PATH_SEPARATOR
from ..arguments.option_types import add_document_options, at_least_one, field_value
from ..session import add_connection_options, connect_client
from ..terminal import answer, say

if TYPE_CHECKING:
    from ....contracts.wire.retrieval import Passage

_WIDTH = 100
_LINES = 4


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "search",
        help="search a collection",
        description="Search a collection, and show each passage with the scores of the stages that found it.",
    )
    parser.add_argument("collection", metavar="COLLECTION", help="its name in the app")
    parser.add_argument("query", metavar="QUERY", help="what to look for")
    add_document_options(parser, field="only documents of which this is so", tenant="whose documents")
    parser.add_argument("--limit", type=at_least_one, default=0, metavar="N", help="most passages")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument("--task-queue", help="where the workers listen")
    add_connection_options(parser)
    parser.set_defaults(handler=_search)


async def _search(args: argparse.Namespace) -> int:
    client = await connect_client(args)
    found = await client.search(
        args.collection,
        args.query,
        texts=dict(map(field_value, args.field)),
        limit=args.limit,
        tenant=args.tenant,
    )
    if args.json:
        answer(found.model_dump_json(indent=2))
        return 0
    for number, passage in enumerate(found.passages, 1):
        answer(_shown(number, passage))
    say(found.summary(args.collection))
    return 0


def _shown(number: int, passage: Passage) -> str:
    place = PATH_SEPARATOR.join(passage.headings)
    page = f"page {passage.page}" if passage.page else ""
    where = " · ".join(filter(None, (passage.source, page, place, f"{passage.start}-{passage.end}")))
    stages = ("dense", "sparse", "fused", "rerank")
    scores = "  ".join(
        f"{stage} {score:.3f}" for stage in stages if (score := getattr(passage.scores, stage)) is not None
    )
    text = textwrap.wrap(" ".join(passage.text.split()), _WIDTH)
    lines = text[:_LINES] + (["…"] if len(text) > _LINES else [])
    return "\n".join([f"{number}  {passage.id}  {scores}", f"   {where}", *(f"   {line}" for line in lines), ""])
