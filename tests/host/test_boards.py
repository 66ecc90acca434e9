"""Board data and its loader: the real boards, and every kind of fault in a broken one."""

import json
import shutil

import pytest

from hedgerow import paths
from hedgerow.boards import board_names, load_board
from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.errors import ConfigError
from hedgerow.toolchain.qemu import BOARDS as QEMU_BOARDS


@pytest.fixture
def root(tmp_path):
    """A boards/ folder with one good board, PICO, to break."""
    shutil.copytree(paths.share_dir("boards") / "RPI_PICO", tmp_path / "PICO")
    return tmp_path


def edit(root, change):
    path = root / "PICO" / "board.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def fault(root, name="PICO"):
    with pytest.raises(ConfigError) as caught:
        load_board(name, root)
    return str(caught.value)


@pytest.mark.parametrize("name", board_names())
def test_every_board_loads_and_has_a_readme_with_sources(name):
    board = load_board(name)
    if board.port != "qemu":
        assert board.pins
        assert board.i2c_buses
    assert "Source" in (paths.share_dir("boards") / name / "README.md").read_text()


def test_the_boards_that_hobbyists_have_are_there():
    chips = {board.mcu for board in map(load_board, board_names()) if board.flash_method != "none"}
    assert chips == {"rp2040", "rp2350", "esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c6"}
    assert {"AITHINKER_ESP32_CAM", "SEEED_XIAO_ESP32S3_SENSE"} <= set(board_names())
    assert {"SEEED_XIAO_RP2040", "RPI_PICO2", "RPI_PICO2_W", "UNIX"} <= set(board_names())


def test_native_code_is_what_the_emulated_boards_load():
    assert load_board("RPI_PICO").mpy_arch == PicoBoard.native_arch
    for board in QEMU_BOARDS.values():
        assert load_board(board.folder).mpy_arch == board.native_arch


@pytest.mark.parametrize("name", [n for n in board_names() if load_board(n).headers])
def test_every_free_pin_of_a_header_is_labelled_and_no_gpio_is_lost(name):
    board = load_board(name)
    words = board.headers.left + board.headers.right
    lost = {p for p in board.pins.values() if p not in {board.pins.get(w, w) for w in words}}
    for pin in lost:  # what is not on a header must say what it is for
        assert pin in board.caution or pin in board.reserved, pin


@pytest.mark.parametrize("name", board_names())
def test_bus_and_adc_pins_are_free(name):
    board = load_board(name)
    for bus in board.i2c_buses.values():
        assert board.output_pin(bus.scl) == bus.scl
        assert board.output_pin(bus.sda) == bus.sda
    for pin in board.adc_pins:
        assert board.adc_pin(pin) == pin


def test_pico_buses_obey_the_pin_multiplexer():
    # RP2040 datasheet, table "GPIO functions": I2C n has SDA on even and SCL on odd pins,
    # pin pairs alternate between I2C0 and I2C1; SPI SCK = 2, TX = 3, RX = 0 modulo 4.
    boards = [load_board(name) for name in board_names()]
    for board in [board for board in boards if board.port in ("rp2", "unix")]:
        for bus in board.i2c_buses.values():
            scl, sda = board.pin_id(bus.scl), board.pin_id(bus.sda)
            assert (scl % 4, sda % 4) == (2 * bus.id + 1, 2 * bus.id)
        for spi in board.spi_buses.values():
            pins = [board.pin_id(pin) % 4 for pin in (spi.sck, spi.mosi, spi.miso)]
            assert pins == [2, 3, 0]


def test_a_node_file_for_a_pico_w_fits_the_unix_board():
    unix, pico = load_board("UNIX"), load_board("RPI_PICO_W")
    for label in pico.labels():
        if label.startswith("GP"):
            assert unix.pin(label) == pico.pin(label)
    assert set(pico.adc_pins) <= set(unix.adc_pins)
    assert unix.i2c_buses == pico.i2c_buses


def test_a_pin_is_found_by_label_cpu_name_and_number():
    board = load_board("RPI_PICO_W")
    assert board.pin("GP26") == board.pin("GPIO26") == board.pin(26) == "GPIO26"
    assert board.pin_id("GP26") == 26
    assert board.pin_id("LED") == "EXT_GPIO0"


@pytest.mark.parametrize(
    ("board", "question", "label", "expected"),
    [
        ("RPI_PICO", "pin", "IO15", "did you mean GP15?"),
        ("RPI_PICO", "pin", "led", "did you mean LED?"),
        ("RPI_PICO", "pin", "GP24", "it senses USB power"),
        ("RPI_PICO", "pin", "XYZ", "pins: GP0, GP1"),
        ("RPI_PICO", "adc_pin", "GP2", "pins with one: GP26, GP27, GP28, GP29"),
        ("RPI_PICO_W", "pin", 29, "wired to the radio"),
        ("ESP32_GENERIC", "pin", "GPIO6", "wired to the module's flash"),
        ("ESP32_GENERIC", "output_pin", "VP", "input only; outputs: IO0, "),
        ("ESP32_GENERIC", "adc_pin", "IO25", "pins with one: IO32, "),
        ("ESP32_GENERIC", "i2c_bus", "i2c7", "buses: i2c0, i2c1"),
    ],
)
def test_a_wrong_pin_says_what_would_do(board, question, label, expected):
    with pytest.raises(ConfigError) as caught:
        getattr(load_board(board), question)(label)
    assert expected in str(caught.value)
    assert board in str(caught.value)


