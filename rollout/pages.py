"""Pages for people, from ``templates/``: nothing in them is loaded from anywhere."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rollout.paths import content


def environment() -> Environment:
    """Everything escaped; a name that is not given is an error."""
    return Environment(
        loader=FileSystemLoader(content() / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
