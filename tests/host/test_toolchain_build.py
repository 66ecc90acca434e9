"""Building the Unix port: every step against recorded tools, then once for real (soak).

The tools are shell scripts that write down how they were called; the archive is two tarballs.
"""

import contextlib
import io
import os
import subprocess
import sys
import tarfile
import time

import pytest

from hedgerow.errors import ToolchainError
from hedgerow.toolchain import sources
from hedgerow.toolchain.unix import ensure_micropython

TARGETS = """archive-security|trixie-security|Debian
other|nodistro|Else
archive|bookworm|Debian"""

# $verb and $last are set by the head of each script.
APT_GET = """case "$verb $last" in
indextargets*) /bin/cat $FAKE/targets ;;
update*) if [ -e $FAKE/offline ]; then echo 'E: Could not resolve the archive' >&2; exit 100; fi ;;
source\\ *) /bin/cp $FAKE/${last%%=*}_* . ;;
esac"""
APT_CACHE = "/bin/cat $FAKE/versions.$last"
HEAD = """for word; do last=$word
  case $word in update|source|indextargets|showsrc|-C*) verb=$word ;; esac
done
echo "{name} $verb $last" >> $FAKE/calls
echo "$*" >> $FAKE/arguments
"""
MAKE = """echo "MAKEFLAGS=$MAKEFLAGS" >> $FAKE/env
echo "CC one.c"
echo "error: told to fail"
case "$*" in
*mpy-cross*) /bin/mkdir -p $FAKE_SRC/mpy-cross/build
  /bin/cp $FAKE/mpy-cross $FAKE_SRC/mpy-cross/build/ ;;
*) if [ -e $FAKE/broken ]; then exit 2; fi
  /bin/mkdir -p $FAKE_SRC/ports/unix/build-standard
  /bin/cp $FAKE/micropython $FAKE_SRC/ports/unix/build-standard/ ;;
esac"""


class Tools:
    """A folder of fake tools, and what they were asked to do."""

    def __init__(self, folder, cache):
        self.folder = folder
        self.cache = cache
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        for name, body in (("apt-get", APT_GET), ("apt-cache", APT_CACHE), ("make", MAKE)):
            self.script(self.bin / name, HEAD.format(name=name) + body)
        for name in ("gcc", "pkg-config"):
            self.script(self.bin / name, "exit 0")
        self.script(folder / "micropython", "echo micropython 1 25 0")
        self.script(folder / "mpy-cross", "echo mpy-cross emitting mpy v6.3")
        (folder / "targets").write_text(TARGETS)
        self.offer("micropython", "1.25.0+ds-1")
        self.offer("mbedtls", "3.6.6-0.1~deb13u1")

    def script(self, path, body):
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def offer(self, name, version):
        """Put a source package into the archive, in place of its older version."""
        for old in self.folder.glob(f"{name}_*"):
            old.unlink()
        (self.folder / f"versions.{name}").write_text(f"Package: {name}\nVersion: {version}\n")
        upstream = version.rsplit("-", 1)[0]
        with tarfile.open(self.folder / f"{name}_{upstream}.orig.tar.xz", "w:xz") as tar:
            entry = tarfile.TarInfo(f"{name}-{upstream}/VERSION")
            entry.size = len(upstream)
            tar.addfile(entry, io.BytesIO(upstream.encode()))

    def calls(self, containing=""):
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if containing in line]

    @property
    def result(self):
        return self.cache / sources.VERSION


