"""An expression's text, parsed by sqlglot after its words were looked at one by one.

What is not in the list of words never reaches the parser, and size and depth are bounded before it runs:
a comment, a second statement, a cast or a sub-select stop here already. The parser knows no function of SQL
by itself: a call is a name and its arguments, and `check` says which names there are.
"""

from typing import Any, ClassVar
from unicodedata import category

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.postgres import PostgresParser
from sqlglot.tokenizer_core import Token, TokenType

from jincai.monitoring.language.errors import Refused

WORDS_MOST = 600
DEPTH_MOST = 24
_ALLOWED = frozenset(
    {
        *(TokenType.VAR, TokenType.STRING, TokenType.NUMBER, TokenType.TRUE, TokenType.FALSE, TokenType.DATE),
        *(TokenType.EQ, TokenType.NEQ, TokenType.LT, TokenType.LTE, TokenType.GT, TokenType.GTE),
        *(TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.BETWEEN, TokenType.IN),
        *(TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH),
        *(TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA, TokenType.DOT),
    }
)
# Of these many in a row would nest the tree as parentheses do.
_PREFIX = frozenset({TokenType.NOT, TokenType.DASH})


class _Parser(PostgresParser):
    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {}
    NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {}


_DIALECT = Postgres()


def parsed(text: str) -> exp.Expression:
    """The tree of ``text``.

    Raises:
        Refused: it has a word that the language does not have, is too large, or is no expression.
    """
    words = _words(text)
    _bounded(words)
    try:
        trees = [tree for tree in _Parser(dialect=_DIALECT).parse(words, text) if tree is not None]
    except ParseError as error:
        raise Refused(_said(error)) from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Expression):
        raise Refused("one expression is expected")
    return trees[0]


def is_name(word: str) -> bool:
    """Whether a threshold or list may be called so: not if SQL means something by it."""
    try:
        tokens = _DIALECT.tokenize(word)
    except TokenError:
        return False
    return len(tokens) == 1 and tokens[0].token_type is TokenType.VAR


def _words(text: str) -> list[Token]:
    if any(category(sign) in {"Cc", "Cs"} and sign not in "\n\r\t" for sign in text):
        raise Refused("it contains a control character")
    try:
        tokens = _DIALECT.tokenize(text)
    except TokenError as error:
        raise Refused("a quotation mark or a comment is not closed, or a sign is not known") from error
    if any(token.comments for token in tokens) or (text.strip() and not tokens):
        raise Refused("comments (-- or /* */) do not belong in an expression: say it in reason or note")
    for token in tokens:
        if token.token_type not in _ALLOWED:
            raise Refused(f"{text[token.start : token.end + 1]!r} is no word of the rule language")
    return tokens


def _bounded(tokens: list[Token]) -> None:
    if not tokens:
        raise Refused("an expression is expected")
    if len(tokens) > WORDS_MOST:
        raise Refused(f"it has {len(tokens)} words and signs; {WORDS_MOST} are the most")
    depth = deepest = 0
    before = None
    for token in tokens:
        if token.token_type is TokenType.L_PAREN:
            depth += 1
        elif token.token_type is TokenType.R_PAREN:
            depth -= 1
        deepest = max(deepest, depth)
        if token.token_type in _PREFIX and token.token_type is before:
            raise Refused(f"two {token.text!r} follow each other: leave both out, or use parentheses")
        before = token.token_type
    if deepest > DEPTH_MOST:
        raise Refused(f"parentheses are nested {deepest} deep; {DEPTH_MOST} is the most")


def _said(error: ParseError) -> str:
    first = error.errors[0] if error.errors else {}
    before, at = str(first.get("start_context") or "")[-20:], str(first.get("highlight") or "")
    return f"it cannot be read near {(before + at).strip()!r}" if at else "it cannot be read"
