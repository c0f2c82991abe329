"""All that a server keeps of a run."""

from __future__ import annotations

import base64
import re

from tests.integration.agent.stage import Stage


async def everything(stage: Stage, run_id: str) -> str:
    """All that the histories of a run and of those nested in it say, with their memos and search attributes."""
    said = []
    async for found in stage.temporal.list_workflows(f'WorkflowId STARTS_WITH "{run_id}"'):
        handle = stage.temporal.get_workflow_handle(found.id, run_id=found.run_id)
        said.append((await handle.fetch_history()).to_json())
        said.append(str((await handle.describe()).raw_description))
    text = "\n".join(said)
    # Payloads stand there in base64.
    payloads = (base64.b64decode(one) for one in re.findall(r'"data": ?"([A-Za-z0-9+/=]+)"', text))
    return text + "\n".join(one.decode(errors="replace") for one in payloads)
