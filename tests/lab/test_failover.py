"""Power is cut: writes go on, nothing acknowledged is lost, the site's address answers."""

import itertools
import json
import threading
import time
from pathlib import Path

from tests.lab.city import City

WRITER = Path(__file__).with_name("writer.py").read_text()


def holder(city: City) -> str:
    """Letter of the minicomputer that holds the site's address."""
    return city.get("/version")[1]["x-served-by"][-1]


def test_the_primarys_power_is_cut_under_a_writer(city: City) -> None:
    city.wait_whole()
    first = city.leader()
    other = "b" if first == "a" else "a"
    city.sql("DROP TABLE IF EXISTS public.drill; CREATE TABLE public.drill (number int PRIMARY KEY)")
    city.sql("GRANT INSERT ON public.drill TO jincai_app")
    survivor = city.host(other)
    survivor.write_file("/tmp/writer.py", WRITER)
    said: list[str] = []

    def write() -> None:
        script = (
            "set -a; . /etc/jincai/jincai.env; exec /opt/jincai/current/venv/bin/python /tmp/writer.py 55"
        )
        said.append(
            survivor.run(f"PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; {script}").stdout
        )

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(8)
    city.host(first).cut_power()
    try:
        writer.join(120)
        acknowledged = [json.loads(line) for line in said[0].splitlines()]
        times = [at for _, at in acknowledged]
        gap = max(later - earlier for earlier, later in itertools.pairwise(times))
        print(f"longest pause of acknowledged writes: {gap:.1f} s; acknowledged rows: {len(acknowledged)}")
        assert len(acknowledged) > 100
        assert gap < 30
        assert times[-1] - times[0] > 45, "writes did not go on until the end"
        there = {int(row) for row in city.sql("SELECT number FROM public.drill", other).split()}
        assert {number for number, _ in acknowledged} <= there
    finally:
        city.host(first).start()
        city.host(first).wait_ssh()
    city.wait_whole()
    city.sql("DROP TABLE public.drill")
    assert city.audit()["uniform"] is True


def test_the_holder_of_the_address_loses_power(city: City) -> None:
    city.wait_whole()
    letter = holder(city)
    city.host(letter).cut_power()
    try:
        seconds = city.wait_for("/version", 30)
        print(f"the site's address answered again after {seconds:.1f} s")
        assert holder(city) != letter
    finally:
        city.host(letter).start()
        city.host(letter).wait_ssh()
    city.wait_whole()
    assert city.audit()["uniform"] is True
