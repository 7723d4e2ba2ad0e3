"""Why a host gave no facts, in words that a person can act on."""

import re

from rollout.audit import actions

# What the attempt said (paramiko, sudo, the shell) → what it means, and what to do about it.
_MEANINGS = (
    (r"No host key for", "its SSH host key is not known to this control node", actions.TRUST),
    (r"host key.*does not match", "it shows another SSH host key than the one that is known", actions.TRUST),
    (r"Authentication error", "it does not accept the control node's SSH key", actions.LET_IN),
    (r"sudo: ", "it does not let the control node's user become root", actions.LET_IN),
    (r"python3.*not found", "it has no python3", actions.LOOK),
    (r"^(unexpected|damaged) answer", "", actions.LOOK),
    (
        r"Could not connect|Error reading SSH protocol banner|timed out|EOF error|connection broke",
        "no SSH server answers at its address",
        actions.POWER,
    ),
)


def plain(reason: str) -> tuple[str, str]:
    """What happened and what to do about it. Reasons that are not known stay as they are."""
    for pattern, meaning, action in _MEANINGS:
        if re.search(pattern, reason, re.IGNORECASE):
            return meaning or reason, action
    return reason, actions.POWER
