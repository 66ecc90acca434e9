"""[uplink] kind = "cellular": the plan, what is deployed, what cannot be."""

from pathlib import Path

from test_failover_config import CONFIGS, _file

from hedgerow.config import check_file, compile_file
from hedgerow.device.node_app import node_app

_HEAD = '[uplink]\nkind = "cellular"\nhost = "127.0.0.1"\nuart = "uart0"\napn = "internet"\n'


def test_the_plan_has_the_uart_and_the_pin(tmp_path):
    plan = compile_file(_file(tmp_path, _HEAD + 'power_key = "GP22"\nsim_pin = "0000"\n'))
    uplink = plan["uplink"]
    assert (uplink["uart"], uplink["power_key"], uplink["sim_pin"]) == ("uart0", 22, "0000")
    assert (uplink["model"], uplink["carries"], uplink["keepalive_s"]) == ("sim7080", "mqtt", 300)
    assert plan["board"]["buses"]["uart0"]["kind"] == "uart"


def test_what_is_deployed(tmp_path):
    """The modem's family alone, what it carries, the UART's bus."""
    path = _file(tmp_path, _HEAD + 'model = "sim800"\ncarries = "http"\n')
    files = node_app(path, with_hedge=True).files
    parts = {str(Path(name).relative_to("hedge")) for name in files if name.startswith("hedge/")}
    assert {"net/modem/sim800.py", "net/modem/at.py", "net/http_link.py"} <= parts
    assert {"more_buses.py", "net/serial_stream.py"} <= parts
    assert not {"net/modem/sim7080.py", "net/mqtt.py", "net/coap_link.py"} & parts


def test_what_cannot_be(tmp_path):
    for line, text in (
        ("ppp = true", "ppp on rp2: its MicroPython has no network.PPP"),
        (f'tls = true\nca = "{CONFIGS}/files/ca.pem"', "tls over the modem's own TCP"),
        ('sim_pin = "12"', "sim_pin is no PIN"),
        ('apn_user = "a\\"b"', "a quote or control character in apn_user"),
        ('power_key = "GP0"', "GP0"),
        ('uart = "uart7"', "uart7"),
    ):
        head = _HEAD if "uart =" not in line else _HEAD.replace('uart = "uart0"\n', "")
        faults = [str(fault) for fault in check_file(_file(tmp_path, f"{head}{line}\n"))]
        real = [fault for fault in faults if "warning" not in fault]
        assert len(real) == 1, faults
        assert text in real[0]
