"""How the simulated bank behaves: decided by seed and payment alone.

So an instruction that comes again, even to a bank that was started anew, is answered the same.
"""

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Receipt = dict[str, Any]
REASONS = ("收款人账号户名不符", "收款人账户已销户", "收款行行号错误")


@dataclass(frozen=True, slots=True)
class Conduct:
    """What the bank does.

    Attributes:
        seed: another seed, other payments that fail.
        refuse: share of instructions that fail.
        refund: share of what it paid that comes back, all of it.
        repeat: share of receipts that it tells again.
        delay: seconds until it answers, at most.
        shuffle: whether it tells receipts in any order, a refund perhaps before its payment.
    """

    seed: int = 1
    refuse: float = 0.0
    refund: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    shuffle: bool = False

    def answers(self, instruction: Mapping[str, Any]) -> list[tuple[float, Receipt]]:
        """Every receipt of an instruction, with the seconds after which it is told."""
        draw = random.Random(f"{self.seed}-{instruction['payment_id']}")  # noqa: S311
        told = [self._first(instruction, draw)]
        if told[0]["outcome"] == "paid" and draw.random() < self.refund:
            told.append(told[0] | {"outcome": "refunded", "bank_no": f"R{told[0]['bank_no']}"})
            told[-1]["reason"] = "收款行退汇"
        told += [one for one in told if draw.random() < self.repeat]
        late = sorted(draw.uniform(0, self.delay) for _ in told)
        if self.shuffle:
            draw.shuffle(told)
        return list(zip(late, told, strict=True))

    def _first(self, instruction: Mapping[str, Any], draw: random.Random) -> Receipt:
        fails = draw.random() < self.refuse
        return {
            "payment_id": instruction["payment_id"],
            "outcome": "failed" if fails else "paid",
            "bank_no": "" if fails else f"SIM{self.seed}-{instruction['payment_id']}",
            "paid_date": dt.date.fromisoformat(instruction["pay_date"]).isoformat(),
            "paid_amount": 0 if fails else instruction["amount"],
            "reason": draw.choice(REASONS) if fails else "",
        }
