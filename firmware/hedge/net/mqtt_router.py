"""Handlers by topic filter, for mqtt.Client: a message is acknowledged after all of its handlers.

router = Router()
router.add("bed-3/pump/set", set_pump, qos=2)
router.add("bed-3/+/ask", answer)
client = Client(..., on_message=router.handle)
if not await client.connect():
    await router.subscribe(client)
"""


class Router:
    """handlers: called as handler(topic, payload, retain, properties), awaited if they ask for it.

    properties: MQTT 5's dict or None. A handler that raises ends the session before the message is
    acknowledged; the broker sends it again then, to all of its handlers. unclaimed: messages that
    no filter matched, acknowledged all the same.
    """

    def __init__(self):
        self._rows = []  # [(filter, levels of the filter, handler, qos)]
        self.unclaimed = 0

    def add(self, topic_filter, handler, qos=1):
        """Filters as in SUBSCRIBE, "$share/group/.." too."""
        self._rows.append((topic_filter, _levels(topic_filter), handler, qos))

    async def subscribe(self, client):
        """Ask for every filter. LinkError if the broker denies one."""
        for topic_filter, _, _, qos in self._rows:
            await client.subscribe(topic_filter, qos)

    async def handle(self, topic, payload, retain, properties=None):
        """The Client's on_message."""
        claimed = False
        for _, levels, handler, _ in self._rows:
            if matches(levels, topic):
                claimed = True
                handled = handler(topic, payload, retain, properties)
                if handled is not None:
                    await handled
        self.unclaimed += not claimed


def _levels(topic_filter):
    """The levels that topics are compared with."""
    levels = topic_filter.split("/")
    return levels[2:] if levels[0] == "$share" else levels


def matches(levels, topic):
    """Whether the filter of these levels matches the topic (MQTT 3.1.1 and 5.0, 4.7)."""
    if topic.startswith("$") and levels[0] in ("+", "#"):
        return False  # 4.7.2: topics of the broker's own are to be asked for by name
    parts = topic.split("/")
    for i, level in enumerate(levels):
        if level == "#":
            return True
        if i == len(parts) or level not in ("+", parts[i]):
            return False
    return len(parts) == len(levels)
