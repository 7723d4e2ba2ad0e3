"""Small real access systems for releases of tests: a wheel, one table, one page, an entry at /version.

One template; code, dist, version and edition make the rest. An edition is another dist with another schema.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).with_name("template")


@dataclass(frozen=True)
class Small:
    """One of them."""

    code: str
    version: str
    edition: str = ""

    @property
    def dist(self) -> str:
        standard = f"jincai-{self.code.replace('_', '-')}"
        return f"{standard}-{self.edition}" if self.edition else standard

    @property
    def module(self) -> str:
        return self.dist.replace("-", "_")

    @property
    def schema(self) -> str:
        return f"{self.code}_{self.edition}" if self.edition else self.code

    def write(self, folder: Path) -> Path:
        """Its project below ``folder``."""
        project = folder / f"{self.dist}-{self.version}"
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(TEMPLATE, project, ignore=shutil.ignore_patterns("__pycache__"))
        for file in list(project.rglob("*.txt")):  # so called that no tool takes them for code of ours
            file.rename(file.with_suffix(""))
        (project / "module").rename(project / self.module)
        words = {
            "@CODE@": self.code,
            "@DIST@": self.dist,
            "@VERSION@": self.version,
            "@EDITION@": self.edition or "standard",
            "@MODULE@": self.module,
            "@SCHEMA@": self.schema,
        }
        for file in project.rglob("*"):
            if file.is_file():
                text = file.read_text()
                for word, value in words.items():
                    text = text.replace(word, value)
                file.write_text(text)
        return project
