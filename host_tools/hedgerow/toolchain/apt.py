"""Fetch Debian packages, sources first of all, with a private apt configuration.

Everything apt writes lies in one folder, so root is not needed and the machine's own lists stay
as they are. The archive's address comes from the apt that the machine uses already, its proxies
and passwords too (/etc/apt/apt.conf.d, auth.conf.d). apt checks signatures and checksums.
"""

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path

from hedgerow.errors import ToolchainError

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_TARGETS = "$(SITE)|$(RELEASE)|$(ORIGIN)"
_VERBS = ("update", "source", "download", "showsrc", "show")
_SUITES = {"bullseye", "bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable"}


@dataclasses.dataclass(frozen=True)
class Source:
    """A source package. A version with this prefix does, if the archive has dropped `version`."""

    name: str
    version: str
    or_prefix: str

    def upstream_tarballs(self, folder: Path) -> list[Path]:
        """Upstream tarballs of this package in folder, newest version last."""
        return sorted(folder.glob(f"{self.name}_{self.or_prefix}*.orig.tar.*"))


@dataclasses.dataclass(frozen=True)
class Package:
    """A binary package, for files that the archive has in no other form."""

    name: str
    version: str
    or_prefix: str

    def files(self, folder: Path) -> list[Path]:
        """Downloaded files of this package in folder, newest version last."""
        prefix = self.or_prefix.replace(":", "%3a")  # as apt writes an epoch
        return sorted(folder.glob(f"{self.name}_{prefix}*.deb"))


class Archive:
    """One suite of the archive. folder: private state of apt, kept between runs."""

    def __init__(self, folder: Path, suite: str) -> None:
        self._folder = folder
        self._suite = suite

    def update(self, *, packages: bool = False) -> None:
        """Fetch the list of sources (about 10 MB); packages: that of binary packages too.

        Raises ToolchainError without a network.
        """
        for name in ("lists/partial", "cache/archives/partial"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        signed = f"[signed-by={_KEYRING}] " if _KEYRING.is_file() else ""
        site = _site()
        kinds = ("deb-src", "deb") if packages else ("deb-src",)
        lines = [f"{kind} {signed}{site} {self._suite} main\n" for kind in kinds]
        (self._folder / "sources.list").write_text("".join(lines), encoding="utf-8")
        self._run("apt-get", "update", "-o", "APT::Update::Error-Mode=any")

    def fetch(self, source: Source, into: Path) -> None:
        """Download the upstream tarball of a source package; apt compares its checksum."""
        listed = self._run("apt-cache", "showsrc", "--only-source", source.name)
        wanted = f"{source.name}={self._available(source, 'source package', listed)}"
        into.mkdir(parents=True, exist_ok=True)
        # Mirrors have been seen to lack the small files beside a tarball: they are not needed.
        self._run("apt-get", "source", "--download-only", "--tar-only", wanted, cwd=into)

    def fetch_package(self, package: Package, into: Path) -> None:
        """Download a binary package, after update(packages=True); apt compares its checksum."""
        listed = self._run("apt-cache", "show", "--no-all-versions", package.name)
        wanted = f"{package.name}={self._available(package, 'package', listed)}"
        into.mkdir(parents=True, exist_ok=True)
        self._run("apt-get", "download", wanted, cwd=into)

    def _available(self, wanted: Source | Package, kind: str, listed: str) -> str:
        versions = re.findall(r"^Version: (\S+)$", listed, re.MULTILINE)
        if wanted.version in versions:
            return wanted.version
        near = [version for version in versions if version.startswith(wanted.or_prefix)]
        if not near:
            raise ToolchainError(
                f"{self._suite} has no {kind} {wanted.name} {wanted.version} "
                f"(it has: {', '.join(versions) or 'none'}): set MICROPYTHON=/path/to/micropython"
            )
        return near[-1]

    def _run(self, *command: str, cwd: Path | None = None) -> str:
        return _run([command[0], *self._options(), *command[1:]], cwd)

    def _options(self) -> list[str]:
        options = {
            "Dir::Etc::sourcelist": self._folder / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::State": self._folder,
            "Dir::State::lists": self._folder / "lists",
            "Dir::State::status": "/var/lib/dpkg/status",
            "Dir::Cache": self._folder / "cache",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "APT::Get::List-Cleanup": "false",
            # As root apt would drop to user _apt, who may not enter our folder.
            "APT::Sandbox::User": "root",
        }
        return [part for key, value in options.items() for part in ("-o", f"{key}={value}")]


def missing_tools() -> list[str]:
    """What this module needs and the machine lacks, as Debian package names."""
    return [] if shutil.which("apt-get") and shutil.which("apt-cache") else ["apt"]


def _site() -> str:
    """Address of the Debian archive that the machine's apt is set up to use."""
    listed = _run(["apt-get", "indextargets", "--format", _TARGETS]).splitlines()
    rows = [row.split("|") for row in listed if row.count("|") == 2]
    rows = [row for row in rows if row[0] and "-security" not in row[1]]
    debian = [row for row in rows if row[2] == "Debian"]  # the origin is unknown before an update
    debian += [row for row in rows if row[1].split("-")[0] in _SUITES]
    if not debian:
        raise ToolchainError(
            "apt on this machine names no Debian archive (/etc/apt/sources.list*): "
            "add one, or set MICROPYTHON=/path/to/micropython (1.25 or newer)"
        )
    return debian[0][0]


def _run(command: list[str], cwd: Path | None = None) -> str:
    env = dict(os.environ, LC_ALL="C", DEBIAN_FRONTEND="noninteractive")
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        raise ToolchainError(_failure(command, done.stderr))
    return done.stdout


def _failure(command: list[str], stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.startswith(("E:", "W:"))]
    said = "\n  ".join(lines[:6] or stderr.strip().splitlines()[-3:])
    verb = next((word for word in command[1:] if word in _VERBS), "")
    return (
        f"{command[0]} {verb} failed: check the network and the Debian archive in /etc/apt, "
        f"or set MICROPYTHON=/path/to/micropython (1.25 or newer)\n  {said}"
    )
