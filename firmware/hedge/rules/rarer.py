"""Conditions that few rules have; see conditions.py."""

from .conditions import Condition, fixed, short


class Between(Condition):
    """lowest <= value <= highest."""

    def __init__(self, i, lowest, highest, names, scales):
        self._i = i
        self._lowest = lowest
        self._highest = highest
        self._name = short(names[i])
        self._scale = scales[i]
        self._value = None

    def _evaluate(self, facts):
        value = self._value = facts.values[self._i]
        return None if value is None else int(self._lowest <= value <= self._highest)

    def why(self):
        span = "%s..%s" % (fixed(self._lowest, self._scale), fixed(self._highest, self._scale))
        value = fixed(self._value, self._scale)
        return "%s %s %s %s" % (self._name, value, "in" if self.result else "not in", span)


class Top(Condition):
    """Output k is the largest of the model's outputs; the first of equal ones wins."""

    def __init__(self, indices, k, names, scales):
        self._indices = indices
        self._k = k
        self._names = names
        self._best = None

    def _evaluate(self, facts):
        self._best = None
        for i in self._indices:
            value = facts.values[i]
            if value is None:
                return None
            if self._best is None or value > facts.values[self._best]:
                self._best = i
        return int(self._best == self._indices[self._k])

    def why(self):
        return "top %s" % ("?" if self.result is None else short(self._names[self._best]))


def build(expression, names, scales):
    """A condition from the list form of "between" or "top"."""
    if expression[0] == "between":
        return Between(expression[1], expression[2], expression[3], names, scales)
    return Top(expression[1], expression[2], names, scales)
