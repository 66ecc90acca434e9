"""The board's set-up page on a phone-sized headless Chromium, served by MicroPython.

Writes build/screenshots/setup.png, setup-wrong.png and setup-done.png for people to look at.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from hedgerow import paths

sys.path.append(str(Path(__file__).resolve().parent.parent / "interop"))

from ports import free_port, free_udp_port

pytestmark = [pytest.mark.e2e, pytest.mark.page]

_SCRIPT = Path(__file__).with_name("upy") / "setup_node.py"
_PHONE = {"width": 390, "height": 780, "deviceScaleFactor": 2, "mobile": True}
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
_KEY = "secret password"


@pytest.fixture
def board(micropython, tmp_path):
    """(port, DNS port, process, file of the settings) of a board that waits for its set-up."""
    ports = free_port(), free_udp_port()
    saved = tmp_path / "setup.kv"
    args = {"port": ports[0], "dns_port": ports[1], "path": str(saved), "key": _KEY}
    folders = f"{paths.firmware_dir()}:{paths.host_tools_dir()}:.frozen"
    env = dict(os.environ, MICROPYPATH=folders, SCENARIO=json.dumps(args))
    command = [str(micropython), str(_SCRIPT)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            _wait(lambda: _answers(ports[0]))
            yield ports[0], ports[1], process, saved
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except OSError:
        return False
    return True


def _wait(check, limit_s: float = 120.0) -> None:
    end = time.monotonic() + limit_s
    while not check():
        assert time.monotonic() < end, f"waited {limit_s} s"
        time.sleep(0.1)


@pytest.fixture
def phone(chromium, tmp_path):
    options = webdriver.ChromeOptions()
    options.binary_location = str(chromium)
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path / 'chromium'}"):
        options.add_argument(flag)
    service = Service(shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=service) as driver:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", _PHONE)
        yield driver


def _picture(phone, name: str) -> None:
    folder = paths.build_dir() / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    shot = phone.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    (folder / name).write_bytes(base64.b64decode(shot["data"]))


def _enter(phone, **values: str) -> None:
    for name, value in values.items():
        field = phone.find_element(By.ID, name)
        field.clear()
        field.send_keys(value)
    phone.find_element(By.TAG_NAME, "button").click()


def test_a_phone_sets_the_board_up(board, phone):
    port, _, process, saved = board
    phone.get(f"http://127.0.0.1:{port}/")
    _picture(phone, "setup.png")
    wide = phone.execute_script("return document.documentElement.scrollWidth")
    assert wide <= _PHONE["width"], "it scrolls sideways"
    options = phone.find_elements(By.CSS_SELECTOR, "#heard option")
    assert [option.get_attribute("value") for option in options] == ["Hof & Garten", "farm"]

    _enter(phone, ssid="farm", key="wrong password")
    _wait(lambda: "farm: wrong password" in phone.page_source)
    _picture(phone, "setup-wrong.png")
    assert phone.find_element(By.ID, "ssid").get_attribute("value") == "farm"
    assert phone.find_element(By.ID, "key").get_attribute("value") == ""
    assert not saved.exists()

    _enter(phone, key=_KEY, name="bed-7")
    _wait(lambda: "bed-7 is connected to farm" in phone.page_source)
    _picture(phone, "setup-done.png")
    said, _ = process.communicate(timeout=120)
    assert json.loads(said.splitlines()[-1]) == {"event": "result", "saved": True}
    assert saved.exists()


def _asked(sock, question: bytes, port: int) -> bytes:
    """The answer; asked again each second, as phones do: names are served after pages."""
    sock.settimeout(1)
    for _ in range(120):
        sock.sendto(question, ("127.0.0.1", port))
        try:
            return sock.recv(600)
        except TimeoutError:
            continue
    raise AssertionError("no answer")


def test_phones_looking_for_a_login_page_find_it(board):
    port, dns_port, _, _ = board
    question = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x05apple\x03com\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        assert _asked(sock, question, dns_port).endswith(b"\x00\x04\x7f\x00\x00\x01")
    url = f"http://127.0.0.1:{port}/hotspot-detect.html"
    with urllib.request.urlopen(url, timeout=90) as answer:
        assert answer.url == f"http://127.0.0.1:{port}/"
        assert b"<h1>Set up bed-3</h1>" in answer.read()


def test_it_outlives_bad_requests(board):
    port = board[0]
    for data in (
        b"\r\n\r\n",
        b"x" * 5000,
        b"POST /save HTTP/1.1\r\nContent-Length: 9\r\n\r\nssid=%",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=90) as sock:
            sock.sendall(data)
            try:
                sock.shutdown(socket.SHUT_WR)
                assert sock.recv(100).startswith(b"HTTP/1.1 400 ")
            except OSError:
                assert len(data) > 2048  # what it did not read resets the connection
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=90) as answer:
        assert answer.status == 200
