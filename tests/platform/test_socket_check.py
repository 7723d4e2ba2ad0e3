"""The conformance kit: our own platform passes, so does a sound outside system; each fault is found."""

import datetime as dt
import ipaddress
import json
import ssl
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from jincai.cli import app
from jincai.errors import ConfigurationError
from jincai.socket.client import UnreachableError
from jincai.socket.conformance import general, schema
from jincai_payment.api import PaymentOrder
from typer.testing import CliRunner

from tests.platform.outside_system import FAULTS, KEY, outside_system
from tests.platform.posting import make_quota, shown, token_for_all
from tests.platform.socket_books import new_key, order, publish_codes

DAY = dt.timedelta(days=1)


def check(url: str, *arguments: str, key: str = KEY) -> Result:
    command = ["check-socket", url, *arguments]
    return CliRunner().invoke(app, command, env={"JINCAI_SOCKET_KEY": key})


def failed(result: Result) -> set[str]:
    return {one["check"] for one in json.loads(result.output)["checks"] if not one["passed"]}


def test_our_own_platform_keeps_the_contract(database, live: str, tmp_path: Path) -> None:
    publish_codes(database.owner)
    with shown(database.app, token_for_all(database.owner)) as cx:
        quota = make_quota(cx, 10_000_000)
        add_indicators(cx)
    example = tmp_path / "example.json"
    example.write_text(json.dumps({"payment_order": order(quota)}))
    found = check(live, "--example", str(example), "--json", key=new_key(database.auth, "检验"))
    assert failed(found) == set(), found.output
    assert found.exit_code == 0
    kinds = {one["kind"] for one in json.loads(found.output)["checks"]}
    assert {"payment_order", "payment", "indicator", "voucher"} <= kinds


def add_indicators(cx: psycopg.Connection) -> None:
    for n in range(3):
        cx.execute(
            """
            INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, bgt_type_code,
                                          fund_type_code, exp_func_code, dep_exp_eco_code, summary, amount)
            VALUES (2010, '450100', %s, '101001', '1', '1', '2010301', '30201', '示例', 100)
            """,
            (f"C-{n}",),
        )


def test_a_sound_outside_system_passes() -> None:
    with outside_system() as url:
        found = check(url)
    assert found.exit_code == 0, found.output
    assert "FAIL" not in found.output
    assert found.output.endswith("checks passed\n")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_no_other(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if fault == "slow":
        monkeypatch.setattr(general, "ANSWER_SECONDS", 0.2)
    with outside_system(fault) as url:
        found = check(url, "--json")
    assert found.exit_code == 1
    assert failed(found) == FAULTS[fault], found.output


def test_reading_only_pushes_nothing() -> None:
    with outside_system() as url:
        found = check(url, "--read-only", "--json")
    # Nothing was pushed, so there is nothing to be shown.
    assert {"pages_stably", "fits_its_schema"} <= failed(found)
    assert "answers_again_the_same" not in found.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--kind", "voucher"], "kinds not offered: voucher"),
        (["--key-env", "JINCAI_NO_SUCH"], "JINCAI_NO_SUCH is not set"),
        (["--example", "/nonexistent"], "/nonexistent"),
    ],
)
def test_wrong_usage_is_named(arguments: list[str], says: str) -> None:
    with outside_system() as url:
        found = check(url, *arguments)
    assert isinstance(found.exception, ConfigurationError)
    assert says in str(found.exception)


@pytest.mark.parametrize("content", ["[]", "{", '{"receipt": {}}', '{"receipt": 1}', "\ud800"])
def test_a_wrong_example_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with outside_system() as url:
        found = check(url, "--example", str(tmp_path / "e.json"))
    assert isinstance(found.exception, ConfigurationError)
    assert "e.json" in str(found.exception)


def test_nobody_there_is_said() -> None:
    found = check("http://127.0.0.1:9")
    assert isinstance(found.exception, UnreachableError)
    assert found.exception.exit_code == 3
    assert isinstance(check("ftp://127.0.0.1").exception, ConfigurationError)


def certificate(folder: Path) -> Path:
    """A key and its own certificate for 127.0.0.1, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "outside")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + DAY)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = made.add_extension(address, critical=False).sign(key, hashes.SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "outside.pem").write_bytes(secret + signed.public_bytes(Encoding.PEM))
    return folder / "outside.pem"


def test_over_tls_only_who_is_trusted_is_asked(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with outside_system(tls=tls) as url:
        assert isinstance(check(url).exception, UnreachableError)
        found = check(url, "--ca", str(pem), "--json")
    assert failed(found) == set(), found.output


SCHEMA = PaymentOrder.model_json_schema()
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)


@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "unknown"]), VALUES))
def test_schemas_mean_what_they_mean_elsewhere(changed: dict[str, Any]) -> None:
    document = order(7) | changed
    # A float that is whole counts as an integer elsewhere: here money is written without a point.
    if any(isinstance(one, float) and one.is_integer() for one in changed.values()):
        return
    elsewhere = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    assert bool(schema.differs(document, SCHEMA)) == (not elsewhere.is_valid(document))
