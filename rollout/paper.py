"""HTML on paper: a page of ours as PDF, with nothing loaded from anywhere."""

from rollout.errors import ConfigurationError

_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-wqy-zenhei"


def pdf(html: str) -> bytes:
    """The page as PDF.

    Raises:
        ConfigurationError: the libraries that set text are not on this machine.
        ValueError: the page wants something from outside; ours never do.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415 - half a second, and libraries that a host may lack
        from weasyprint.urls import FatalURLFetchingError, URLFetcher  # noqa: PLC0415 - as above
    except OSError as error:
        raise ConfigurationError(
            f"a PDF cannot be made here: {error}", f"As root: apt-get install {_PACKAGES}"
        ) from error
    nothing = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    try:
        made: bytes = HTML(string=html, url_fetcher=nothing).write_pdf()
    except FatalURLFetchingError as error:
        raise ValueError(f"a page of ours loads nothing: {error}") from error
    return made
