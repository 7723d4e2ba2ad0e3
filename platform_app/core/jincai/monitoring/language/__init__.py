"""The rule language: expressions over the records that rules judge, compiled to SQL."""

from jincai.monitoring.language.compile import Compiled, compiled
from jincai.monitoring.language.errors import RuleError

__all__ = ["Compiled", "RuleError", "compiled"]
