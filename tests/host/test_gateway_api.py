"""The HTTP API on a database of known contents: shapes, ranges, breaks, wrong questions."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from hedge.wire import cbor, frame, senml
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.database import open_database
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.messages import Inbound
from hedgerow.gateway.service import gateway_in_thread

START_S = 1_780_000_000
DAY_S = 86400
NOTE = "simulated field <b>& weather</b>"


class Api:
    """Asks a running gateway over HTTP."""

    def __init__(self, url):
        self.url = url

    def raw(self, path, **query):
        """(status, headers, body)."""
        query = {name.rstrip("_"): value for name, value in query.items()}
        request = urllib.request.Request(f"{self.url}{path}?{urllib.parse.urlencode(query)}")
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def get(self, path, **query):
        status, _, body = self.raw(path, **query)
        assert status == 200, body
        return json.loads(body)


def fill(path):
    """40 days of hourly values, with an outage, an off time, a dropped stretch, a sensor fault."""
    db = open_database(path)
    ingest = Ingest(db)

    def send(boot, stream, seq, hours, oldest=1, backlog=False, entries=None):
        packs = [senml.encode(START_S + h * 3600, (entries or sample)(h)) for h in hours]
        data = frame.pack("bed-1", boot, stream, seq, oldest, packs, backlog=backlog)
        ingest.commit([Inbound("hedge/bed-1/up", data, time.time())])

    info = {"name": "Bed", "sample_s": 3600, "lat": 45.0, "lon": -72.0, "dry_pct": 14}
    ingest.commit([Inbound("hedge/bed-1/info", cbor.encode(info), time.time())])
    for h in range(0, 480, 2):  # boot 1: 20 days; hours 100..119 came later; 200..209 were dropped
        if not 200 <= h < 210:
            send(1, 1, h + 1, [h, h + 1], 211 if h >= 210 else 1, backlog=100 <= h < 120)
    for h in range(504, 960, 2):  # boot 2, after a day without power
        send(2, 1, h - 503, [h, h + 1])
    events = [
        (100, lambda h: [("link", None, False), ("reason", None, "no answer")]),
        (120, lambda h: [("link", None, True), ("reason", None, "connected")]),
        (300, lambda h: [("health.soil", None, False), ("reason", None, "open")]),
        (310, lambda h: [("health.soil", None, True), ("reason", None, "well again")]),
        (400, lambda h: [("pump", None, True), ("rule", None, "water: dry_2d")]),
    ]
    for seq, (hour, entries) in enumerate(events, start=1):
        send(1, 0, seq, [hour], entries=entries, backlog=hour == 100)
    ingest.commit([Inbound("hedge/x/up", b"junk", time.time())])
    db.close()


def sample(hour):
    return [("soil.vwc", "%", 99.0 if hour == 33 else 20 + hour % 24)]


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    path = tmp_path_factory.mktemp("api") / "farm.db"
    fill(path)
    settings = GatewayConfig(db=path, http_port=0, mqtt_port=0, broker="python", note=NOTE)
    with gateway_in_thread(settings) as gateway:
        yield Api(gateway.http_url)


def test_devices(api):
    (device,) = api.get("/api/devices")
    assert device == api.get("/api/devices/bed-1")
    assert (device["name"], device["records"], device["dropped"]) == ("Bed", 931, 10)
    assert (device["boot"], device["missing"], device["status"]) == (2, 0, "unknown")
    assert device["first_time_s"] == START_S
    assert device["last_time_s"] == START_S + 959 * 3600
    (soil,) = (v for v in device["last"] if v["name"] == "soil.vwc")
    assert soil == {
        "name": "soil.vwc",
        "unit": "%",
        "time_s": START_S + 959 * 3600,
        "value": 43,
        "text": None,
    }


def test_series_of_a_day_has_every_point(api):
    first, last = START_S + 48 * 3600, START_S + 71 * 3600
    series = api.get("/api/devices/bed-1/series", name="soil.vwc", from_=first, to=last)
    assert series["bucket_s"] == 0
    assert series["mean"] == series["min"] == series["max"] == [20 + h for h in range(24)]
    assert series["t"] == [first + 3600 * n for n in range(24)]
    assert series["backlog"] == [0] * 24


def test_series_of_all_time_is_light_and_keeps_the_spike(api):
    series = api.get("/api/devices/bed-1/series", name="soil.vwc", points=100)
    assert series["bucket_s"] > 3600
    assert 80 <= len(series["t"]) <= 110
    assert max(v for v in series["max"] if v is not None) == 99
    assert len({len(series[c]) for c in ("t", "mean", "min", "max", "backlog")}) == 1
    for low, mean, high in zip(series["min"], series["mean"], series["max"], strict=True):
        assert mean is None or low <= mean <= high


def test_backlog_is_marked(api):
    first, last = START_S + 90 * 3600, START_S + 130 * 3600
    series = api.get("/api/devices/bed-1/series", name="soil.vwc", from_=first, to=last)
    assert series["backlog"] == [0] * 10 + [1] * 20 + [0] * 11  # backfill leaves no break


@pytest.mark.parametrize(
    ("hours", "kind"), [((195, 215), "dropped"), ((470, 510), "off"), ((295, 315), "sensor")]
)
def test_lines_break_where_nothing_is_known(api, hours, kind):
    first, last = START_S + hours[0] * 3600, START_S + hours[1] * 3600
    span = {"from": first, "to": last}
    (found,) = (s for s in api.get("/api/devices/bed-1/spans", **span) if s["kind"] == kind)
    series = api.get("/api/devices/bed-1/series", name="soil.vwc", **span)
    breaks = [t for t, value in zip(series["t"], series["mean"], strict=True) if value is None]
    assert breaks
    assert all(found["from_s"] - 3600 < t < found["to_s"] + 3600 for t in breaks)


def test_spans(api):
    spans = {s["kind"]: s for s in api.get("/api/devices/bed-1/spans")}
    assert set(spans) == {"outage", "dropped", "sensor", "off"}
    assert spans["outage"]["from_s"] == START_S + 100 * 3600
    assert spans["outage"]["to_s"] == START_S + 120 * 3600
    assert spans["off"]["text"] == "node was off before boot 2"
    assert spans["dropped"]["text"] == "10 records dropped by the node"


def test_events(api):
    events = api.get("/api/devices/bed-1/events")
    kinds = ["pump", "health.soil", "health.soil", "link", "link"]
    assert [e["kind"] for e in events] == kinds
    assert events[0]["entries"][1]["text"] == "water: dry_2d"
    assert events[-1]["backlog"] is True
    assert len(api.get("/api/devices/bed-1/events", kind="health")) == 2
    assert len(api.get("/api/devices/bed-1/events", limit=1)) == 1
    assert api.get("/api/devices/bed-1/events", to=START_S) == []


def test_sequences(api):
    rows = api.get("/api/devices/bed-1/sequences")["sequences"]
    found = [(r["boot"], r["stream"], r["watermark"], r["count"]) for r in rows]
    assert found == [(1, 0, 5, 5), (1, 1, 480, 470), (2, 1, 456, 456)]
    (gap,) = rows[1]["gaps"]
    assert (gap["first_seq"], gap["last_seq"]) == (201, 210)


def test_records_page_by_page(api):
    stored, after = [], 0
    while True:
        query = {"boot": 1, "stream": 1, "after": after, "limit": 100}
        page = api.get("/api/devices/bed-1/records", **query)["records"]
        if not page:
            break
        stored += page
        after = page[-1][0]
    assert [seq for seq, _ in stored] == [*range(1, 201), *range(211, 481)]
    assert stored[0][1] == senml.encode(START_S, sample(0)).hex()


def test_alerts(api):
    alerts = {a["kind"]: a for a in api.get("/api/alerts", open="true")}
    assert alerts["dropped"]["count"] == 10
    assert alerts["malformed"]["device"] == ""
    (closed,) = (a for a in api.get("/api/alerts") if a["closed_s"] is not None)
    assert (closed["kind"], closed["key"]) == ("sensor", "soil")


def test_stats(api):
    stats = api.get("/api/stats")
    assert (stats["devices"], stats["records"], stats["dropped"]) == (1, 931, 10)
    assert stats["now_s"] == START_S + 959 * 3600  # the data's own time, a day from the clock
    assert stats["note"] == NOTE
    assert [r["reason"] for r in stats["rejects"]] == ["frame"]
    assert stats["database_bytes"] > 10_000


def test_openapi_names_every_route(api):
    paths = api.get("/api/openapi.json")["paths"]
    for name in ("devices", "alerts", "stats", "health", "devices/{device}/series"):
        assert f"/api/{name}" in paths


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/api/devices/nobody", {}, 404),
        ("/api/devices/nobody/series", {"name": "soil.vwc"}, 404),
        ("/api/devices/bed-1/series", {"name": "soil.nothing"}, 404),
        ("/api/devices/nobody/events", {}, 404),
        ("/api/devices/nobody/spans", {}, 404),
        ("/api/devices/nobody/sequences", {}, 404),
        ("/api/devices/nobody/records", {"boot": 1, "stream": 1}, 404),
        ("/api/devices/BAD%20ID", {}, 422),
        ("/api/devices/bed-1/series", {}, 422),
        ("/api/devices/bed-1/series", {"name": "x" * 65}, 422),
        ("/api/devices/bed-1/series", {"name": "soil.vwc", "points": 1}, 422),
        ("/api/devices/bed-1/series", {"name": "soil.vwc", "points": 5001}, 422),
        ("/api/devices/bed-1/series", {"name": "soil.vwc", "from": "nan"}, 422),
        ("/api/devices/bed-1/series", {"name": "soil.vwc", "from": "1e30"}, 422),
        ("/api/devices/bed-1/series", {"name": "soil.vwc", "from": 9, "to": 5}, 422),
        ("/api/devices/bed-1/events", {"limit": 0}, 422),
        ("/api/devices/bed-1/records", {"boot": -1, "stream": 1}, 422),
        ("/api/devices/bed-1/records", {"boot": 1, "stream": 256}, 422),
        ("/api/alerts", {"limit": "many"}, 422),
        ("/api/nothing", {}, 404),
    ],
)
def test_wrong_questions_get_json_errors(api, path, query, status):
    found, headers, body = api.raw(path, **query)
    assert (found, headers["Content-Type"]) == (status, "application/json")
    assert json.loads(body)["detail"]


def test_page_needs_no_other_host(api):
    _, _, page = api.raw("/")
    text = page.decode()
    assert "//" not in text.replace("<!doctype html>", "")
    for path in [part.split('"')[0] for part in text.replace("href=", "src=").split('src="')[1:]]:
        if path.startswith("/") and not path.startswith("/api/devices"):
            assert api.raw(path)[0] == 200, path
    assert b"<b>&" not in page  # the note is text, put in by script


def test_nothing_outside_the_static_folder(api):
    for path in ("/static/../pages.py", "/static/%2e%2e/pages.py", "/static/..%2fpages.py"):
        assert api.raw(path)[0] == 404
