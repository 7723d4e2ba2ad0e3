"""What the platform on this minicomputer says of itself at `/healthz`."""

import json
import ssl
import urllib.error
import urllib.request
from typing import Any


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Its document.

    Args:
        question: ``port`` of an instance, ``seconds`` to wait.

    Returns:
        ``health``: the document, or None and what was ``said`` instead.
    """
    context = ssl.create_default_context(cafile="/etc/rollout/ca.pem")
    url = f"https://127.0.0.1:{question['port']}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=question["seconds"], context=context) as page:
            return {"health": json.load(page), "said": ""}
    except (OSError, ValueError) as error:
        return {"health": None, "said": str(error)}
