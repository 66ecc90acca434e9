"""The official firmware from a site on loopback: what is taken, refused and remembered."""

import http.server
import threading

import pytest
from firmware_files import esp_firmware, uf2

from hedgerow import paths
from hedgerow.device import download as module
from hedgerow.device.download import VARIABLE, download
from hedgerow.device.flash import firmware_for
from hedgerow.errors import DeviceError, UsageError

C3 = "ESP32_GENERIC_C3"
PAGE = """<a href="/resources/firmware/{0}-20250415-v1.25.0.bin">v1.25.0 (2025-04-15)</a>
<a class=x href="/resources/firmware/{0}-20241129-v1.24.1.bin">v1.24.1</a>
<a href="/resources/firmware/{0}-20240105-v1.9.9.bin">older than 1.24 in its number</a>
<a href="/resources/firmware/{0}-20250601-v1.26.0-preview.7.gabc.bin">preview</a>
<a href="/resources/firmware/{0}-SPIRAM-20250415-v1.27.0.bin">a variant</a>
<a href="/resources/firmware/{0}-20250415-v1.25.0.app-bin">over the air</a>"""


class Site:
    """files: path -> bytes; short: bytes that are announced and do not come."""

    def __init__(self):
        self.files, self.asked, self.short = {}, [], 0
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                data = site.files.get(self.path)
                if data is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(data) + site.short))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def offers(self, name, data):
        self.files[f"/resources/firmware/{name}"] = data

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "build_dir", lambda: tmp_path)
    return tmp_path / "firmware"


@pytest.fixture
def site(cache, monkeypatch):
    with Site() as site:
        monkeypatch.setenv(VARIABLE, site.address)
        site.files[f"/download/{C3}/"] = PAGE.format(C3).encode()
        site.offers(f"{C3}-20250415-v1.25.0.bin", esp_firmware(5))
        site.offers(f"{C3}-20241129-v1.24.1.bin", esp_firmware(5, seed=2))
        yield site


def kept(cache):
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


def test_the_newest_release_is_taken_not_previews_variants_or_updates(site, cache):
    path = firmware_for(C3)
    assert path == cache / f"{C3}-20250415-v1.25.0.bin"
    assert path.read_bytes() == esp_firmware(5)
    assert kept(cache) == [path.name, f"{path.name}.sha256"]


def test_a_named_release_is_fetched_once(site):
    path = download(C3, release="1.24.1")
    assert path.read_bytes() == esp_firmware(5, seed=2)
    asked = len(site.asked)
    assert download(C3, release="1.24.1") == path
    assert len(site.asked) == asked == 2


def test_a_release_that_is_not_offered_names_those_that_are(site):
    with pytest.raises(DeviceError, match=r"no release 1\.20\.0 .*offered: 1\.24\.1, 1\.25\.0"):
        download(C3, release="1.20.0")


def test_a_board_that_the_site_does_not_have_is_told(site):
    with pytest.raises(DeviceError, match=r"/download/ESP32_GENERIC_S3/: the site has no such"):
        download("ESP32_GENERIC_S3")


def test_offline_is_one_error_with_what_to_do(cache, monkeypatch):
    with Site() as gone:
        monkeypatch.setenv(VARIABLE, gone.address)
    with pytest.raises(DeviceError, match=r"cannot be downloaded .*refused.*give a firmware file"):
        download(C3)
    assert kept(cache) == []


def test_what_is_cut_short_on_the_way_is_not_kept(site, cache):
    download(C3, release="1.24.1")
    before = kept(cache)
    page = site.files[f"/download/{C3}/"]
    with pytest.MonkeyPatch.context() as patch:
        whole = module._fetch
        patch.setattr(module, "_fetch", lambda a: page if a.endswith("/") else whole(a))
        site.short = 100
        with pytest.raises(DeviceError, match=r"cannot be downloaded .*IncompleteRead|bytes of"):
            download(C3)
    assert kept(cache) == before


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (esp_firmware(5)[:-1], "cut short"),
        (esp_firmware(9), "is for ESP32-S3"),
        (esp_firmware(5, flash_mb=8), "needs 8 MB of flash"),
        (uf2(b"x" * 300), "is for RP2040"),
        (b"<html>Sorry</html>", "a web page"),
    ],
    ids=["cut", "chip", "size", "kind", "page"],
)
def test_what_is_not_this_boards_firmware_is_not_kept(site, cache, data, expected):
    site.offers(f"{C3}-20250415-v1.25.0.bin", data)
    with pytest.raises(DeviceError, match=expected):
        download(C3)
    assert kept(cache) == []


def test_another_file_under_a_known_name_is_refused(site, cache):
    path = download(C3)
    site.offers(path.name, esp_firmware(5, seed=9))
    with pytest.raises(DeviceError, match=r"not the file that had this name before.*remove"):
        download(C3)
    assert path.read_bytes() == esp_firmware(5)


def test_a_file_that_was_damaged_in_the_cache_is_found(site):
    path = download(C3, release="1.25.0")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(DeviceError, match="damaged since it was downloaded"):
        download(C3, release="1.25.0")


def test_a_hash_that_the_user_knows_is_compared(site):
    path = download(C3)
    known = path.with_name(f"{path.name}.sha256").read_text().split()[0]
    assert download(C3, sha256=known.upper()) == path
    with pytest.raises(DeviceError, match=f"SHA-256 is {known}, not {'0' * 64}: nothing was"):
        firmware_for(C3, sha256="0" * 64)


def test_a_board_that_is_not_flashed_has_no_firmware(site):
    with pytest.raises(UsageError, match="UNIX is not flashed"):
        download("UNIX")


def test_a_site_that_leads_elsewhere_is_not_followed(site, monkeypatch):
    monkeypatch.setattr(module, "_site", lambda: "https://127.0.0.1:1")
    with pytest.raises(DeviceError, match="which is not trusted"):
        module._fetch(f"{site.address}/download/{C3}/")


def test_without_a_board_there_is_nothing_to_get():
    with pytest.raises(UsageError, match="--board"):
        firmware_for(None)
