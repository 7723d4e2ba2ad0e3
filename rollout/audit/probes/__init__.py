"""What looks at a host, on the host, as root: sent over at each audit, because nothing there is trusted.

Only the standard library of Python 3.11; no imports but of each other. Every module reads one thing;
what it parses, it parses in pure functions. A probe that fails is data (``{"error": …}``), never a crash.
"""

# In the order in which they are loaded: each may import those before it.
MODULES = ("packages", "files", "venv", "units", "processes", "answers", "machine", "collect")
