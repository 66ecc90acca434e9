"""What goes wrong in the demo, and when: a stalled link, a dead link, a node without power.

    script = Script(period_s=20, faults=faults(link, nodes[1]))
    script.step(elapsed_s)         # call often; does what is due, returns what it did

Times are shares of a period; without an end the periods repeat.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hedgerow.sim.linkproxy import LinkProxy
from hedgerow.sim.node_run import NodeRun

OFF_S = 86400.0  # virtual time for which the node is without power


@dataclass(frozen=True)
class Fault:
    """One step of the script: at this share of the period, do it and say it."""

    share: float
    say: str
    do: Callable[[], None]


def faults(link: LinkProxy, node: NodeRun) -> list[Fault]:
    """The link stalls, dies, comes back; then a node loses power and gets it back."""
    return [
        Fault(0.30, "link: no bytes get through", link.stall),
        Fault(0.34, "link: down", link.cut),
        Fault(0.46, "link: back, nodes send what they kept", link.restore),
        Fault(0.62, f"{node.name}: power cut (kill -9)", node.kill),
        Fault(0.63, f"{node.name}: power is back", lambda: node.start(off_s=OFF_S)),
    ]


class Script:
    """Runs faults in order, once per period of real time."""

    def __init__(self, period_s: float, steps: Sequence[Fault], *, repeat: bool) -> None:
        self._period_s = period_s
        self._steps = steps
        self._repeat = repeat
        self._next = 0

    def step(self, elapsed_s: float) -> list[str]:
        """Do what is due; returns what was done, for people."""
        done = []
        while self._steps and (self._repeat or self._next < len(self._steps)):
            period, index = divmod(self._next, len(self._steps))
            if elapsed_s < (period + self._steps[index].share) * self._period_s:
                break
            self._steps[index].do()
            done.append(self._steps[index].say)
            self._next += 1
        return done
