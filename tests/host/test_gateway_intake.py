"""Frames of links that are not MQTT: the same queue, the same ack, one answer each."""

import asyncio
import contextlib

import pytest

from hedge.wire import ack, cbor, frame, senml
from hedgerow.errors import GatewayError
from hedgerow.gateway.database import open_database
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.intake import Intake
from hedgerow.gateway.messages import Inbound, Refused
from hedgerow.gateway.writer import Writer

KEYS = {"bed-1": b"k" * 32, "bed-2": b"j" * 32}


def some_frame(seq, device="bed-1", boot=1, key=None):
    return frame.pack(
        device, boot, 1, seq, 1, [senml.encode(1_790_000_000, [("t", "Cel", seq)])], key=key
    )


@pytest.fixture
def gate(tmp_path):
    """gate(keys) -> (Intake, Writer, published acks); the writer is stopped at the end."""
    with contextlib.ExitStack() as stack:

        def start(keys=None, publish=None):
            db = stack.enter_context(contextlib.closing(open_database(tmp_path / "farm.db")))
            published = []
            writer = Writer(
                Ingest(db, key_of=keys.get if keys else None), publish or published.append
            )
            writer.start()
            stack.callback(writer.stop)
            return Intake(writer), writer, published

        yield start


def marks(data, device="bed-1", key=None):
    return ack.unpack(data, device, key)[2]


def test_the_ack_comes_back_and_is_not_published(gate):
    intake, _, published = gate()
    answer = asyncio.run(intake.submit("bed-1", some_frame(1), source="coap"))
    assert marks(answer) == [(1, 1, 1)]
    again = asyncio.run(intake.submit("bed-1", some_frame(1), source="coap"))
    assert marks(again) == [(1, 1, 1)]
    assert published == []


def test_signed_where_keys_are_used(gate):
    intake, _, _ = gate(KEYS)
    data = some_frame(1, key=KEYS["bed-1"])
    answer = asyncio.run(intake.submit("bed-1", data, source="http"))
    assert marks(answer, key=KEYS["bed-1"]) == [(1, 1, 1)]
    with pytest.raises(Refused, match="not signed") as refused:
        asyncio.run(intake.submit("bed-2", some_frame(1, "bed-2"), source="http"))
    assert refused.value.reason == "mac"


def test_many_at_once_each_get_the_ack_of_their_stream(gate):
    """20 boots of one device in one commit are two acks; each caller gets the one it needs."""
    intake, writer, published = gate()

    async def scenario():
        frames = [some_frame(1, "bed-1", boot) for boot in range(1, 21)]
        frames += [some_frame(1, "bed-2", 1)]
        calls = [
            intake.submit(f"bed-{1 + (i == 20)}", f, source="coap") for i, f in enumerate(frames)
        ]
        writer.put(Inbound("hedge/bed-3/up", some_frame(1, "bed-3"), 1.0))
        return await asyncio.gather(*calls)

    *first, second = asyncio.run(scenario())
    for boot, data in enumerate(first, start=1):
        assert (boot, 1, 1) in marks(data)
    assert marks(second, "bed-2") == [(1, 1, 1)]
    writer.stop()  # ends when all that was committed has been answered
    assert [out.topic for out in published] == ["hedge/bed-3/ack"]


def test_what_is_refused_says_why(gate):
    intake, _, _ = gate()
    for data, reason in (
        (b"x" * 300, "oversize"),
        (b"", "frame"),
        (some_frame(1, "bed-2"), "device"),
    ):
        with pytest.raises(Refused) as refused:
            asyncio.run(intake.submit("bed-1", data, source="coap"))
        assert refused.value.reason == reason
    with pytest.raises(Refused, match="device names"):
        asyncio.run(intake.submit("Bed 1", some_frame(1), source="coap"))


def test_info_and_status_need_no_ack(gate):
    intake, _, _ = gate()
    info = cbor.encode({"name": "Bed", "sample_s": 900})
    assert asyncio.run(intake.submit("bed-1", info, source="coap", kind="info")) == b""
    assert asyncio.run(intake.submit("bed-1", b"online", source="coap", kind="status")) == b""


def test_a_writer_that_stops_or_stalls_gives_no_ack(gate, monkeypatch):
    intake, writer, _ = gate()
    monkeypatch.setattr(writer, "_commit", lambda items: None)  # as when it stops while it retries
    with pytest.raises(GatewayError, match="not stored within"):
        asyncio.run(intake.submit("bed-1", some_frame(1), source="coap", limit_s=0.3))
    writer.stop()
    with pytest.raises(GatewayError, match="send again later"):
        asyncio.run(intake.submit("bed-1", some_frame(1), source="coap"))


def test_a_fault_of_ours_is_not_an_ack(gate, monkeypatch):
    intake, writer, _ = gate()

    def fail(messages):
        raise KeyError(messages[0].topic)

    monkeypatch.setattr(writer._ingest, "commit", fail)
    with pytest.raises(GatewayError, match="fault of the gateway"):
        asyncio.run(intake.submit("bed-1", some_frame(1), source="coap"))
