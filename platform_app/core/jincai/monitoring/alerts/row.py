"""A row of the list, the same whether it comes with the page or over the stream."""

from fastapi import Request

from jincai import language
from jincai.monitoring.alerts.alerts import Alert
from jincai.monitoring.alerts.words import DISPOSALS, LEVELS, PLACES, STAGES, SUBJECTS
from jincai.pages import rendering
from jincai.platform import Platform

WORDS = {"levels": LEVELS, "stages": STAGES, "disposals": DISPOSALS, "subjects": SUBJECTS, "places": PLACES}


def row_html(request: Request, platform: Platform, one: Alert) -> str:
    """The row of ``one`` in the reader's language."""
    zh = language.of(request) == "zh"
    template = rendering.environment(platform.systems).get_template("alert_row.html")
    return template.render(one=one, t=lambda chinese, english: chinese if zh else english, **WORDS)
