"""An auditor's account on real hosts: it audits, and does nothing else."""

import json
import subprocess

from rollout.audit import payload
from rollout.audit.expect import wanted
from rollout.inventory import load
from tests.lab.city import City, auditor_key


def ask(city: City, letter: str, text: str, *command: str) -> str:
    """What a host says to an auditor who writes ``text`` to it."""
    argv = ["ssh", "-T", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"]
    argv += ["-o", f"UserKnownHostsFile={city.home.known_hosts}", "-i", str(auditor_key(city.inventory))]
    argv += [f"auditor@{city.address(letter)}", *command]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def test_an_auditor_audits_as_the_region_does(city: City) -> None:
    own = city.audit()
    theirs = city.audit("--as-auditor", str(auditor_key(city.inventory)))
    assert theirs["uniform"] is True
    same = [{key: value for key, value in report.items() if key != "taken_at"} for report in (own, theirs)]
    assert same[0] == same[1]
    file = "/etc/patroni/config.yml"
    mode = city.host("b").run(f"stat -c %a {file}").stdout.strip()
    city.host("b").run(f"chmod 644 {file}")
    try:
        report = city.audit("--as-auditor", str(auditor_key(city.inventory)), expect=1)
        assert report["summary"] == {"modified": 1}
    finally:
        city.host("b").run(f"chmod {mode} {file}")


def test_an_auditor_can_do_nothing_else(city: City) -> None:
    host = load(city.inventory).sites[city.site].storage
    question = wanted(host, None).model_dump()
    whole = f"{payload.sources()}\n{json.dumps(question)}\n"
    assert "rollout-facts:" in ask(city, "s", whole)
    # Whatever command comes, the same program answers.
    assert "rollout-collect: other probes" in ask(city, "s", "import os\n{}\n", "sudo", "id")
    tampered = payload.sources().replace("rollout-facts:", "rollout-facts!:")
    assert "rollout-collect: other probes" in ask(city, "s", f"{tampered}\n{json.dumps(question)}\n")
    refused = {
        "no record of a site": {"record": "/etc/shadow"},
        "a question that only the control node": {"patroni": "https://198.51.100.1:1"},
        "not the question of an audit": {"more": 1},
        "not the name of a unit": {"units": ["--help"]},
        "not the path of a file": {"paths": ["/etc/../proc/kcore"]},
    }
    for why, change in refused.items():
        said = ask(city, "s", f"{payload.sources()}\n{json.dumps(question | change)}\n")
        assert f"rollout-collect: {why}" in said
        assert "rollout-facts:" not in said
    for sudo in ("id", "/usr/local/sbin/rollout-collect x"):
        said = city.host("s").run(f"su -s /bin/sh auditor -c 'sudo -n {sudo}'", check=False)
        assert said.returncode != 0
