"""What pages do with their address: fields left blank in a form count as not given."""

from typing import Any

from pydantic import BaseModel, model_validator

from jincai.language import Language


class PageAddress(BaseModel):
    """Mixed into a query model, makes it fit for a form and for the language switch."""

    lang: Language | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: Any) -> Any:  # pydantic hands over whatever it was given
        return (
            {name: value for name, value in given.items() if value != ""}
            if isinstance(given, dict)
            else given
        )
