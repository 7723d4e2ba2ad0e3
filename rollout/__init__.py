"""The control-node tool: releases, depot, plan, apply, audit."""

__version__ = "0.1.0"
