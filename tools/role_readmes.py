"""Writes every role's README from its ``meta/argument_specs.yml``; ``--check`` only says which are old."""

import sys
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).resolve().parent.parent / "roles"


def readme(role: str, spec: dict[str, Any]) -> str:
    """The README of one role."""
    main = spec["argument_specs"]["main"]
    lines = [f"# {role}", "", f"{main['short_description']}.", ""]
    lines += [paragraph for text in main["description"] for paragraph in (text, "")]
    lines += ["| variable | type | default | meaning |", "|---|---|---|---|"]
    for name, option in main["options"].items():
        default = "required" if option.get("required") else f"`{option.get('default')}`"
        meaning = option["description"] + (" Never logged." if option.get("no_log") else "")
        lines.append(f"| `{name}` | {option['type']} | {default} | {meaning} |")
    verbs = [p.stem for p in sorted((ROLES / role / "tasks").glob("*.yml")) if p.stem != "main"]
    lines += ["", f"Tasks: {', '.join(f'`{verb}`' for verb in verbs)}." if verbs else "One task list.", ""]
    lines += ["Made from `meta/argument_specs.yml` by `make docs`; change that, not this."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Exit code 1 when ``--check`` finds an old README."""
    old = []
    for file in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        role = file.parent.parent.name
        text = readme(role, yaml.safe_load(file.read_text(encoding="utf-8")))
        target = ROLES / role / "README.md"
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            old.append(target)
            if "--check" not in sys.argv:
                target.write_text(text, encoding="utf-8")
    for target in old:
        print(f"{'out of date' if '--check' in sys.argv else 'written'}: {target.relative_to(ROLES.parent)}")
    return 1 if old and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
