"""What importing costs: workflow code and clients load no SDK, no HTTP library and nothing numeric."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

HEAVY = {
    *("anthropic", "openai", "mcp", "httpx", "httpx2", "aiohttp", "requests", "redis", "genai_prices", "jsonschema"),
    *(
        "numpy",
        "onnxruntime",
        "tokenizers",
        "xllamacpp",
        "mammoth",
        "obstore",
        "pypdfium2",
        "html_to_markdown",
        "qdrant_client",
        "qdrant_edge",
        "re2",
        "py3langid",
        "rich",
        "pytest",
    ),
}


async def loaded(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after a statement."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return set(json.loads(output))


@pytest.mark.parametrize(
    "statement",
    [
        "import sostenuto.workflows.run_workflow",
        "import sostenuto; sostenuto.Client; sostenuto.Run",
        "import sostenuto.activities.model, sostenuto.activities.tool, sostenuto.activities.answer.answer_check",
        "import sostenuto.activities.knowledge.chunk, sostenuto.activities.adapters.documents.chunker",
        "import sostenuto.activities.adapters.documents.loading",
        "import sostenuto.activities.guardrails.rules.rules, sostenuto.activities.guardrails.schema.schema_faults",
        "import sostenuto.workers.worker, sostenuto.workers.mcp",
        "from sostenuto.workflows import ask, call_tool, run",
        "import sostenuto.clients.cli",
        "import sostenuto.connection.connect, sostenuto.connection.converter",
        "import sostenuto.testing",
    ],
)
async def test_nothing_heavy_is_loaded(statement: str) -> None:
    assert await loaded(statement) & HEAVY == set()


async def test_contracts_load_no_temporal_sdk() -> None:
    assert "temporalio" not in await loaded("import sostenuto.sync; sostenuto.Agent; sostenuto.tool")


async def test_it_would_be_seen() -> None:
    assert "anthropic" in await loaded("import sostenuto.activities.adapters.providers.anthropic.adapter")
