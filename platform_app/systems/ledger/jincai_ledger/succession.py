"""Which account of the next year takes over a balance: the same one, unless the chart changes (科目对照)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from psycopg import AsyncConnection

from jincai_ledger import chart
from jincai_ledger.refusal import RefusedError


@dataclass(frozen=True, slots=True)
class Succession:
    """What is known of ``fiscal_year`` and the year before.

    Attributes:
        fiscal_year: whose accounts take over.
        accounts: its chart.
        chosen: the year before's own map: its account → one of the next year's.
        stands_for: the year's map: its account → one of the year before's, which several may stand for.
    """

    fiscal_year: int
    accounts: Collection[str]
    chosen: Mapping[str, str]
    stands_for: Mapping[str, str]

    def of(self, accounts: Iterable[str]) -> dict[str, str]:
        """The successor of each account.

        Raises:
            RefusedError: names the accounts that have none, or more than one.
        """
        fitting = {account: self._candidates(account) for account in accounts}
        if missing := [account for account, codes in fitting.items() if not codes]:
            raise RefusedError(
                f"{self.fiscal_year} 年现行标准中没有科目 {chart.listed(missing)},"
                "也没有它们的科目对照(account_map);请先发布科目或对照",
                f"the standards in force for {self.fiscal_year} have neither account nor account_map for "
                f"{chart.listed(missing)}: publish them first",
            )
        if unclear := [f"{one}→{'/'.join(codes)}" for one, codes in fitting.items() if len(codes) > 1]:
            before = self.fiscal_year - 1
            raise RefusedError(
                f"科目对照不唯一:{chart.listed(unclear)};请在 {before} 年标准的 account_map 中指明",
                f"account_map is not unique: {chart.listed(unclear)}; choose in the account_map of {before}",
            )
        return {account: codes[0] for account, codes in fitting.items()}

    def _candidates(self, account: str) -> list[str]:
        """What was chosen, else the account itself, else those that stand for it."""
        for code in (self.chosen.get(account, account), account):
            if code in self.accounts:
                return [code]
        return sorted(
            code for code, target in self.stands_for.items() if target == account and code in self.accounts
        )


async def into(cx: AsyncConnection, fiscal_year: int) -> Succession:
    """Of the editions in force for ``fiscal_year`` and the year before."""
    return Succession(
        fiscal_year,
        frozenset(await chart.accounts(cx, fiscal_year)),
        await chart.account_map(cx, fiscal_year - 1),
        await chart.account_map(cx, fiscal_year),
    )
