from pathlib import Path

import pytest

from rollout.apply.journal import Journal
from rollout.apply.previous import previous
from rollout.errors import ConfigurationError
from rollout.record import SiteRecord
from tests.unit.test_apply_record import a_record
from tests.unit.test_apply_support import World


def ended(journal: Journal, serial: int, *, well: bool = True, verb: str = "apply") -> None:
    run = journal.begin(verb, ["hezhou"], "2026.1", serial, "a" * 64)
    journal.begin_step(run, "hezhou", 1, 2, "one")
    journal.end_step(run, "hezhou", 1, "done")
    if well:
        journal.begin_step(run, "hezhou", 2, 2, "record")
        journal.end_step(run, "hezhou", 2, "done")
    journal.end(run, "done" if well else "failed")


def record(serial: int) -> SiteRecord:
    return a_record(site="hezhou").model_copy(update={"serial": serial})


def test_the_newest_older_build_that_ran_there(tmp_path: Path) -> None:
    site = World(tmp_path).all_sites[0]
    with Journal(tmp_path / "journal.db") as journal:
        with pytest.raises(ConfigurationError, match="no apply ended well"):
            previous(journal, site, None)
        ended(journal, 1)
        ended(journal, 3)
        ended(journal, 4, well=False)
        ended(journal, 5)
        ended(journal, 5)
        ended(journal, 6, well=False)
        assert previous(journal, site, record(5)) == "2026.1-5"
        ended(journal, 5, verb="rollback")
        assert previous(journal, site, record(5)) == "2026.1-3"
        ended(journal, 3, verb="rollback")
        assert previous(journal, site, record(3)) == "2026.1-1"
        with pytest.raises(ConfigurationError, match=r"no build there older than 2026\.1-1"):
            previous(journal, site, record(1))
