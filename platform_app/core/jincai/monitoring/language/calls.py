"""What a call in the parser's tree says: its name and its arguments."""

from sqlglot import exp


def name_of(tree: exp.Expression) -> str:
    """The name of a call or a column."""
    return str(tree.this if isinstance(tree.this, str) else tree.this.name)


def arguments_of(tree: exp.Expression) -> list[exp.Expression]:
    """The arguments of a call."""
    return list(tree.expressions)
