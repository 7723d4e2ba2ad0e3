"""The file socket: outside systems drop files over SFTP, get their answers, and reach nothing else."""

import csv
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.lab.city import DROP_SYSTEMS, NETWORK, City, drop_key

TAX, FEES = DROP_SYSTEMS
HEADER = (
    "VoucherNo,StYear,AdmDivCode,AgencyCode,quota_id,PayAmt,VouDate,PayeeAcctName,PayeeAcctNo,PaySummaryName"
)
# A unit beside the codes that are shipped, in an edition of its own; again changes nothing.
UNIT = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM standards.edition WHERE fiscal_year = 2010 AND made_by = 'a') THEN
    INSERT INTO standards.edition (fiscal_year, number, made_by)
    SELECT fiscal_year, edition + 1, 'a' FROM standards.in_force WHERE fiscal_year = 2010;
    INSERT INTO standards.code (fiscal_year, edition, element, code, name, parent, attributes)
    SELECT fiscal_year, edition + 1, element, code, name, parent, attributes
      FROM standards.code JOIN standards.in_force USING (fiscal_year, edition) WHERE fiscal_year = 2010
     UNION ALL
    SELECT fiscal_year, edition + 1, 'agency', '101001', '示例单位', NULL, '{"division": "450100"}'
      FROM standards.in_force WHERE fiscal_year = 2010;
    UPDATE standards.edition SET state = 'published', published_by = 'b', published_at = now()
     WHERE fiscal_year = 2010 AND state = 'draft';
  END IF;
END $$
"""
QUOTA = """
INSERT INTO payment.quota (fiscal_year, division, agency_code, indicator_id, pay_type, bgt_type_code,
                           fund_type_code, exp_func_code, dep_exp_eco_code, granted, control_level)
VALUES (2010, '450100', '101001', 900001, 'direct', '1', '1', '2010301', '30201', 150, 2)
    ON CONFLICT (indicator_id, pay_type) DO UPDATE SET granted = payment.quota.used + 150
RETURNING id
"""


class Sender:
    """An outside system, with its own key and OpenSSH's client."""

    def __init__(self, city: City, name: str, folder: Path) -> None:
        self.city, self.name, self.folder = city, name, folder

    def client(self, program: str, *more: str, key: str | None = None, stdin: str = "") -> tuple[int, str]:
        """Exit code and everything that was said."""
        options = [
            *("-i", str(drop_key(self.city.inventory, key or self.name))),
            *("-o", f"UserKnownHostsFile={self.city.home.known_hosts}"),
            *("-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"),
        ]
        argv = [program, *options, *more]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout + done.stderr

    @property
    def address(self) -> str:
        return f"drop-{self.name}@{NETWORK}.13"

    def sftp(self, *commands: str, key: str | None = None) -> tuple[int, str]:
        """Carries the commands out until one fails."""
        return self.client("sftp", "-b", "-", self.address, key=key, stdin="\n".join(commands) + "\n")

    def drop(self, name: str, *lines: str, mode: str = "600") -> None:
        """Puts a file as clients do: whole, then its marker. Its mode is no help to the service."""
        file = self.folder / name
        file.write_text("\n".join([HEADER, *lines, ""]))
        marker = self.folder / f"{name}.done"
        marker.touch()
        code, said = self.sftp(
            f"put {file} in/{name}", f"chmod {mode} in/{name}", f"put {marker} in/{name}.done"
        )
        assert code == 0, said

    def answer(self, name: str, seconds: float = 30) -> list[dict[str, str]]:
        """The answer, as soon as it is there."""
        target = self.folder / f"{name}.got"
        end = time.monotonic() + seconds
        while (said := self.sftp(f"get out/{name} {target}"))[0]:
            assert time.monotonic() < end, (
                said[1] + self.city.host("s").run("journalctl -u jincai-drop -n 40 -o cat").stdout
            )
            time.sleep(0.5)
        with target.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def tax(city: City, tmp_path: Path) -> Sender:
    return Sender(city, TAX, tmp_path)


@pytest.fixture(scope="module")
def quota(city: City) -> int:
    city.wait_whole()
    city.sql(UNIT)
    return int(city.sql(QUOTA).splitlines()[0])


