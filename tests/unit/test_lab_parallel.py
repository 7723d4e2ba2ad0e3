"""Several hosts at a time."""

import pytest

from rollout.lab.parallel import quiet, together


def test_results_keep_their_order() -> None:
    assert together(range(20), lambda n: n * n) == [n * n for n in range(20)]
    quiet("x-a", "up")


def test_all_have_ended_before_the_first_error_is_raised() -> None:
    ended: list[int] = []

    def work(number: int) -> None:
        if number == 0:
            raise ValueError("the first")
        ended.append(number)

    with pytest.raises(ValueError, match="the first"):
        together(range(5), work)
    assert sorted(ended) == [1, 2, 3, 4]
