"""Random steps by the right and the wrong people keep what the budget promises."""

from collections.abc import Callable

import psycopg
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from jincai_budget.procedure import MOVES

from tests.platform.budgeting import CODES, DIVISION, PERMISSIONS, YEAR, Office, line, publish
from tests.platform.posting import shown, token_for_all

ALL = tuple({code for codes in PERMISSIONS.values() for code in codes})
# Whoever may do everything is the one who could approve their own: often.
PEOPLE = st.sampled_from(["unit", "maker", "checker", "checker:b", *3 * ["everything"]])
AMOUNTS = st.integers(min_value=0, max_value=1_000)
LINES = st.lists(
    st.builds(
        line,
        AMOUNTS,
        fund_type_code=st.sampled_from(CODES["fund_type"]),
        dep_exp_eco_code=st.sampled_from(CODES["dep_exp_eco"]),
    ),
    max_size=4,
    unique_by=lambda one: (one["fund_type_code"], one["dep_exp_eco_code"]),
)


class Budget(RuleBasedStateMachine):
    """One unit's budget, worked on by people who may and people who may not."""

    def __init__(self, client: TestClient, session: Callable[..., str], books: psycopg.Connection) -> None:
        super().__init__()
        self.office = Office(client, session)
        self.office.tokens["everything"] = session(*ALL, divisions=(DIVISION,), actor="everything")
        self.books = books
        self.closed: dict[str, list[object]] = {}

    @initialize(lines=LINES)
    def begin(self, lines: list[dict[str, object]]) -> None:
        self.number = self.office.create()
        self.office.put("unit", self.number, "first", *lines)

    @rule(who=PEOPLE, stage=st.sampled_from(["first", "control", "second", "approved"]), lines=LINES)
    def put(self, who: str, stage: str, lines: list[dict[str, object]]) -> None:
        answer = self.office.put(who, self.number, stage, *lines)
        assert answer.status_code in {200, 403, 409}, answer.text
        if answer.status_code == 200:
            assert stage not in self.closed

    @rule(who=PEOPLE, kind=st.sampled_from(["submit", "issue", "approve", "return"]))
    def step(self, who: str, kind: str) -> None:
        before = self.office.get("checker", f"/proposals/{self.number}")
        reason = {"reason": "请修改"} if kind == "return" else {}
        answer = self.office.step(who, self.number, kind, **reason)
        assert answer.status_code in {200, 403, 409, 422}, answer.text
        after = self.office.get("checker", f"/proposals/{self.number}")["proposal"]["state"]
        if answer.status_code == 200:
            state = before["proposal"]["state"]
            to, permission = MOVES[kind, state]  # type: ignore[index]
            assert after == to
            assert who == "everything" or permission in PERMISSIONS[who.partition(":")[0]]
            self._close(after)
        else:
            assert after == before["proposal"]["state"]

    @rule()
    def go_on(self) -> None:
        """The next step by the right person, so that random runs come far."""
        state = self.office.get("checker", f"/proposals/{self.number}")["proposal"]["state"]
        following = [kind for kind, at in MOVES if at == state and kind != "return"]
        if following:
            duty = {"submit": "unit", "issue": "maker", "approve": "checker"}[following[0]]
            self.step(f"{duty}:b" if duty == "checker" else duty, following[0])

    @rule(
        who=PEOPLE,
        kind=st.sampled_from(["adjustment", "addition", "reduction", "carry_over"]),
        places=st.tuples(st.integers(0, 9), st.integers(0, 9)),
        amount=st.integers(1, 1_000),
    )
    def ask(self, who: str, kind: str, places: tuple[int, int], amount: int) -> None:
        ids = self._ids("indicator")
        if ids:
            source, target = (ids[place % len(ids)] for place in places)
            asked: dict[str, object] = {"kind": kind, "amount": amount}
            if kind != "addition":
                asked["source_id"] = source
            if kind in {"adjustment", "addition"}:
                asked["target_id"] = target
            assert self.office.ask(who, **asked).status_code in {200, 403, 409, 422}

    @rule(who=PEOPLE, way=st.sampled_from(["approve", "refuse"]), place=st.integers(0, 9))
    def decide(self, who: str, way: str, place: int) -> None:
        if ids := self._ids("change_request"):
            path = f"/change-requests/{ids[place % len(ids)]}/{way}"
            assert self.office.post(who, path, reason="审批").status_code in {200, 403, 409, 422}

    @rule(place=st.integers(0, 9), amount=st.integers(-500, 500))
    def plan(self, place: int, amount: int) -> None:
        if ids := self._ids("indicator"):
            try:
                self.books.execute("SELECT budget.release(%s, %s)", (ids[place % len(ids)], amount))
            except psycopg.Error as error:
                assert error.sqlstate == "JC005"  # noqa: PT017 - either is right, nothing else is

    @invariant()
    def closed_stages_are_unchanged(self) -> None:
        for stage, kept in self.closed.items():
            assert self._lines(stage) == kept

    @invariant()
    def indicators_are_what_was_approved_and_changed(self) -> None:
        wrong = """
        SELECT i.id FROM budget.indicator AS i
          LEFT JOIN budget.proposal_line AS l ON l.id = i.proposal_line_id
         WHERE i.agency_code = %s
           AND i.amount <> coalesce(l.amount, 0)
                           + (SELECT coalesce(sum(c.amount), 0) FROM budget.indicator_change AS c
                               WHERE c.indicator_id = i.id AND c.kind <> 'approval')
        """
        assert self._rows(wrong) == []
        approved = """
        SELECT coalesce(sum(amount), 0) FROM budget.proposal_line
         WHERE agency_code = %s AND stage = 'approved'
        """
        made = """
        SELECT coalesce(sum(c.amount), 0) FROM budget.indicator_change AS c
          JOIN budget.indicator AS i ON i.id = c.indicator_id
         WHERE i.agency_code = %s AND c.kind = 'approval'
        """
        assert self._rows(approved) == self._rows(made)

    @invariant()
    def nothing_is_taken_twice(self) -> None:
        wrong = """
        SELECT i.id FROM budget.indicator AS i
         WHERE i.agency_code = %s
           AND (i.control_level = 2 AND i.reserved + i.planned > i.amount OR i.amount < 0
                OR i.reserved <> (SELECT coalesce(sum(r.amount), 0) FROM budget.change_request AS r
                                   WHERE r.source_id = i.id AND r.state = 'requested'))
        """
        assert self._rows(wrong) == []

    @invariant()
    def nobody_approves_what_is_their_own(self) -> None:
        own = """
        SELECT a.id FROM budget.proposal_step AS a
          JOIN budget.proposal_step AS s
            ON s.proposal_id = a.proposal_id AND s.id < a.id AND s.made_by = a.made_by
         WHERE a.agency_code = %s AND (a.kind = 'approve' AND s.kind <> 'return'
                                       OR a.kind IN ('issue', 'return') AND s.kind = 'submit')
        """
        assert self._rows(own) == []
        assert (
            self._rows("SELECT FROM budget.change_request WHERE agency_code = %s AND checked_by = made_by")
            == []
        )

    def _close(self, state: str) -> None:
        """What is closed by arriving in ``state``; a return opens the unit's stage again."""
        opened = {"first_returned": ("first", "control"), "second_returned": ("second",)}.get(state, ())
        for stage in opened:
            self.closed.pop(stage, None)
        done = {
            "first_submitted": ("first",),
            "control_issued": ("control",),
            "second_submitted": ("second",),
            "approved": ("approved",),
        }.get(state, ())
        for stage in done:
            self.closed[stage] = self._lines(stage)

    def _lines(self, stage: str) -> list[object]:
        asked = "SELECT * FROM budget.proposal_line WHERE agency_code = %s AND stage = %s ORDER BY id"
        return list(self.books.execute(asked, (self.office.agency, stage)).fetchall())

    def _ids(self, table: str) -> list[int]:
        queries = {
            "indicator": "SELECT id FROM budget.indicator WHERE agency_code = %s ORDER BY id",
            "change_request": "SELECT id FROM budget.change_request WHERE agency_code = %s ORDER BY id",
        }
        return [row[0] for row in self._rows(queries[table])]

    def _rows(self, query: str) -> list[tuple[int, ...]]:
        return self.books.execute(query, (self.office.agency,)).fetchall()  # type: ignore[arg-type]


def test_random_steps_keep_the_books_right(client: TestClient, session, database) -> None:
    publish(database.owner, YEAR, YEAR + 1)
    with shown(database.app, token_for_all(database.owner)) as books:
        run_state_machine_as_test(
            lambda: Budget(client, session, books),
            settings=settings(
                max_examples=25,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