def line(quota: int, amount: str = "1.00") -> str:
    number = time.time_ns()
    return f"drop-{number},2010,450100000,101001,{quota},{amount},20100305,示例文具店,45000001,办公用品"


def test_a_payment_order_is_posted_and_answered(city: City, tax: Sender, quota: int) -> None:
    name = f"payment_order-{time.time_ns()}"
    first = line(quota)
    tax.drop(f"{name}.csv", first, line(quota))
    receipt = tax.answer(f"{name}.receipt.csv")
    assert [(one["line"], one["outcome"], one["reason"]) for one in receipt] == [
        ("2", "posted", ""),
        ("3", "refused", "over_quota"),
    ]
    key = first.split(",", 1)[0]
    by = city.sql(f"SELECT posted_by FROM payment.payment WHERE idempotency_key = '{key}'")  # noqa: S608
    assert by.startswith(f"{TAX}-")
    assert name in city.host("s").run(f"ls /srv/drop/{TAX}/done").stdout


def test_a_wrong_file_is_refused_line_by_line_though_its_sender_hid_it(tax: Sender, quota: int) -> None:
    name = f"payment_order-{time.time_ns()}"
    tax.drop(f"{name}.csv", line(quota, "a lot"), line(quota), line(quota, "1.005"), mode="000")
    mistakes = tax.answer(f"{name}.refused.csv")
    assert [one["line"] for one in mistakes] == ["2", "4"]
    assert {one["field"] for one in mistakes} == {"PayAmt"}


def test_no_shell_and_no_way_on(tax: Sender) -> None:
    code, said = tax.client("ssh", tax.address, "id")
    assert code != 0
    assert "uid" not in said
    code, said = tax.client("ssh", "-tt", tax.address)
    assert code != 0
    code, said = tax.client("ssh", "-W", "127.0.0.1:22", tax.address)
    assert "SSH-2.0" not in said
    assert "prohibited" in said


REFUSED = [
    "put {file} out/forged.receipt.csv",
    "put {file} done/forged",
    "put {file} refused/forged",
    "put {file} work/forged",
    "put {file} forged",
    "ls work",
    "ls done",
    "mkdir in/folder",
    "mkdir more",
    "rename out in/out",
    "rm out/answer.csv",
    "rename out/answer.csv in/answer.csv",
    "symlink / in/root",
    "symlink ../out in/out",
    "ln out/answer.csv in/answer.csv",
    "chmod 700 in",
    "chmod 777 out",
    "chmod 777 /",
    "cd /etc",
    "cd ../../etc",
    "get /etc/passwd {file}",
    "get ../../../etc/passwd {file}",
    f"cd ../{FEES}",
    f"ls /srv/drop/{FEES}",
    f"put {{file}} ../{FEES}/in/forged.csv",
]


def test_it_stays_in_its_folder_and_only_writes_to_in(city: City, tax: Sender) -> None:
    file = tax.folder / "file"
    file.write_text("x\n")
    out = f"/srv/drop/{TAX}/out"
    city.host("s").run(f"install -o jincai-drop -g drop-{TAX} -m 640 /dev/null {out}/answer.csv")
    before = city.host("s").run("find /srv/drop -path '*/in/*' -prune -o -printf '%p %m %u\\n' | sort").stdout
    code, said = tax.sftp("pwd", "ls -1")
    assert code == 0
    assert said.split()[-5:] == ["done", "in", "out", "refused", "work"]
    assert "working directory: /\n" in said
    let_through = [command for command in REFUSED if tax.sftp(command.format(file=file))[0] == 0]
    assert let_through == []
    after = city.host("s").run("find /srv/drop -path '*/in/*' -prune -o -printf '%p %m %u\\n' | sort").stdout
    assert after == before
    city.host("s").run(f"rm {out}/answer.csv")


