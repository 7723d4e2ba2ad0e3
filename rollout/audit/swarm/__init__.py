"""The process that pyinfra runs in. Importing this package changes the standard library: only run it.

``python -m rollout.audit.swarm`` imports this file before ``__main__``, and so before pyinfra.
"""

import sys

from gevent import monkey

monkey.patch_all()

# paramiko would import it for "Match exec" in an ssh_config, which no host is reached by: 0.2 s for nothing.
sys.modules["invoke"] = None  # type: ignore[assignment]
