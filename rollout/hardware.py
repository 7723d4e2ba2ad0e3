"""Hardware models: what was bought, and which Debian packages each one needs (kernel, firmware, tools)."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from rollout.errors import ConfigurationError
from rollout.paths import content

HostKind = Literal["minicomputer", "storage"]
PackageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]


class Model(BaseModel):
    """One file under ``hardware/models/``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    kind: HostKind
    packages: list[PackageName] = []


def load_models(folder: Path | None = None) -> dict[str, Model]:
    """Every model by name; a file that is wrong is named with its key."""
    models = {}
    for file in sorted((folder or content() / "hardware" / "models").glob("*.yml")):
        try:
            model = Model.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError) as error:
            raise ConfigurationError(f"{file}: {error}") from error
        if model.model != file.stem:
            raise ConfigurationError(f"{file}: model: {model.model} must be the file's name")
        models[model.model] = model
    return models
