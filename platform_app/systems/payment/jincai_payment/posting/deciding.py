"""What becomes of each order: one pass in their order, on locked ground."""

from collections.abc import Mapping

from jincai_payment.order import Decision, Order, Reason
from jincai_payment.posting.ground import Batch, Ground, Key

# Place of an order in its batch → the rules that stop it, and whether one of them forbids.
Verdicts = Mapping[int, tuple[tuple[str, ...], bool]]


def is_told_before(ground: Ground, batch: Batch) -> bool:
    """Whether every order was decided before, so that nothing is left to be done."""
    return all((order.division, order.idempotency_key) in ground.decided for order in batch.orders)


def candidates(ground: Ground, batch: Batch) -> list[int]:
    """Places of the orders that rules are asked about: new ones, to pay, with nothing wrong in their form."""
    seen: set[Key] = set()
    found: list[int] = []
    for n, order in enumerate(batch.orders):
        key = (order.division, order.idempotency_key)
        if key in ground.decided or key in seen or _misplaced(ground, n, order):
            continue
        seen.add(key)
        found.append(n)
    return found


def decide(ground: Ground, batch: Batch, verdicts: Verdicts) -> tuple[list[Decision], list[int]]:
    """One decision each, and the places of what is to be booked; quotas and numbers move on.

    What rules stop takes no quota and no number: a held order gets its number when it is released.
    """
    digests = batch.digests
    decisions: list[Decision] = []
    standing: list[int] = []
    first: dict[Key, int] = {}
    for n, order in enumerate(batch.orders):
        key = (order.division, order.idempotency_key)
        if before := ground.decided.get(key):
            decision, digest = before
            decisions.append(decision if digest == digests[n] else Decision("refused", "key_used"))
            continue
        if (same := first.get(key)) is not None:
            decisions.append(repeated(decisions[same], same=digests[same] == digests[n]))
            continue
        if reason := _misplaced(ground, n, order):
            decisions.append(Decision("refused", reason))
            continue
        first[key] = n
        if stopped := verdicts.get(n):
            rules, forbidden = stopped
            decisions.append(
                Decision("refused", "forbidden", rules=rules) if forbidden else Decision("held", rules=rules)
            )
        elif reason := _objection(ground, order):
            decisions.append(Decision("refused", reason))
        else:
            decisions.append(_stand(ground, order))
            standing.append(n)
    return decisions, standing


def repeated(before: Decision, *, same: bool) -> Decision:
    """The answer to an order whose key was used before in its batch."""
    return before._replace(again=True) if same else Decision("refused", "key_used")


def _misplaced(ground: Ground, n: int, order: Order) -> Reason:
    if n in ground.beyond:
        return "not_yours"
    quota = ground.quotas.get(order.quota_id)
    if quota is None or (quota.fiscal_year, quota.division, quota.agency_code) != (
        order.fiscal_year,
        order.division,
        order.agency_code,
    ):
        return "no_quota"
    if not ground.unknown or order.kind != "payment":
        return ""
    year = order.fiscal_year
    brought = {(year, "payee_kind", order.payee_kind_code), (year, "set_mode", order.set_mode_code)}
    return "" if ground.unknown.isdisjoint(brought) else "unknown_code"


def _objection(ground: Ground, order: Order) -> Reason:
    quota = ground.quotas[order.quota_id]
    if order.kind == "payment":
        return "over_quota" if quota.control_level == 2 and order.amount > quota.available else ""
    undone = ground.undoable.get(order.undoes or 0)
    if undone is None or undone.quota_id != order.quota_id:
        return "nothing_to_undo"
    # Money goes back from where it went: naming another payee would be a payment unseen by rules.
    if undone.payee_account != order.payee_account:
        return "other_payee"
    return "over_undone" if -order.amount > undone.left else ""


def _stand(ground: Ground, order: Order) -> Decision:
    quota = ground.quotas[order.quota_id]
    unit = ground.units[order.division, order.agency_code]
    warned = order.kind == "payment" and quota.control_level == 1 and order.amount > quota.available
    quota.available -= order.amount
    if order.undoes is not None:
        ground.undoable[order.undoes].left += order.amount
    unit.last_posting_no += 1
    return Decision("posted", posting_no=unit.last_posting_no, warned=warned)
