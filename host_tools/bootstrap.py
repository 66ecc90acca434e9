"""Set-up for the Makefile: system packages, .venv, Python packages, MicroPython.

    python3 host_tools/bootstrap.py run|test|lint|soak|bench

Run by the system's Python before anything is installed, so: standard library only, and syntax
that Python 3.6 can parse far enough to be told that it is too old. A level that is set up
already costs a few milliseconds. Prints to stderr only. Exit code 0, or 1 after one line that
names what to install.

System packages are installed by apt where we are root; else the line names them. What only
tests use (mosquitto, Chromium, compilers and emulators of boards) is never a reason to stop:
those tests skip and name it.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
PROJECT = os.path.join(ROOT, "host_tools", "pyproject.toml")
MIN_PYTHON = (3, 11)
SBIN = "/usr/sbin:/usr/local/sbin"

# Level -> extras of pyproject.toml, and whether it needs MicroPython and the test programs.
LEVELS = {
    "run": ("", True, False),
    "test": ("test,train", True, True),
    "lint": ("lint", False, False),
}
LEVELS["soak"] = LEVELS["test"]
LEVELS["bench"] = ("test,train,bench", True, True)  # and the peers to measure beside

# Debian package -> program it brings.
BUILD_PROGRAMS = {"gcc": "gcc", "make": "make", "pkg-config": "pkg-config"}
TEST_PROGRAMS = {
    "mosquitto": "mosquitto",
    "chromium": "chromium",
    "chromium-driver": "chromedriver",
    "mtools": "mformat",
    "nats-server": "nats-server",
    "libcoap3-bin": "coap-client-openssl",
    "tshark": "tshark",
}
# Compilers and emulators of boards. A library stands for itself by a file.
EMULATED_PROGRAMS = {
    "g++": "g++",
    "cmake": "cmake",
    "gcc-arm-none-eabi": "arm-none-eabi-gcc",
    "libnewlib-arm-none-eabi": "/usr/lib/arm-none-eabi/newlib/nosys.specs",
    "libstdc++-arm-none-eabi-newlib": "/usr/lib/arm-none-eabi/newlib/libstdc++.a",
    "gcc-riscv64-unknown-elf": "riscv64-unknown-elf-gcc",
    "picolibc-riscv64-unknown-elf": "/usr/lib/picolibc/riscv64-unknown-elf/picolibc.specs",
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-misc": "qemu-system-riscv32",
}
NODE_PROGRAMS = {"nodejs": "node", "npm": "npm"}


class SetupError(Exception):
    """One line for the user."""


def main(level):
    extras, needs_micropython, needs_test_programs = LEVELS[level]
    check_python()
    missing = missing_for_venv(extras)
    if needs_micropython:
        missing += missing_for_build()
    install(missing, needed=True)
    if needs_test_programs:
        for table in (TEST_PROGRAMS, EMULATED_PROGRAMS, NODE_PROGRAMS):
            install(missing_programs(table), needed=False)
    make_venv()
    install_python_packages(extras)
    if needs_micropython:
        make_micropython()
    if needs_test_programs:
        make_board_images()


def say(text):
    sys.stderr.write(f"hedgerow: {text}\n")
    sys.stderr.flush()


def check_python():
    if sys.version_info < MIN_PYTHON:
        raise SetupError(
            f"Python 3.11 or newer is needed, {sys.executable} is {platform.python_version()}: "
            "install one and say e.g. `make PYTHON=python3.12 demo`"
        )


# System packages


def missing_programs(table):
    path = os.environ.get("PATH", "") + ":" + SBIN
    return [package for package, name in table.items() if not is_there(name, path)]


def is_there(name, path):
    return os.path.exists(name) if name.startswith("/") else bool(shutil.which(name, path=path))


def missing_for_venv(extras):
    if os.path.exists(stamp(extras)):
        return []
    try:
        import ensurepip  # noqa: F401  Debian leaves it out of python3

        return []
    except ImportError:
        return ["python3-venv"]


def missing_for_build():
    """Packages to build MicroPython with; none if it need not be built."""
    if os.environ.get("MICROPYTHON") or shutil.which("micropython") or micropython_is_built():
        return []
    missing = missing_programs(BUILD_PROGRAMS)
    if "gcc" in missing:
        missing.append("libc6-dev")
    if "pkg-config" in missing or not has_library("libffi"):
        missing.append("libffi-dev")
    return missing


def has_library(name):
    return subprocess.call(["pkg-config", "--exists", name]) == 0


def micropython_is_built():
    folder = os.path.join(ROOT, "build", "micropython")
    if not os.path.isdir(folder):
        return False
    return any(os.path.exists(os.path.join(folder, v, "micropython")) for v in os.listdir(folder))


def install(packages, needed):
    """apt-get install as root. Otherwise raise SetupError if they are needed, or say so once."""
    if not packages:
        return
    names = " ".join(packages)
    problem = f"missing system packages, install them with `sudo apt-get install {names}`"
    if is_root() and shutil.which("apt-get"):
        say(f"installing system packages: {names}")
        problem = apt_install(packages)
    if problem and needed:
        raise SetupError(problem)
    if problem:
        say(f"{problem}; tests that need them will be skipped")


def is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


def apt_install(packages):
    """None if it worked, else the problem. The lists are fetched only if they are too old."""
    install_them = ["install", "-y", "--no-install-recommends", *packages]
    if apt_get(install_them) is None:
        return None
    problem = apt_get(["update"]) or apt_get(install_them)
    return problem and f"apt-get could not install {' '.join(packages)}: {problem}"


def apt_get(arguments):
    """None if it worked, else the first line that says why not."""
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C")
    done = subprocess.run(
        ["apt-get", "-qq", *arguments],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    errors = [line for line in lines if line.startswith("E:")] or lines or ["no reason given"]
    return errors[0] if done.returncode else None


# Python packages


def stamp(extras):
    """File that exists when these extras are installed; its name changes with pyproject.toml."""
    with open(PROJECT, "rb") as project:
        text = project.read() + ROOT.encode() + sys.version.encode()
    digest = hashlib.sha256(text).hexdigest()[:12]
    return os.path.join(VENV, f"hedgerow-{extras.replace(',', '-') or 'run'}-{digest}")


def venv_works():
    if not os.path.exists(VENV_PYTHON):
        return False
    return subprocess.call([VENV_PYTHON, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def make_venv():
    if any(os.path.exists(stamp(extras)) for extras, _, _ in LEVELS.values()) or venv_works():
        return
    say("making .venv")
    run_or_fail([sys.executable, "-m", "venv", "--clear", VENV])


def install_python_packages(extras):
    if os.path.exists(stamp(extras)):
        return
    say("installing Python packages into .venv (a minute or two, once)")
    folder = os.path.dirname(PROJECT)
    what = f"{folder}[{extras}]" if extras else folder
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    pip = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    run_or_fail(pip + quiet + ["--editable", what])
    for installed in {extras, ""}:  # every level includes the plain one
        with open(stamp(installed), "w"):
            pass


def make_micropython():
    """Shows progress and errors only (stderr); a few hundred milliseconds if there is one."""
    command = [os.path.join(VENV, "bin", "hedgerow"), "toolchain", "unix"]
    code = subprocess.call(command, stdout=subprocess.DEVNULL)
    if code:
        raise SetupError("set-up stopped: no MicroPython (see above)")


def make_board_images():
    """Firmware of the emulated boards. Not inside a test: two minutes, ten on a busy machine."""
    for port in ("pico", "qemu"):
        command = [os.path.join(VENV, "bin", "hedgerow"), "toolchain", port]
        if subprocess.call(command, stdout=subprocess.DEVNULL):
            say(f"no image for {port} (see above); tests that need it will be skipped or fail")


def run_or_fail(command):
    """Run with stdout sent to stderr: the last line of stdout belongs to the make target."""
    code = subprocess.call(command, stdout=sys.stderr.fileno())
    if code:
        raise SetupError(f"set-up stopped at `{' '.join(command)}` (exit code {code})")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in LEVELS:
        sys.exit(f"usage: bootstrap.py {'|'.join(sorted(LEVELS))}")
    try:
        main(sys.argv[1])
    except SetupError as error:
        say(error)
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
