"""dpkg's status file, as hosts send it: the fields that are compared, one paragraph a package."""

from collections.abc import Iterator


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    for paragraph in text.split("\n\n"):
        fields = dict(line.split(":", 1) for line in paragraph.split("\n") if ":" in line)
        if fields:
            yield {name: value.strip() for name, value in fields.items()}


def parse_status(text: str) -> list[dict[str, str | bool]]:
    """One entry a package: name, version, architecture, dpkg's selection, flag and state, protected or not.

    A package that was removed and left its conffiles is kept; its state says so.
    """
    packages: list[dict[str, str | bool]] = []
    for fields in _paragraphs(text):
        want, flag, state = [*fields.get("Status", "").split(), "", "", ""][:3]
        packages.append(
            {
                "name": fields.get("Package", ""),
                "version": fields.get("Version", ""),
                "architecture": fields.get("Architecture", ""),
                "want": want,
                "flag": flag,
                "state": state,
                "essential": fields.get("Essential") == "yes" or fields.get("Priority") == "required",
            }
        )
    return packages
