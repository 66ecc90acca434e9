"""What the parts of a node remember from tick to tick, as one list, and back.

    state = keep(node)          # before a deep sleep
    put_back(node, state)       # into a node built from the same plan

One table says which attributes of which class change while a node runs; a test holds it against
the classes. Here and not in the classes, so that nodes that never sleep do not carry it.
"""

import array

# class name -> attributes; arrays and bytearrays travel as bytes
ATTRIBUTES = {
    "Node": ("ticks", "missed", "tick_errors"),
    "Control": ("actuations",),
    "ModelStage": ("runs", "ready"),
    "Sensing": ("raw_bytes", "faults"),
    "Sensor": ("failures", "faults", "healthy", "reason"),
    "Stuck": ("_last", "_count"),
    "Median": ("_ring", "_valid", "_at"),
    "Mean": ("_ring", "_valid", "_at"),
    "Ema": ("_y_q6",),
    "Slew": ("_last", "_doubtful"),
    "Recorder": ("created", "lost", "_failing", "_told", "_told_s"),
    "Deadband": ("_last", "_last_s"),
    "Summary": ("_window", "_count", "_sum", "_min", "_max", "_last_s"),
    "Journal": ("_day",),
    "Keeper": ("_saved_s", "_failing"),
}


def _parts(node):
    """The objects with state, always in the same order."""
    yield node, "Node"
    for part in (
        node.control,
        node.model,
        node._sensing,
        node._recorder,
        node._journal,
        node._keeper,
    ):
        if part is not None:
            yield part, type(part).__name__
    for sensor in node._sensing.sensors:
        yield sensor, "Sensor"
        if sensor._stuck:
            yield sensor._stuck, "Stuck"
    for _, sample_filter in node._filters:
        yield sample_filter, type(sample_filter).__name__
    for report in node._recorder._reports:
        for part in (report.change, report.summary):
            if part:
                yield part, type(part).__name__


def _conditions(node):
    """Every condition of every rule: a comparison goes on from its last result."""
    found = [rule.condition for rule in node.control.controller.rules]
    for condition in found:
        found.extend(getattr(condition, "_parts", ()))
        if hasattr(condition, "_part"):
            found.append(condition._part)
    return found


def keep(node, now_s):
    """Plain data: lists, ints, bools, bytes, None. node: a Node after open(), nothing running."""
    attributes = []
    for part, name in _parts(node):
        for attribute in ATTRIBUTES[name]:
            attributes.append(_plain(getattr(part, attribute)))
    results = [condition.result for condition in _conditions(node)]
    model = node.model.state() if node.model else None
    return [attributes, results, node.control.controller.state(now_s), model]


def put_back(node, state, now_s, away_s):
    """Take back keep() of away_s seconds ago. Raises ValueError if it is another node's."""
    attributes, results, rules, model = state
    conditions = _conditions(node)
    wanted = sum([len(ATTRIBUTES[name]) for _, name in _parts(node)])
    if wanted != len(attributes) or len(conditions) != len(results):
        raise ValueError("state of another node")
    i = 0
    for part, name in _parts(node):
        for attribute in ATTRIBUTES[name]:
            _set(part, attribute, attributes[i])
            i += 1
    for condition, result in zip(conditions, results):
        condition.result = result
    node.control.controller.restore(rules, now_s, away_s)
    if node.model and model:
        node.model.restore(model)


def _plain(value):
    if isinstance(value, (array.array, bytearray)):
        return bytes(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _set(part, attribute, value):
    before = getattr(part, attribute)
    if isinstance(before, array.array):
        value = array.array("i", value)  # all of ours are
    elif isinstance(before, bytearray):
        value = bytearray(value)
    elif isinstance(before, tuple):
        value = tuple(value)
    setattr(part, attribute, value)
