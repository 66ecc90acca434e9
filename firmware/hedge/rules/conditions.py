"""Conditions of a rule: three-valued, with a reason in words.

    condition = build(["all", [["<", 0, 1400, 1500], ["healthy", [0]]]], names, scales)
    condition.evaluate(facts)  # 1 true, 0 false, None unknown
    condition.why()            # "soil.vwc 11.2<14 & healthy"

The list form is that of the compiled node file (host_tools/hedgerow/config/PLAN.md). Logic is
Kleene's (S. C. Kleene, Introduction to Metamathematics, 1952, section 64): `all` is false if one
part is false, else unknown if one part is unknown; `any` the other way round; `not` unknown stays
unknown. Every part is evaluated at every tick, so a hysteresis never misses a sample.
"""

from ..core.errors import ConfigError


class Facts:
    """What conditions may look at in one tick; the node owns it and fills it in place.

    values: ints in channel scale or None, see PLAN.md "The value vector". good: one truth value
    per sensor: it gave a value at this tick. minute, weekday: local time, Monday = 0; minute is
    -1 while the clock was never set.
    """

    def __init__(self, values, good):
        self.values = values
        self.good = good
        self.minute = -1
        self.weekday = 0


def fixed(value, scale):
    """An int in units of 1/scale as short decimal text: fixed(1120, 100) = "11.2"."""
    if value is None:
        return "?"
    text = "%d" % (abs(value) // scale)
    rest = abs(value) % scale
    if rest:
        digits = len(str(scale)) - 1
        text = "%s.%s" % (text, ("%0*d" % (digits, rest)).rstrip("0"))
    return "-" + text if value < 0 else text


def short(name):
    """A channel's name in a reason."""
    return name[6:] if name.startswith("model.") else name


class Condition:
    """Base: `result` is that of the last evaluate()."""

    result = None

    def evaluate(self, facts):
        """1, 0 or None; remembered for why()."""
        self.result = self._evaluate(facts)
        return self.result


class Compare(Condition):
    """A value against a limit; once true it stays true until it is past `release` again."""

    def __init__(self, op, i, limit, release, names, scales):
        self._op = op
        self._i = i
        self._limit = limit
        self._release = release
        self._name = short(names[i])
        self._scale = scales[i]
        self._value = None

    def _evaluate(self, facts):
        value = self._value = facts.values[self._i]
        if value is None:
            return None
        if _holds(self._op, value, self._limit):
            return 1
        return int(bool(self.result) and _holds(self._op, value, self._release))

    def why(self):
        if self.result is None:
            return "%s ?" % self._name
        held = self.result and not _holds(self._op, self._value, self._limit)
        limit = fixed(self._release if held else self._limit, self._scale)
        text = "%s %s%s%s%s"
        no = "" if self.result else " not "
        return text % (self._name, fixed(self._value, self._scale), no, self._op, limit)


def _holds(op, value, limit):
    if op == "<":
        return value < limit
    if op == "<=":
        return value <= limit
    if op == ">":
        return value > limit
    return value >= limit


class Healthy(Condition):
    """Every one of the sensors gave a value at this tick; never unknown."""

    def __init__(self, sensors, sensor_names):
        self._sensors = sensors
        self._names = sensor_names
        self._bad = None

    def _evaluate(self, facts):
        self._bad = None
        for i in self._sensors:
            if not facts.good[i]:
                self._bad = i
                return 0
        return 1

    def why(self):
        return "healthy" if self.result else "%s failed" % self._names[self._bad]


class Unknown(Condition):
    """The value is missing; itself never unknown."""

    def __init__(self, i, names):
        self._i = i
        self._name = short(names[i])

    def _evaluate(self, facts):
        return int(facts.values[self._i] is None)

    def why(self):
        return "%s %s" % (self._name, "unknown" if self.result else "known")


class Window(Condition):
    """Local time of day in [start_min, end_min), over midnight if start > end.

    days: bit 0 = Monday, of the day on which the window opened.
    """

    def __init__(self, start_min, end_min, days):
        self._start = start_min
        self._end = end_min
        self._days = days

    def _evaluate(self, facts):
        if facts.minute < 0:
            return None
        day = facts.weekday
        if self._start < self._end:
            inside = self._start <= facts.minute < self._end
        else:
            inside = facts.minute >= self._start or facts.minute < self._end
            if facts.minute < self._end:
                day = (day - 1) % 7  # opened yesterday
        return int(inside and bool(self._days >> day & 1))

    def why(self):
        if self.result is None:
            return "clock ?"
        span = (self._start // 60, self._start % 60, self._end // 60, self._end % 60)
        return ("" if self.result else "not ") + "%02d:%02d-%02d:%02d" % span


class All(Condition):
    def __init__(self, parts):
        self._parts = parts

    def _evaluate(self, facts):
        result = 1
        for part in self._parts:
            one = part.evaluate(facts)
            if one == 0:
                result = 0
            elif one is None and result:
                result = None
        return result

    def why(self):
        """All reasons if true, else the first part that stands in the way."""
        if self.result:
            return " & ".join([part.why() for part in self._parts])
        return _first(self._parts, self.result).why()


class Any(Condition):
    def __init__(self, parts):
        self._parts = parts

    def _evaluate(self, facts):
        result = 0
        for part in self._parts:
            one = part.evaluate(facts)
            if one:
                result = 1
            elif one is None and result == 0:
                result = None
        return result

    def why(self):
        if self.result == 0:
            return " & ".join([part.why() for part in self._parts])
        return _first(self._parts, self.result).why()


class Not(Condition):
    def __init__(self, part):
        self._part = part

    def _evaluate(self, facts):
        one = self._part.evaluate(facts)
        return None if one is None else 1 - one

    def why(self):
        return self._part.why()


def _first(parts, result):
    for part in parts:
        if part.result == result:
            return part
    return parts[0]


def build(expression, names, scales, sensor_names):
    """A condition from its list form. Raises ConfigError if the form is unknown.

    names, scales: of the value vector. sensor_names: in plan order.
    """
    op = expression[0]
    if op in ("<", "<=", ">", ">="):
        return Compare(op, expression[1], expression[2], expression[3], names, scales)
    if op in ("all", "any"):
        parts = [build(part, names, scales, sensor_names) for part in expression[1]]
        return All(parts) if op == "all" else Any(parts)
    if op == "not":
        return Not(build(expression[1], names, scales, sensor_names))
    if op == "healthy":
        return Healthy(expression[1], sensor_names)
    if op == "window":
        return Window(expression[1], expression[2], expression[3])
    if op == "unknown":
        return Unknown(expression[1], names)
    if op in ("between", "top"):
        from . import rarer  # most rules have neither

        return rarer.build(expression, names, scales)
    raise ConfigError("rule: no condition %r" % op)
