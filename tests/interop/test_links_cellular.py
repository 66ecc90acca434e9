"""The link over simulated modems on a pty: bad SIMs and networks, drops, garbage."""

import pytest
from gateway_stub import GatewayStub
from peers import soon

from hedgerow.emulate.modem.faults import Faults
from hedgerow.emulate.modem.modem import Modem
from hedgerow.emulate.modem.on_pty import ModemOnPty
from hedgerow.emulate.modem.sim800 import Sim800
from hedgerow.emulate.modem.sim7080 import Sim7080

pytestmark = pytest.mark.interop

KINDS = {"sim7080": Sim7080, "sim800": Sim800}


@pytest.fixture(params=KINDS)
def model(request):
    return request.param


@pytest.fixture
def modem(model, tmp_path):
    with ModemOnPty(KINDS[model], tmp_path / "modem") as simulated:
        simulated.model = model
        yield simulated


def _args(modem, port, **more):
    fixed = {"kind": "cellular", "pty": modem.address, "model": modem.model, "apn": "internet"}
    return {**fixed, "port": port, "device": "bed-3", **more}


def _drained(gateway, records):
    payloads = sorted(int(p.split()[2]) for p in gateway.rows().values())
    assert payloads == list(range(records)), "lost or invented records"


@pytest.mark.soak
def test_records_over_a_network_that_drops_and_a_line_that_garbles(
    mosquitto_broker, play, modem, tmp_path
):
    """The cell is lost three times; lines are thrown in between; bytes are spoilt."""
    modem.faults.urcs = ['+CMTI: "SM",1', "RING", "+CREG: 1", "*PSUTTZ: 26"] * 20
    modem.faults.garble = 60
    args = _args(modem, mosquitto_broker.port, dir=str(tmp_path / "log"), records=150)
    holds = {count: tmp_path / f"go-{count}" for count in (40, 80, 120)}
    args["holds"] = {str(count): str(go) for count, go in holds.items()}
    with GatewayStub(mosquitto_broker.port) as gateway:
        with play("uplink", pace_ms=50, ack_timeout_ms=3000, timeout_ms=4000, **args) as node:
            for count, go in holds.items():
                soon(lambda: gateway.count() > count // 2, f"{count // 2} records")  # noqa: B023
                modem.do(Modem.lose_network)
                go.touch()
            node.expect("filled")
            modem.faults.garble = 0
            result = node.result()
        assert result["pending"] == 0
        _drained(gateway, 150)
    assert result["stats"]["outages"] >= 1
    assert result["stats"]["bad_acks"] <= modem.spoilt


@pytest.mark.soak
def test_a_network_as_slow_as_they_are(mosquitto_broker, play, modem, tmp_path):
    modem.faults.network_s, modem.faults.answer_s = 0.4, 0.02
    args = _args(modem, mosquitto_broker.port, dir=str(tmp_path / "log"), records=20)
    with GatewayStub(mosquitto_broker.port) as gateway:
        with play("uplink", ack_timeout_ms=20000, **args) as node:
            result = node.result()
        assert result["pending"] == 0
        _drained(gateway, 20)
    assert result["stats"]["outages"] == 0


@pytest.mark.soak
@pytest.mark.parametrize(
    ("faults", "more", "said"),
    [
        ({"sim": "missing"}, {}, "AT+CPIN?: +CME ERROR: SIM not inserted"),
        ({"sim": "pin"}, {}, "the SIM wants its PIN"),
        ({"sim": "pin"}, {"sim_pin": "9999"}, "AT+CPIN: +CME ERROR: incorrect password"),
        ({"sim": "puk"}, {}, "SIM: SIM PUK"),
        ({"denied": True}, {"register_s": 1}, "no network: denied by the network"),
        ({"register_s": 60}, {"register_s": 1}, "no network: searching"),
        ({"deaf": True}, {}, "does not answer"),
    ],
    ids=["missing", "locked", "wrong-pin", "puk", "denied", "searching", "deaf"],
)
def test_what_is_wrong_is_told(tmp_path, play, faults, more, said):
    """In words, and the node does not hang: no broker is needed for that."""
    with ModemOnPty(Sim7080, tmp_path / "modem", Faults(**faults)) as modem:
        modem.model = "sim7080"
        with play("contract", **_args(modem, 1, **more)) as node, pytest.raises(AssertionError):
            node.result()
    assert any(f"modem: {said}" in line for line in node.seen), node.seen


@pytest.mark.soak
def test_a_wrong_apn_is_told(play, modem):
    modem.faults.bad_apn = True
    with play("contract", **_args(modem, 1)) as node, pytest.raises(AssertionError):
        node.result()
    told = ("is the APN right?", "AT+CIICR: +CME ERROR")
    assert any(text in line for line in node.seen for text in told), node.seen


@pytest.mark.soak
def test_a_modem_that_starts_anew_by_itself(mosquitto_broker, play, modem, tmp_path):
    """A brown-out: it forgets its connection, and is brought up again."""

    def brown_out(simulated):
        simulated.press_key()
        simulated.press_key()

    args = _args(modem, mosquitto_broker.port, dir=str(tmp_path / "log"), records=60)
    with GatewayStub(mosquitto_broker.port) as gateway:
        with play("uplink", pace_ms=40, ack_timeout_ms=2000, timeout_ms=3000, **args) as node:
            node.expect("ready")
            soon(lambda: "bed-3" in gateway.gateways, "a frame")
            modem.do(brown_out)
            assert node.result()["pending"] == 0
        _drained(gateway, 60)


def test_a_wrong_pin_is_tried_once_whatever_the_uplink_tries(play, tmp_path):
    """Three tries block a SIM."""
    faults = Faults(sim="pin")
    with ModemOnPty(Sim7080, tmp_path / "modem", faults) as modem:
        modem.model = "sim7080"
        args = _args(modem, 1, sim_pin="9999", dir=str(tmp_path / "log"), records=1)
        with play("uplink", quiet=False, **args) as node:
            node.expect("filled")
            soon(lambda: modem.commands.count("AT+CPIN?") >= 3, "a third session")
        assert modem.commands.count('AT+CPIN="9999"') == 1


@pytest.mark.soak
def test_a_locked_sim_and_a_slow_registration(mosquitto_broker, play, modem, tmp_path):
    modem.faults.sim, modem.faults.register_s = "pin", 3
    args = _args(modem, mosquitto_broker.port, dir=str(tmp_path / "log"), records=5)
    with GatewayStub(mosquitto_broker.port) as gateway:
        with play("uplink", sim_pin="1234", **args) as node:
            assert node.result()["pending"] == 0
        _drained(gateway, 5)


@pytest.mark.soak
def test_nobody_at_the_other_end(play, modem):
    with play("contract", **_args(modem, 1)) as node, pytest.raises(AssertionError):
        node.result()
    assert any("cannot connect to 127.0.0.1:1" in line for line in node.seen), node.seen
