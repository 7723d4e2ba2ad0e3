"""Schemathesis: whatever fits (or nearly fits) the OpenAPI document never gets a 5xx."""

import contextlib
import os

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jincai.auth.roles import PERMISSIONS
from schemathesis import GenerationMode

# More by hand: JINCAI_FUZZ=200 pytest tests/platform/test_openapi_fuzz.py
EXAMPLES = int(os.environ.get("JINCAI_FUZZ", "10"))


def test_no_request_makes_the_platform_fail(live: str, session) -> None:
    headers = {"Authorization": f"Bearer {session(*PERMISSIONS)}"}
    schema = schemathesis.openapi.from_url(f"{live}/api/openapi.json")
    failed: dict[str, str] = {}
    count = 0

    def ask(case: schemathesis.Case) -> None:
        nonlocal count
        count += 1
        answer = case.call(headers=headers, timeout=20)
        if answer.status_code >= 500:
            failed[f"{case.method} {case.path}"] = f"{answer.text[:300]} for {case.as_curl_command()[:600]}"

    for operation in schema.get_all_operations():
        for mode in GenerationMode:
            strategy = operation.ok().as_strategy(generation_mode=mode)
            limited = settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            # What takes nothing can be given nothing wrong.
            with contextlib.suppress(Unsatisfiable):
                limited(given(case=strategy)(ask))()
    assert failed == {}
    assert count >= EXAMPLES