@pytest.fixture
def tools(tmp_path, monkeypatch):
    tools = Tools(tmp_path / "fake", tmp_path / "cache")
    for name in ("MICROPYTHON", "MPY_CROSS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tools.bin))
    monkeypatch.setenv("FAKE", str(tools.folder))
    monkeypatch.setenv("FAKE_SRC", str(tools.result / "src"))
    return tools


def failure(tools):
    with pytest.raises(ToolchainError) as caught:
        ensure_micropython(tools.cache)
    return str(caught.value)


def test_it_builds_once_and_is_found_afterwards(tools):
    built = ensure_micropython(tools.cache)
    assert (built.origin, built.version) == ("built", "1.25.0")
    assert built.micropython == tools.result / "micropython"
    assert built.mpy_cross == tools.result / "mpy-cross"
    count = len(tools.calls())
    assert ensure_micropython(tools.cache).origin == "cache"
    assert len(tools.calls()) == count


def test_mbedtls_lies_where_the_build_looks_for_it(tools):
    ensure_micropython(tools.cache)
    src = tools.result / "src"
    assert (src / "VERSION").read_text() == "1.25.0+ds"
    assert (src / "lib/mbedtls/VERSION").read_text() == "3.6.6"
    assert (src / "lib/micropython-lib/README.md").exists()


def test_apt_is_private_and_reads_the_address_from_the_machine(tools):
    ensure_micropython(tools.cache)
    (line,) = (tools.cache / "apt/sources.list").read_text().splitlines()
    assert line.startswith("deb-src ")
    assert line.endswith(" archive trixie main")
    arguments = (tools.folder / "arguments").read_text().splitlines()
    private = [line for line in arguments if line.startswith("-o ")]
    assert len(private) == 5  # update; showsrc and source of two packages
    for line in private:
        assert f"Dir::State::lists={tools.cache}/apt/lists" in line
        assert f"Dir::Cache={tools.cache}/apt/cache" in line
    assert tools.calls("apt-get source micropython=1.25.0+ds-1")


def test_a_failed_make_names_log_and_errors_and_the_next_run_goes_on_there(tools):
    (tools.folder / "broken").touch()
    text = failure(tools)
    assert "error: told to fail" in text
    assert str(tools.result / "make-unix-port.log") in text
    assert not (tools.result / "micropython").exists()
    (tools.folder / "broken").unlink()
    before = len(tools.calls())
    ensure_micropython(tools.cache)
    assert len(tools.calls()[before:]) == 1  # one make, for the Unix port


def test_a_half_unpacked_tree_is_thrown_away(tools):
    part = tools.result / "src.part"
    part.mkdir(parents=True)
    (part / "half").write_text("half")
    ensure_micropython(tools.cache)
    assert not part.exists()
    assert not (tools.result / "src/half").exists()


def test_a_download_that_was_cut_off_is_fetched_again(tools):
    ensure_micropython(tools.cache)
    (tools.cache / "downloads/complete").unlink()
    for name in ("micropython", "mpy-cross"):
        (tools.result / name).unlink()
    (tools.result / "src").rename(tools.result / "src.part")
    ensure_micropython(tools.cache)
    assert len(tools.calls("apt-get source")) == 2 + 2


def test_a_damaged_tarball_is_told_and_fetched_again(tools):
    (tarball,) = tools.folder.glob("mbedtls_*")
    good = tarball.read_bytes()
    tarball.write_bytes(b"not a tarball")
    assert "is damaged" in failure(tools)
    tarball.write_bytes(good)
    ensure_micropython(tools.cache)


def test_a_cut_tarball_is_told(tools):
    (tarball,) = tools.folder.glob("micropython_*")
    tarball.write_bytes(tarball.read_bytes()[:100])
    assert "is damaged" in failure(tools)


def test_without_network_it_says_so_and_what_to_set(tools):
    (tools.folder / "offline").touch()
    text = failure(tools)
    for part in ("network", "Could not resolve the archive", "MICROPYTHON="):
        assert part in text
    (tools.folder / "offline").unlink()
    ensure_micropython(tools.cache)


def test_everything_that_is_missing_is_named_at_once(tools):
    for name in ("gcc", "make", "pkg-config", "apt-get"):
        (tools.bin / name).unlink()
    text = failure(tools)
    assert "missing: gcc make pkg-config libffi-dev apt;" in text
    assert "apt-get install gcc make pkg-config libc6-dev libffi-dev" in text
    assert "MICROPYTHON=" in text
    assert not tools.calls()


def test_a_missing_libffi_and_a_missing_c_library_are_told_apart(tools):
    tools.script(tools.bin / "gcc", "exit 1")
    assert "missing: libc6-dev;" in failure(tools)
    tools.script(tools.bin / "pkg-config", "exit 1")
    assert "missing: libffi-dev;" in failure(tools)


def test_a_machine_without_a_debian_archive_is_told(tools):
    (tools.folder / "targets").write_text("other|nodistro|Else\n")
    text = failure(tools)
    assert "names no Debian archive" in text
    assert "MICROPYTHON=" in text


def test_before_the_first_update_the_archive_is_known_by_its_suite(tools):
    (tools.folder / "targets").write_text("archive|bookworm-updates|\nother|nodistro|\n")
    ensure_micropython(tools.cache)
    assert " archive trixie main" in (tools.cache / "apt/sources.list").read_text()


def test_a_later_patch_of_mbedtls_will_do(tools):
    tools.offer("mbedtls", "3.6.9-1~deb13u1")
    ensure_micropython(tools.cache)
    assert (tools.result / "src/lib/mbedtls/VERSION").read_text() == "3.6.9"


def test_another_mbedtls_will_not_do(tools):
    tools.offer("mbedtls", "4.0.0-1")
    assert "no source package mbedtls 3.6.6-0.1~deb13u1 (it has: 4.0.0-1)" in failure(tools)


def test_a_folder_that_cannot_be_written_is_named(tools):
    tools.cache.parent.mkdir(exist_ok=True)
    tools.cache.write_text("a file in the way")
    text = failure(tools)
    assert str(tools.cache) in text
    assert "MICROPYTHON=" in text


def test_the_flags_of_a_calling_make_do_not_reach_ours(tools, monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "s -- SECONDS=30")
    ensure_micropython(tools.cache)
    assert set((tools.folder / "env").read_text().split()) == {"MAKEFLAGS="}


def test_force_builds_anew_from_what_was_downloaded(tools):
    ensure_micropython(tools.cache)
    before = len(tools.calls())
    assert ensure_micropython(tools.cache, force=True).origin == "built"
    assert [call.split()[0] for call in tools.calls()[before:]] == ["make", "make"]


def test_two_processes_at_once_build_once(tools):
    go_on = tools.folder / "go on"
    wait = f"update*) while [ ! -e '{go_on}' ]; do /bin/sleep 0.1; done;"
    (tools.bin / "apt-get").write_text(
        (tools.bin / "apt-get").read_text().replace("update*)", wait)
    )
    code = (
        "import sys, pathlib; from hedgerow.toolchain.unix import ensure_micropython; "
        "ensure_micropython(pathlib.Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(tools.cache)]
    logs = [tools.folder / f"said {number}" for number in range(2)]
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in logs]
        both = [subprocess.Popen(command, env=os.environ, stderr=file) for file in files]
        end_s = time.monotonic() + 120
        while not any(b"waiting for another process" in path.read_bytes() for path in logs):
            assert time.monotonic() < end_s, [path.read_bytes() for path in logs]
            time.sleep(0.05)
        go_on.touch()
        assert [process.wait(120) for process in both] == [0, 0]
    assert sum(b"waiting for another process" in path.read_bytes() for path in logs) == 1
    assert len(tools.calls("apt-get update")) == 1
    assert len(tools.calls("make ")) == 2


@pytest.mark.soak
def test_the_real_recipe(tmp_path, monkeypatch):
    monkeypatch.delenv("MICROPYTHON", raising=False)
    built = ensure_micropython(tmp_path, force=True)
    probe = "import asyncio, tls, hashlib, deflate, vfs; print(vfs.VfsLfs2, vfs.VfsRom)"
    done = subprocess.run([built.micropython, "-c", probe], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
