"""A node file as an app: its plan, its model, and the modules of `hedge` that this node needs."""

import hashlib
import json
from pathlib import Path
from typing import Any

from hedge.infer import plan as hgm
from hedge.infer.kernels import viper_modules
from hedgerow import paths
from hedgerow.config import compile_file
from hedgerow.config.uplink_kinds import UPLINK_FILES, links_of
from hedgerow.device.app_files import App, add_imports
from hedgerow.device.region_room import raw_flash
from hedgerow.errors import UsageError
from hedgerow.hosts import is_local

PORTS = ("rp2", "esp32")
_PROGRAM = "run_node.py"
_PLAN = "plan.json"
_PLAIN_BUSES = {"adc", "i2c", "onewire", "output_pin"}  # hedge/board.py; more_buses.py has others


def node_app(node_file: Path, *, with_hedge: bool) -> App:
    """The app of a node file. Raises ConfigError with all its mistakes, UsageError if its board is
    none that can be deployed to."""
    plan = compile_file(node_file)
    if plan["board"]["port"] not in PORTS:
        raise UsageError(
            f"{node_file}: board {plan['board']['name']} is none to deploy to: "
            "`hedgerow sim` runs this node"
        )
    top = node_file.resolve().parent
    files = {"main.py": paths.apps_dir() / _PROGRAM, _PLAN: _written(on_board(plan))}
    files |= {name: top / name for name in _named_files(plan)}
    if with_hedge:
        files |= {name: paths.firmware_dir() / name for name in _computed_imports(plan, top)}
        add_imports(files, [paths.firmware_dir()], _unused(plan))
    return App("main", files, raw_flash(plan), _notes(plan))


def _notes(plan: dict[str, Any]) -> tuple[str, ...]:
    """What runs on this computer and not on a board."""
    hosts = [link.get("host") for link in links_of(plan["uplink"])]
    return tuple(
        f'note: [uplink] host = "{host}" is the board itself; name the computer of the gateway'
        for host in hosts
        if host and is_local(host)
    )


def on_board(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan as the board reads it: without what only a simulator needs, with its log outside of
    the slots that a deploy replaces."""
    found = {key: value for key, value in plan.items() if key != "replay"}
    found["store"] = {**plan["store"], "dir": "/" + plan["store"]["dir"]}
    return found


def _written(plan: dict[str, Any]) -> Path:
    """A file with the plan, in the build folder, by content."""
    data = json.dumps(plan, separators=(",", ":")).encode()
    path = paths.build_dir() / "plans" / f"{hashlib.sha256(data).hexdigest()[:24]}.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.touch(mode=0o600)  # it has the passwords of the Wi-Fi networks
        part.write_bytes(data)
        part.replace(path)
    return path


def _named_files(plan: dict[str, Any]) -> list[str]:
    """Files that the plan names, relative to its folder."""
    of_links = [link.get(key) for link in links_of(plan["uplink"]) for key in UPLINK_FILES]
    named = [(plan["model"] or {}).get("file"), *of_links]
    return [name for name in named if name]


def _computed_imports(plan: dict[str, Any], top: Path) -> list[str]:
    """Modules that `hedge` imports by a name that it computes from the plan."""
    modules = [f"drivers/{part['module']}" for part in _wired(plan)]
    if plan["uplink"]:
        modules += ["net/uplink", f"net/{plan['uplink']['kind']}_link"]
    for link in links_of(plan["uplink"]):
        modules.append(f"net/{link['kind']}_link")
        if link["kind"] == "cellular":
            modules += [f"net/modem/{link['model']}", f"net/{link['carries']}_link"]
        if link.get("region"):
            modules.append(f"net/lorawan/plan_{link['region'].lower()}")
    if plan["model"]:
        modules += [f"infer/{name}" for name in _kernels(top / plan["model"]["file"])]
    return [f"hedge/{name}.py" for name in modules]


def _unused(plan: dict[str, Any]) -> tuple[str, ...]:
    """Optional parts that are imported only when the plan asks for them."""
    unused = ["hedge/infer/portable"]  # every board that a node is deployed to runs viper
    if not plan.get("power"):
        unused.append("hedge/power/")
    if not plan["model"]:
        unused += ["hedge/infer/", "hedge/model_stage"]
    if not plan["uplink"]:
        unused.append("hedge/net/")
    elif all(link.get("version") != 5 for link in links_of(plan["uplink"])):
        unused.append("hedge/net/mqtt5")
    wifi = plan.get("wifi", {})
    if not wifi:
        unused += ["hedge/net/wifi", "hedge/net/resolver", "hedge/net/dns_message"]
    if wifi.get("setup_pin") is None:
        unused.append("hedge/net/setup" + ("_button" if wifi.get("setup_after") else ""))
    if not wifi.get("time_servers"):
        unused.append("hedge/net/sntp")
    unused += ["hedge/net/mqtt_qos2", "hedge/net/mqtt_session"]  # the store does it for a node
    kinds = {part["bus"][0] for part in _wired(plan)}
    if kinds <= _PLAIN_BUSES and not {"uart", "modem"} & set().union(*links_of(plan["uplink"])):
        unused.append("hedge/more_buses")
    return tuple(unused)


def _wired(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [*plan["sensors"], *plan["actuators"]]


def _kernels(model: Path) -> list[str]:
    data = model.read_bytes()
    header = hgm.check_header(data)
    count = header[hgm.RESET_COUNT] + header[hgm.OP_COUNT]
    return viper_modules(hgm.opcodes(data, count))
