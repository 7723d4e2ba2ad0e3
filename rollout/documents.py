"""YAML files that people write, judged by a model: whatever is wrong is named by file and key."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from rollout.errors import ConfigurationError

T = TypeVar("T")
MOST_BYTES = 4 << 20


def read(file: Path, kind: TypeAdapter[T], hint: str = "", *, empty: Any = None) -> T:
    """What stands in ``file``; an empty one stands for ``empty``.

    Raises:
        ConfigurationError: larger than 4 MiB, not YAML, or not of this ``kind``; names every key.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ConfigurationError(f"{file}: larger than {MOST_BYTES} bytes", hint)
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}", hint) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: not valid YAML: {error}", hint) from error
    try:
        return kind.validate_python(empty if document is None else document)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors()]
        raise ConfigurationError(f"{file}: {'; '.join(wrong)}", hint) from error
