"""What looks at a host, on the host, as root: sent over at each audit, because nothing there is trusted.

Only the standard library of Python 3.11, and little of it: a host's time goes into starting Python and
importing. So what only some hosts need is imported where it is needed, and ``typing``, ``pathlib``,
``subprocess``, ``re`` and ``json``, each of which takes longer than all that a bare host is asked, are
avoided.
Every module reads one thing; what it parses, it parses in pure functions. A probe that fails is data
(``{"error": …}``), never a crash.
"""

# In the order in which they are loaded: each may import those before it.
MODULES = (
    "text",
    "program",
    "packages",
    "files",
    "venv",
    "units",
    "processes",
    "answers",
    "machine",
    "collect",
)
