"""The management controller, against an emulator of one over real HTTPS."""

import base64
import hashlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, json, request
from sushy_tools.emulator import main as emulator
from werkzeug.serving import make_server

from rollout.acceptance import judge, redfish
from rollout.acceptance.redfish import Login, Told
from rollout.acceptance.units import Bmc
from rollout.errors import ConfigurationError, UnreachableError, VerificationError
from rollout.hardware import Redfish

LOGIN = Login(user="reader", password="a sealed one")
WELL = {"State": "Enabled", "Health": "OK"}


class Controller:
    """The emulator, with power supplies, which it lacks, and a log-in. ``asked``: paths that came."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.supplies: list[dict[str, Any]] = [
            {"Name": "PSU 1", "Status": WELL},
            {"Name": "PSU 2", "Status": WELL},
        ]
        self.new_form = False
        key, certificate = folder / "key.pem", folder / "cert.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=factory", "-keyout", str(key), "-out", str(certificate)),
            ],
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).digest()
        self.certificate = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
        self.server = make_server("127.0.0.1", 0, self._app(), ssl_context=context)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def bmc(self) -> Bmc:
        return Bmc(address=f"https://127.0.0.1:{self.server.server_port}", certificate=self.certificate)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()

    def _app(self) -> Flask:
        app: Flask = emulator.app
        app.config.from_mapping(SUSHY_EMULATOR_FAKE_DRIVER=True)
        app.configure()

        outer = Flask("controller")

        @outer.route("/<path:path>")
        def through(path: str) -> Response:
            self.asked.append(f"/{path}")
            said = request.authorization
            if said is None or (said.username, said.password) != (LOGIN.user, LOGIN.password):
                return Response("{}", 401)
            if path.endswith("/Power"):
                return self._json({"PowerSupplies": self.supplies})
            if path.endswith("/PowerSubsystem"):
                return self._json({"PowerSupplies": {"@odata.id": f"/{path}/PowerSupplies"}})
            if path.endswith("/PowerSupplies"):
                links = [{"@odata.id": f"/{path}/{n}"} for n in range(len(self.supplies))]
                return self._json({"Members": links})
            if "/PowerSupplies/" in path:
                return self._json(self.supplies[int(path.rpartition("/")[2])])
            answer = app.test_client().get(f"/{path}")
            found = answer.get_json(silent=True)
            if "/Chassis/" in path and path.count("/") == 3 and found:
                form = "PowerSubsystem" if self.new_form else "Power"
                found[form] = {"@odata.id": f"/{path}/{form}"}
            return self._json(found, answer.status_code)

        return outer

    @staticmethod
    def _json(found: object, status: int = 200) -> Response:
        return Response(json.dumps(found), status, content_type="application/json")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    controller = Controller(tmp_path_factory.mktemp("bmc"))
    yield controller
    controller.close()


@pytest.fixture
def controller(made: Controller) -> Controller:
    made.asked.clear()
    made.new_form = False
    made.supplies = [{"Name": "PSU 1", "Status": WELL}, {"Name": "PSU 2", "Status": WELL}]
    return made


@pytest.mark.parametrize("new_form", [False, True])
def test_what_the_controller_tells(controller: Controller, new_form: bool) -> None:
    controller.new_form = new_form
    told = redfish.ask(controller.bmc, LOGIN)
    assert (told.health, told.power_supplies, told.fans, told.drives) == ("OK", 2, 2, None)
    assert told.ill == []
    assert told.firmware["bmc"]
    assert len(controller.asked) == len(set(controller.asked))


def test_a_supply_without_power_is_named_and_does_not_count(controller: Controller) -> None:
    controller.supplies[1] = {"Name": "PSU 2", "Status": {"State": "Enabled", "Health": "Critical"}}
    controller.supplies.append({"Name": "PSU 3", "Status": {"State": "Absent"}})
    told = redfish.ask(controller.bmc, LOGIN)
    assert (told.power_supplies, told.ill) == (1, ["PSU 2"])
    wanted = Redfish(power_supplies=2, fans=2, firmware={"bmc": "0"})
    verdicts = {check.name: check.verdict for check in judge.controller("yulin-a", wanted, told)}
    assert verdicts == {
        "bmc_health": "passed",
        "bmc_ill": "failed",
        "power_supplies": "failed",
        "fans": "passed",
        "firmware_bmc": "failed",
    }


def test_another_certificate_is_not_shown_the_password(controller: Controller) -> None:
    other = controller.bmc.model_copy(update={"certificate": "SHA256:" + "A" * 43})
    with pytest.raises(VerificationError, match="the delivery sheet says") as refused:
        redfish.ask(other, LOGIN)
    assert controller.certificate in str(refused.value)
    assert controller.asked == []


def test_a_wrong_log_in_and_nobody_there(controller: Controller) -> None:
    with pytest.raises(VerificationError, match="refuses the log-in"):
        redfish.ask(controller.bmc, Login(user="reader", password="x"))
    assert len(controller.asked) == 1
    nobody = controller.bmc.model_copy(update={"address": "https://127.0.0.1:9"})
    with pytest.raises(UnreachableError):
        redfish.ask(nobody, LOGIN)


def test_what_is_not_told_is_no_pass() -> None:
    told = Told(health=None, power_supplies=None, fans=None, drives=None, ill=[], firmware={})
    checks = judge.controller("yulin-a", Redfish(power_supplies=2), told)
    assert [check.verdict for check in checks] == ["not_checked", "passed", "not_checked"]
    (check,) = judge.controller("yulin-a", Redfish(power_supplies=2), "no management controller")
    assert (check.verdict, check.why) == ("not_checked", "no management controller")


@pytest.mark.parametrize("text", ["", "reader", ":x", "reader:", "a:b\nc:d"])
def test_a_log_in_is_one_line(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Login.parse(text)
    assert "sealed" not in repr(LOGIN)
