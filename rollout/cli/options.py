"""Options that many verbs share."""

from pathlib import Path
from typing import Annotated

import typer

InventoryPath = Annotated[
    Path | None, typer.Option("-i", "--inventory", help="Folder with hosts.yml; else $ROLLOUT_INVENTORY.")
]
Sites = Annotated[
    list[str] | None, typer.Option("--site", help="A site; repeat for several. All if none is named.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
