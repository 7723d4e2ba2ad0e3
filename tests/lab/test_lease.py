"""Two applies to one site at once: the second is refused and says who holds it."""

import json
import time

from tests.lab.city import City


def test_the_second_apply_is_refused_and_says_who_holds_the_site(city: City) -> None:
    city.host("a").run("echo '# by hand' >> /etc/haproxy/haproxy.cfg")
    first = city.start("apply", "2026.1", "--site", city.site, "--yes")
    lease = "cat /var/lib/rollout/lease.json 2>/dev/null || cat /var/lib/rollout/*/lease.json"
    end = time.monotonic() + 60
    while (held := city.host("s").run(lease, check=False)).returncode != 0:
        assert first.poll() is None, first.communicate()[0][-3000:]
        assert time.monotonic() < end, "no lease was taken"
        time.sleep(0.2)
    run = json.loads(held.stdout)["run"]
    second = city.apply(expect=4)
    said = second.stdout + second.stderr
    assert "is running apply there since" in said
    assert run in said
    assert first.wait(600) == 0
    assert city.audit()["uniform"] is True