def test_an_unknown_board_is_told_its_neighbour():
    assert "did you mean RPI_PICO_W?" in fault(None, "rpi_pico_w")


def test_every_fault_of_a_file_is_named_with_file_key_and_allowed_values(root):
    def spoil(data):
        data["hedge"]["port"] = "rp2040"
        data["features"].append("Wifi")
        data["colour"] = "green"
        del data["vendor"]
        data["hedge"]["flash_bytes"] = "2 MB"

    edit(root, spoil)
    lines = fault(root).splitlines()
    assert len(lines) == 5
    assert all(line.startswith(str(root / "PICO" / "board.json")) for line in lines)
    text = "\n".join(lines)
    for part in ("hedge.port: 'rp2040'", "'esp32'", "features.3: 'Wifi'", "'WiFi'"):
        assert part in text
    for part in ("colour: unknown key; allowed:", "vendor: missing", "hedge.flash_bytes"):
        assert part in text


def test_a_bus_is_checked_by_its_own_kind_only(root):
    edit(root, lambda data: data["hedge"]["buses"]["i2c0"].pop("freq_hz"))
    text = fault(root)
    assert "hedge.buses.i2c0.freq_hz" in text
    assert "scl, sda, freq_hz" in text
    assert "mosi" not in text


def test_a_bus_name_must_be_a_known_kind(root):
    edit(root, lambda data: data["hedge"]["buses"].update(can0={}))
    assert "hedge.buses.can0: allowed: i2c<n>, spi<n>, uart<n>" in fault(root)


def test_a_pin_that_the_table_lacks_is_named(root):
    edit(root, lambda data: data["hedge"]["adc_pins"].append("GPIO40"))
    assert "hedge.adc_pins: GPIO40 is not in pins.csv" in fault(root)


def test_pins_csv_faults_name_the_line(root):
    path = root / "PICO" / "pins.csv"
    path.write_text("label,cpu_pin\nGP0,GPIO0\nGP0,GPIO1\nGP2\n")
    text = fault(root)
    assert "pins.csv: line 3: label 'GP0' stands twice" in text
    assert "pins.csv: line 4: expected label,cpu_pin, got 'GP2'" in text


def test_broken_or_missing_files_are_config_errors(root):
    (root / "PICO" / "board.json").write_text("{")
    assert "board.json: not JSON" in fault(root)
    (root / "PICO" / "board.json").write_bytes(b"\xff\xfe")
    assert "board.json" in fault(root)
    shutil.copy(paths.share_dir("boards") / "RPI_PICO" / "board.json", root / "PICO")
    (root / "PICO" / "pins.csv").unlink()
    assert "pins.csv" in fault(root)


@pytest.mark.parametrize("text", ["[]", "null", "3", '{"hedge": 3}', '{"hedge": {"buses": []}}'])
def test_json_of_another_shape_is_a_config_error(root, text):
    (root / "PICO" / "board.json").write_text(text)
    assert "board.json" in fault(root)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda h: h["usb"][0].update(vid="2e8a"), "hedge.usb.0.vid: '2e8a'"),
        (lambda h: h["usb"][0].update(mode="uf2"), "hedge.usb.0.mode: 'uf2'; allowed: 'repl'"),
        (lambda h: h["usb"][0].update(name="x"), "hedge.usb.0.name: unknown key; allowed: mode"),
        (lambda h: h["headers"]["left"].append("GP99"), "hedge.headers.left: 'GP99'; allowed: la"),
        (lambda h: h["headers"]["left"].append("GP16"), "hedge.headers: 'GP16' stands twice"),
        (lambda h: h.update(mpy_arch="cortex"), "hedge.mpy_arch: 'cortex'; allowed: 'x64'"),
        (lambda h: h.update(flash_method="esptool"), "hedge.flash_method: 'esptool'; port 'rp2'"),
        (lambda h: h.update(flash_bytes=1048576), "flash_layout.1.size_bytes: filesystem ends at"),
        (lambda h: h["flash_layout"].reverse(), "hedge.flash_layout.1.start: 0 lies before"),
        (lambda h: h.pop("flash_layout"), "hedge.flash_layout: missing"),
        (lambda h: h.update(firmware="pico w"), "hedge.firmware: 'pico w'"),
    ],
)
def test_faults_of_flash_usb_and_headers_name_their_key(root, change, expected):
    edit(root, lambda data: change(data["hedge"]))
    assert expected in fault(root)


def test_esptool_needs_an_offset(root):
    edit(root, lambda data: data["hedge"].update(port="esp32", flash_method="esptool"))
    assert "deploy_options.flash_offset: missing" in fault(root)
    edit(root, lambda data: data.update(deploy_options={"flash_offset": "4k"}))
    assert "deploy_options.flash_offset: '4k'" in fault(root)


def test_an_unknown_chip_is_told_the_known_ones(root):
    edit(root, lambda data: data.update(mcu="rp2041"))
    assert "mcu: 'rp2041'; allowed: 'rp2040'" in fault(root)
