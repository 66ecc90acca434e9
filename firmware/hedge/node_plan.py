"""From the compiled node file (host_tools/hedgerow/config/PLAN.md) to a Node.

Every line here calls what a Python program would call; there is one implementation under both. A
model that cannot be loaded is told in the boot event, and the node works without: rules that ask
for its scores see them as unknown. All else that does not fit raises ConfigError: better no node
than a wrong one.

What stays in the node comes from other modules: this one leaves the heap once the node is built.
"""

from .core import log
from .core.errors import ConfigError, ModelError
from .core.once import later
from .dsp.filters import make_filter
from .node import Node

_VERSION = 1


def build_node(plan, board, base_dir):
    """board: hedge.board.Board, or anything with bus(kind, where). Paths are below base_dir."""
    if plan.get("v") != _VERSION:
        raise ConfigError("plan version %r, this firmware reads %d" % (plan.get("v"), _VERSION))
    store, state = _store(plan["store"], base_dir)
    wifi = plan.get("wifi", {})
    if wifi.get("setup_after") or wifi.get("setup_pin") is not None:
        from .net.setup_saved import overlay, path_of

        wifi["setup_file"] = path_of(state.path)
        overlay(plan, wifi["setup_file"])
    table = plan["node"]
    node = _node_class(plan)(
        table["name"],
        table["sample_s"],
        table["offset_s"],
        table["unhealthy_after"],
        store,
        state,
    )
    _about(node, plan, board)
    if plan.get("power"):
        node.set_power(plan["power"], board, base_dir)
    for sensor in plan["sensors"]:
        node.add_sensor(
            sensor["name"],
            _driver(sensor, board),
            sensor["channels"],
            sensor["raw_bytes"],
            sensor["stuck_after"],
        )
    for row in plan["filters"]:
        node.add_filter(row[0], make_filter(row[1], row[2:]))
    _model(node, plan["model"], table["offset_s"], base_dir)
    _rules(node, plan, board)
    for record in plan["records"]:
        node.add_record(
            record["i"],
            record["deadband"],
            record["max_s"],
            record["summary_s"],
            record["mean_only"],
            record["stream"],
        )
    _uplink(node, plan["uplink"], board, base_dir, state, plan.get("wifi"))
    _watchdog(node, table["watchdog_s"], board)
    return node


def _node_class(plan):
    if not plan.get("power"):
        return Node
    from .power.node import PowerNode

    return PowerNode


def _store(table, base_dir):
    from .store.kv import KV
    from .store.log import Store, fresh_boot

    path = _below(base_dir, table["dir"])
    if table.get("kind") == "flash":
        from .store.device import open_region

        region = open_region(table, base_dir)
        return Store(region, first_boot=fresh_boot()), KV(base_dir + "/node.kv", volume=region)
    store = Store(
        path,
        table["max_bytes"],
        table["segment_bytes"],
        keep_acked=table.get("keep_acked", False),
        first_boot=fresh_boot(),
    )
    return store, KV(path + "/node.kv")


def _below(base_dir, path):
    """A path of the plan; an absolute one lies outside of what a deploy replaces."""
    return path if path.startswith("/") else "%s/%s" % (base_dir, path)


def _about(node, plan, board):
    table = plan["node"]
    node.about = {"board": plan["board"]["name"], "hash": table["hash"], "cause": "unknown"}
    for key in ("lat", "lon"):
        if table[key] is not None:
            node.about[key] = table[key]
    if plan.get("thresholds"):
        node.about["thresholds"] = plan["thresholds"]
    if hasattr(board, "reset_cause"):
        node.about["cause"] = board.reset_cause()


def _driver(table, board, **more):
    """An object of the driver's class on its bus."""
    module = __import__("hedge.drivers.%s" % table["module"], None, None, [table["class"]])
    args = dict(table["args"])
    args.update(more)
    return getattr(module, table["class"])(board.bus(*table["bus"]), **args)


def _model(node, table, offset_s, base_dir):
    if table is None:
        return
    first = node.add_scores(table["outputs"])
    from .model_stage import load_stage

    try:
        node.model = load_stage(table, first, offset_s, base_dir)
    except (ModelError, OSError) as error:
        node.model_error = "%s: %s" % (table["file"].split("/")[-1], error)
        log.warn("node", "works without its model: %s", node.model_error)


def _rules(node, plan, board):
    for table in plan["actuators"]:
        timer = board.timer()  # switches off even if the event loop hangs
        more = {"timer": timer} if timer else {}
        node.add_actuator(
            table["name"],
            _driver(table, board, **more),
            table["max_on_s"],
            table["min_off_s"],
            table["max_s_per_day"],
        )
    for rule in plan["rules"]:
        node.add_rule(
            rule["name"],
            rule["actuator"],
            rule["when"],
            rule["on_s"],
            rule["hold_off_s"],
            rule["max_per_day"],
        )


def _uplink(node, table, board, base_dir, state, wifi=None):
    if table is None:
        return
    settings = _link_settings(table, board, base_dir, state)
    if wifi and board.port != "unix":  # a simulated node has its host's network
        if wifi.get("setup_pin") is not None:
            wifi["setup_button"] = board.output_pin(wifi["setup_pin"])  # a machine.Pin
        settings["time_servers"] = wifi.get("time_servers")
        settings["time_state"] = state.path.replace("node.kv", "time.kv")
        for link in settings.get("links") or [settings]:
            if link.get("host") and link["kind"] != "cellular":
                link["wifi"] = wifi
    from .net.uplink import uplink_maker

    node.make_uplink = uplink_maker(settings, node.store, node.name, _key(settings.get("key")))


def _link_settings(table, board, base_dir, state):
    """What make_link takes: paths from the root, buses as objects.

    Counters lie where the node's state does, beside or in the log: a deploy must not take them
    back.
    """
    settings = dict(table)
    if settings.get("oscore_secret") or settings.get("modem"):
        settings["volume"] = state.volume
    if settings.get("oscore_secret"):
        settings["oscore_numbers"] = state.path.replace("node.kv", "oscore.kv")
    if settings.get("uart"):
        settings["uart"] = board.bus("uart", settings["uart"])
    for name in ("ca", "cert", "cert_key"):
        if settings.get(name):
            settings[name] = _below(base_dir, settings[name])
    if settings.get("modem"):
        settings["modem"] = board.bus("lora", settings["modem"])
        settings["state"] = state.path.replace("node.kv", "lorawan.kv")
    if settings.get("power_key") is not None:
        settings["power_key"] = board.bus("output_pin", settings["power_key"])
    if settings.get("links"):
        settings["links"] = [
            _link_settings(link, board, base_dir, state) for link in settings["links"]
        ]
    return settings


def _key(text):
    if not text:
        return None
    from binascii import unhexlify

    return unhexlify(text)


def _watchdog(node, watchdog_s, board):
    if not watchdog_s:
        return
    node.feed_ms = watchdog_s * 250
    node.start_watchdog = later(board.wdt, watchdog_s * 1000)
