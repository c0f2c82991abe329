"""Writes an error in the form of each dialect."""

from __future__ import annotations

import json
from typing import Any


def envelope(dialect: str, message: str, param: str | None, code: str | None, status: int) -> Any:
    """Return an error in the dialect's own form."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    detail = {"detail": [{"type": "extra_forbidden", "msg": message}]}
    raw = {"raw": json.dumps({"error": error}), "provider_name": "Upstream", "is_byok": False}
    said = f"litellm.BadRequestError: OpenAIException - {message}. Received Model Group=x"
    forms: dict[str, Any] = {
        "gemini": [{"error": {"code": status, "message": message, "status": "INVALID_ARGUMENT"}}],
        "mistral": error | {"object": "error", "message": detail if status == 422 else message},
        "xai": {"code": "Client specified an invalid argument", "error": message},
        "lm_studio": {"error": message},
        "cerebras": error | {"id": ""},
        "moonshot": {"error": {"message": message, "type": "invalid_request_error"}},
        "qwen": {"error": error, "request_id": "req_1"},
        "openrouter": {"error": {"code": status, "message": "Provider returned error", "metadata": raw}},
        "litellm": {"error": {"message": said, "type": None, "param": None, "code": str(status)}},
    }
    return forms.get(dialect, {"error": error})