def test_only_its_own_key_from_its_own_network(city: City, tax: Sender) -> None:
    code, said = tax.sftp("ls", key=FEES)
    assert code != 0
    assert "Permission denied" in said
    a = city.host("a")
    a.write_file("/tmp/key", drop_key(city.inventory, TAX).read_text(), mode=0o600)
    try:
        options = "-i /tmp/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        done = a.run(f"echo ls | sftp {options} -b - {tax.address}", check=False)
        assert done.returncode != 0
        assert "Permission denied" in done.stderr
    finally:
        a.run("rm /tmp/key")


def test_a_file_that_would_fill_the_disk_is_cut_off(city: City, tax: Sender) -> None:
    file = tax.folder / "large.csv"
    with file.open("wb") as stream:
        stream.truncate(40 << 20)
    code, _ = tax.sftp(f"put {file} in/.large.csv")
    assert code != 0
    size = city.host("s").run(f"stat -c %s /srv/drop/{TAX}/in/.large.csv").stdout
    assert int(size) <= 16 << 20
    city.host("s").run(f"rm /srv/drop/{TAX}/in/.large.csv")


@pytest.fixture
def changed(city: City) -> Iterator[City]:
    """The service stopped, a folder opened to everybody, its program changed; undone after."""
    s = city.host("s")
    file = "/opt/jincai/current/venv/lib/python3.11/site-packages/jincai/socket/drop/station.py"
    s.run(
        f"systemctl stop jincai-drop; chmod 2777 /srv/drop/{TAX}/out; cp -a {file} /tmp/whole; echo >> {file}"
    )
    try:
        yield city
    finally:
        s.run(f"cp -a /tmp/whole {file}; rm /tmp/whole; chmod 2750 /srv/drop/{TAX}/out")
        s.run("systemctl start jincai-drop")


def test_the_audit_knows_the_service_its_folders_and_its_program(changed: City) -> None:
    assert changed.findings() == {
        ("s", "jincai-drop.service", "not_running"),
        ("s", f"/srv/drop/{TAX}/out", "modified"),
        ("s", "jincai/socket/drop/station.py", "modified"),
    }


def test_its_keys_are_the_services_alone_and_in_no_log(city: City) -> None:
    assert city.audit()["uniform"] is True
    s = city.host("s")
    keys = {name: s.run(f"cat /etc/jincai-drop/keys/{name}").stdout.strip() for name in DROP_SYSTEMS}
    owners = s.run("stat -c '%U %a' /etc/jincai-drop/keys/*").stdout.split("\n")[:-1]
    assert owners == ["jincai-drop 600"] * len(keys)
    logs = [p.read_bytes() for p in city.home.runs.rglob("*") if p.is_file()] + [
        city.home.journal.read_bytes()
    ]
    logs += [city.host(letter).run("journalctl -q --no-pager -o cat").stdout.encode() for letter in "abs"]
    for key in keys.values():
        assert key.startswith("jincai_")
        assert not any(key.encode() in log for log in logs)


def test_who_leaves_the_inventory_is_gone_and_other_days_mean_another_key(city: City, tax: Sender) -> None:
    hosts = city.inventory / "hosts.yml"
    before = hosts.read_text()
    document = yaml.safe_load(before)
    variables = document["all"]["children"][city.site]["vars"]
    variables["drop__systems"] = [{**variables["drop__systems"][0], "days": 60}]
    hosts.write_text(yaml.safe_dump(document, allow_unicode=True))
    s = city.host("s")
    key = s.run(f"cat /etc/jincai-drop/keys/{TAX}").stdout
    try:
        city.apply()
        assert city.audit()["uniform"] is True
    finally:
        hosts.write_text(before)
    assert tax.sftp("ls")[0] == 0
    assert Sender(city, FEES, tax.folder).sftp("ls")[0] != 0
    assert s.run(f"id drop-{FEES}", check=False).returncode != 0
    assert s.run("ls /etc/ssh/drop /etc/jincai-drop/keys").stdout.split().count(f"drop-{FEES}") == 0
    assert s.run(f"ls -d /srv/drop/.{FEES}-*/out").stdout
    assert s.run(f"cat /etc/jincai-drop/keys/{TAX}").stdout != key
    good = "SELECT string_agg(split_part(name, '-', 1), ' ') FROM auth.api_key WHERE revoked_at IS NULL"
    assert city.sql(good) == TAX
