"""The live page in headless Chromium, fed with a season of three nodes through a real broker.

Asserts what the charts hold, not how they look; writes build/screenshots/page.png (and
page-phone.png, page-dark.png) for people to judge that.
"""

import json
import shutil
import time
import urllib.request

import farm_season
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from hedge.wire import frame, senml
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread

DAYS = 30
NOTE = "Simulated field, weather: seeded generator. Not measurements."
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")
def farm(tmp_path_factory):
    """A gateway that has received the season."""
    path = tmp_path_factory.mktemp("page") / "farm.db"
    config = GatewayConfig(db=path, http_port=0, mqtt_port=0, note=NOTE, give_time=False)
    with gateway_in_thread(config) as gateway:
        nodes = farm_season.season(DAYS)
        farm_season.publish(gateway.mqtt_host, gateway.mqtt_port, nodes)
        records = sum(len(node.records) for node in nodes)
        wait(lambda: stats(gateway)["records"] + stats(gateway)["dropped"] == records)
        yield gateway


def stats(gateway):
    with urllib.request.urlopen(f"{gateway.http_url}/api/stats", timeout=90) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = str(chromium)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = Service(shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=service) as driver:
        yield Page(driver)


class Page:
    """The page with shortcuts to ask it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, farm, node, range_, width=1280, height=900):
        self.resize(width, height)
        self.driver.get("about:blank")
        self.driver.get(f"{farm.http_url}/#node={node}&range={range_}")
        self.wait_ready(node, range_)

    def resize(self, width, height):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def wait_ready(self, node, range_):
        script = "return document.getElementById('detail').dataset.ready"
        wait(lambda: self.js(script) == f"{node} {range_}")

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, test_id):
        return self.driver.find_element(By.CSS_SELECTOR, f'[data-testid="{test_id}"]')

    def ask(self, test_id, expression):
        """Of `it`, the element, in one step: the page replaces its parts every few seconds."""
        script = f"const it = document.querySelector(arguments[0]); return {expression}"
        return self.js(script, f'[data-testid="{test_id}"]')

    def text(self, test_id):
        return self.ask(test_id, "it.innerText")

    def attribute(self, test_id, name):
        return self.ask(test_id, f"it.getAttribute('{name}')")

    def data(self, chart):
        """data-* attributes of a chart, numbers as int."""
        found = self.ask(chart, "{...it.dataset}")
        return {name: int(text) if text.isdigit() else text for name, text in found.items()}

    def traces(self, chart, meta):
        """[[x, y], ...] without nulls of each line of a kind: live, backfill, watering, band."""
        points = "[...t.x].map((x, i) => [x, t.y[i]]).filter(([, y]) => y !== null)"
        traces = f"it.data.filter((trace) => trace.meta === '{meta}')"
        return self.ask(chart, f"{traces}.map((t) => {points})")

    def shapes(self, chart):
        """[name, x0, x1, y0] of every shaded span and line."""
        shape = "[s.name, String(s.x0), String(s.x1), s.y0]"
        return self.ask(chart, f"it.layout.shapes.map((s) => {shape})")

    def photograph(self, path):
        height = self.js("return document.documentElement.scrollHeight")
        width = self.js("return innerWidth")
        self.resize(width, height)
        self.js("window.scrollTo(0, 0)")
        time.sleep(0.5)  # charts resize themselves
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))


def wait(question, timeout_s=120):
    WebDriverWait(None, timeout_s, 0.1).until(lambda _: question())


@pytest.fixture
def screenshots(repo_dir):
    return repo_dir / "build" / "screenshots"


def test_outage_and_backfill(farm, browser, screenshots):
    browser.open(farm, "bed-south", "7d")
    data = browser.data("chart-soil")
    assert data["points"] > 140
    assert 30 <= data["backfill"] <= 40  # 1.5 days of hourly values came later
    assert data["outages"] == 1
    assert data["breaks"] == 0  # nothing is missing: it came
    (outage,) = (s for s in browser.shapes("chart-soil") if s[0] == "outage")
    (points,) = browser.traces("chart-soil", "backfill")
    inside = [x for x, _ in points if outage[1] <= x <= outage[2]]
    assert len(inside) >= data["backfill"] - 4
    assert "came later" in browser.text("decisions")
    browser.photograph(screenshots / "page.png")


def test_dry_threshold_and_waterings_with_cause(farm, browser):
    browser.open(farm, "bed-south", "season")
    data = browser.data("chart-soil")
    assert float(data["dry"]) == farm_season.DRY_PCT
    assert [s[3] for s in browser.shapes("chart-soil") if s[0] == "dry"] == [farm_season.DRY_PCT]
    assert data["waterings"] >= 1
    assert len(browser.traces("chart-soil", "watering")[0]) == data["waterings"]
    assert "water: dry_2d 0." in browser.text("decisions")


def test_every_group_has_a_chart_with_points(farm, browser):
    browser.open(farm, "bed-north", "30d")
    for group in ("soil", "model", "temperature", "humidity", "battery"):
        assert browser.data(f"chart-{group}")["points"] > 20, group
    assert len(browser.traces("chart-model", "live")) == 3


def test_gaps_break_the_line(farm, browser):
    browser.open(farm, "bed-north", "season")
    kinds = {shape[0] for shape in browser.shapes("chart-soil")}
    assert {"dropped", "sensor"} <= kinds
    assert browser.data("chart-soil")["breaks"] >= 2
    assert "sensor" not in {shape[0] for shape in browser.shapes("chart-battery")}


def test_nodes_states_and_alerts(farm, browser):
    browser.open(farm, "hedge-row", "7d")
    names = ("bed-south", "bed-north", "hedge-row")
    states = {name: browser.attribute(f"node-{name}", "data-status") for name in names}
    assert states == {"bed-south": "online", "bed-north": "online", "hedge-row": "offline"}
    assert "Offline" in browser.text("node-hedge-row")
    assert browser.attribute("node-hedge-row", "aria-pressed") == "true"
    alerts = browser.text("alerts")
    for text in ("Hedge row: node is offline", "North bed: battery 3.", "records of telemetry"):
        assert text in alerts
    assert browser.data("chart-soil")["outages"] == 1  # shaded from its last record to now


def test_page_tells_what_it_shows(farm, browser):
    browser.open(farm, "bed-north", "7d")
    assert browser.text("note") == NOTE
    assert "3 nodes · 2 online" in browser.text("summary")
    assert "Records stored" in browser.text("totals")
    assert len(browser.driver.find_elements(By.CSS_SELECTOR, "#map .spot")) == 3
    label = browser.attribute("chart-soil", "aria-label")
    assert label.startswith("Soil moisture of North bed: ")
    assert "%" in label


def test_range_buttons(farm, browser):
    browser.open(farm, "bed-south", "24h")
    day = browser.data("chart-soil")["points"]
    browser.find("range-30d").click()
    browser.wait_ready("bed-south", "30d")
    assert browser.data("chart-soil")["points"] > 20 * day
    assert browser.attribute("range-30d", "aria-pressed") == "true"


@pytest.mark.parametrize("width", [360, 390])
def test_phone(farm, browser, screenshots, width):
    browser.open(farm, "bed-south", "7d", width=width, height=780)
    assert browser.js("return document.documentElement.scrollWidth") <= width
    assert browser.ask("chart-soil", "it.clientWidth") > width * 0.8
    if width == 390:
        browser.photograph(screenshots / "page-phone.png")


def test_dark(farm, browser, screenshots):
    def prefer(scheme):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    prefer("dark")
    browser.open(farm, "bed-north", "30d")
    assert (
        browser.js("return getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 18)"
    )
    browser.photograph(screenshots / "page-dark.png")
    prefer("light")


def test_no_other_host_is_asked_and_nothing_is_logged(farm, browser):
    browser.driver.get_log("browser")  # forget what other tests left
    browser.open(farm, "bed-south", "7d")
    names = browser.js("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert names
    assert all(name.startswith(farm.http_url) for name in names)
    assert browser.driver.get_log("browser") == []


def test_new_records_appear_and_names_are_text(farm, browser):
    evil = farm_season.Node("new-node", "<img src=x onerror=alert(1)>", 45.8809, -72.4799)
    end_s = farm_season.START_S + DAYS * farm_season.DAY_S
    browser.open(farm, "bed-south", "7d")
    publisher = farm_season.Publisher(farm.mqtt_host, farm.mqtt_port)
    publisher.publish("hedge/new-node/info", evil.info(), retain=True)
    pack = senml.encode(end_s, [("soil.vwc", "%", 33.3)])
    publisher.publish("hedge/new-node/up", frame.pack("new-node", 1, 1, 1, 1, [pack]))
    publisher.close()
    css = '[data-testid="node-new-node"]'
    wait(lambda: browser.driver.find_elements(By.CSS_SELECTOR, css))
    wait(lambda: "33.3" in browser.text("node-new-node"))  # its name comes before its record
    assert "<img src=x onerror=alert(1)>" in browser.text("node-new-node")
    assert not browser.driver.find_elements(By.CSS_SELECTOR, "img[src='x']")
