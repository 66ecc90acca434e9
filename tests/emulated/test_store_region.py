"""A Pico whose firmware leaves raw flash behind its file system, and [store] kind = "flash" on it.

The whole soil node with its log there: test_soil_node.py.
"""

import pytest
from pico_port import PicoPort
from soil_pico import write_node
from store_pico import install_store
from versions import plug_in_with

from hedgerow.device.deploy import deploy
from hedgerow.device.link import SerialLink
from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.errors import DeviceError

REGION_KB = 256
STORAGE_AT = 0xA0000  # of an RPI_PICO
SIZE = 'import os\nv = os.statvfs("/")\nprint(v[0] * v[2] // 1024, os.listdir("/"))'
OPEN = f"""
from hedge.store import Store
from hedge.store.device import open_region
store = Store(open_region({{"partition": "log", "max_bytes": {REGION_KB * 1024}}}, "/"))
store.open()
"""


@pytest.fixture(scope="module")
def stock(pico):
    """The storage of a board that MicroPython's own firmware has formatted, with a file."""
    ask(pico, "open('mine', 'w').close()")
    pico.unplug()
    flash = pico.chip.flash()
    pico.plug_in()
    return flash[STORAGE_AT:]


@pytest.fixture(scope="module")
def roomy(need_target, tmp_path_factory):
    """A board with room, behind a pty."""
    need_target("pico")
    port = PicoPort(tmp_path_factory.mktemp("roomy") / "pico", REGION_KB)
    yield port
    port.close()


def test_files_end_before_the_log_and_both_survive_a_reset(need_target, tmp_path):
    need_target("pico")
    with PicoBoard(region_kb=REGION_KB) as board:
        install_store(board, tmp_path)
        assert board.exec(SIZE) == f"{1408 - REGION_KB} ['hedge']\n"
        board.exec(OPEN + "store.append(0, b'one')\nopen('a', 'w').close()")
        board.reset()
        found = board.exec(OPEN + "print(store.boot, store.reader().next(99).records)")
        assert found == "2 [b'one']\n"
        assert board.exec(SIZE) == f"{1408 - REGION_KB} ['a', 'hedge']\n"


def test_deploy_says_what_firmware_it_takes_and_changes_nothing(pico, stock, tmp_path):
    node_file = write_node(tmp_path, 900, REGION_KB)
    with pytest.raises(DeviceError, match=r"has 0 KB .* takes 256: .*--region-kb 256"):
        deploy(node_file, port=pico.address)
    assert ask(pico, SIZE) == "1408 ['mine']\n"


def test_files_of_another_firmware_stay_until_room_is_made(roomy, stock, tmp_path):
    plug_in_with(roomy, roomy.blank[:STORAGE_AT] + stock)
    node_file = write_node(tmp_path, 900, REGION_KB)
    with pytest.raises(DeviceError, match=r"hedge_region\.make_room\(\)"):
        deploy(node_file, port=roomy.address)
    assert ask(roomy, SIZE) == "1408 ['mine']\n"
    ask(roomy, "import hedge_region\nhedge_region.make_room()")
    assert ask(roomy, SIZE) == f"{1408 - REGION_KB} []\n"


def ask(port, source):
    with SerialLink(port.address) as link:
        link.enter()
        return link.run(source)
