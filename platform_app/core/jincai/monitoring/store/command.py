"""`jincai rules list` and `jincai rules show`: what is in force, read from the database.

Publishing is no verb: whoever runs the platform does no business, and a publication has two people's names.
"""

from typing import Annotated

import psycopg
import typer

from jincai import settings
from jincai.errors import ConfigurationError, DatabaseUnavailableError
from jincai.settings import without_password

CONNECT_SECONDS = 5

_LINES = """
SELECT k.rule, live.version, shadow.version, k.draft
  FROM (SELECT rule, max(version) FILTER (WHERE state = 'draft') AS draft
          FROM monitor.rule_version GROUP BY rule) AS k
  LEFT JOIN monitor.edition_rule AS live
    ON live.rule = k.rule AND NOT live.shadow
   AND live.edition = (SELECT max(number) FROM monitor.edition)
  LEFT JOIN monitor.edition_rule AS shadow
    ON shadow.rule = k.rule AND shadow.shadow
   AND shadow.edition = (SELECT max(number) FROM monitor.edition)
 ORDER BY substr(k.rule, 2)::integer
"""
# Without a version the live one, else the newest there is.
_TEXT = """
SELECT v.source
  FROM monitor.rule_version AS v
  LEFT JOIN monitor.edition_rule AS live
    ON (live.rule, live.version) = (v.rule, v.version) AND NOT live.shadow
   AND live.edition = (SELECT max(number) FROM monitor.edition)
 WHERE v.rule = %(rule)s AND (%(version)s::integer IS NULL OR v.version = %(version)s)
 ORDER BY live.version IS NULL, v.version DESC
 LIMIT 1
"""


def list_rules() -> None:
    """Print the rules, one a line: number, and its live, shadow and draft version (- for none)."""
    with _database() as cx:
        for rule, *versions in cx.execute(_LINES).fetchall():
            typer.echo("\t".join([rule, *(str(one or "-") for one in versions)]))


def show_rule(
    rule: Annotated[str, typer.Argument(help="Such as R1.")],
    version: Annotated[int | None, typer.Option(min=1, max=2**31 - 1, help="None: the live one.")] = None,
) -> None:
    """Print the text of a rule as it is in force, or of one of its versions."""
    with _database() as cx:
        found = cx.execute(_TEXT, {"rule": rule, "version": version}).fetchone()
    if found is None:
        what = f"version {version} of rule {rule}" if version else f"rule {rule}"
        raise ConfigurationError(f"there is no {what}", "`jincai rules list` names what there is.")
    typer.echo(found[0], nl=False)


def _database() -> psycopg.Connection:
    url = settings.from_environment().database_url
    if not url:
        raise ConfigurationError("no database to read", "Set JINCAI_DATABASE_URL.")
    try:
        return psycopg.connect(url, connect_timeout=CONNECT_SECONDS)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailableError(
            f"no answer from {without_password(url)}: {str(error).strip()}", "Check JINCAI_DATABASE_URL."
        ) from error
