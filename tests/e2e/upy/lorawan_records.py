"""What the nodes of the LoRaWAN site and of the three links record."""

from hedge.core import clock
from hedge.wire import senml


async def make_records(store, uplink, args):
    """A reading each every_s, a summary each fifth, and an event with a long cause.

    stamps_s: the records say times so far apart from start_s on, whatever the clock says.
    """
    names = ("soil.vwc.min", "soil.vwc.mean", "soil.vwc.max")
    for i in range(args["records"]):
        await clock.sleep_ms(args["every_s"] * 1000)
        step_s = args.get("stamps_s")
        time_s = args["start_s"] + i * step_s if step_s else clock.epoch_s()
        entries = [("soil.vwc", "%", (2340 - 3 * i) / 100)]
        if i % 5 == 4:
            entries = [(name, "%", 20.5 + i / 4) for name in names]
        store.append(1, senml.encode(time_s, entries))
        if i == 7:
            text = "the tank is empty, the pump has run for an hour and nothing came out of it"
            store.append(0, senml.encode(time_s, [("pump", None, False), ("rule", None, text)]))
        uplink.wake()
