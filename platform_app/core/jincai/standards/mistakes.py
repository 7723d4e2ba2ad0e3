"""What is wrong with a file: where exactly, and what was expected there; the first of them, and how many."""

from dataclasses import dataclass, field

KEPT_MOST = 200


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes:
        sheet: name of the sheet; of a CSV file its element.
        row: counted from 1 with the headings, as spreadsheets do; 0 for the sheet as a whole.
        column: name of the column, "" for the whole row.
        zh: what was found and what is expected, in Chinese.
        en: the same in English.
    """

    sheet: str
    row: int
    column: str
    zh: str
    en: str


@dataclass
class Mistakes:
    """Collects them: `first` holds `KEPT_MOST` at most, `count` all."""

    first: list[Mistake] = field(default_factory=list)
    count: int = 0

    def add(self, sheet: str, row: int, column: str, zh: str, en: str) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < KEPT_MOST:
            self.first.append(Mistake(sheet, row, column, zh, en))
