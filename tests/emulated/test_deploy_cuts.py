"""Power cuts at flash operations of a deploy: the board starts the old app or the new one.

The soak test cuts at every operation, clean and torn, from the boot before the deploy to the new
app's confirmation, and prints what the boards started then (`make soak`).
"""

import random
from collections import Counter
from dataclasses import dataclass

import pytest
from versions import MODEL, listen, plug_in_with, version_of, write_app

from hedgerow import paths
from hedgerow.device.compiled import compiled
from hedgerow.device.deploy import deploy
from hedgerow.device.link import SerialLink
from hedgerow.errors import DeviceError

_NEW = 3
_CONFIRM = "import hedge_boot; hedge_boot.confirm()"
_OLD_SUPERVISOR = """import json
with open('/lib/hedge_safe.mpy', 'w') as f: f.write('of an older MicroPython')
with open('/boot.py', 'w') as f: f.write('# older')
boot = json.load(open('/app/boot.json'))
for name in boot['files']: boot['files'][name] = [1, '']
with open('/app/boot.json', 'w') as f: json.dump(boot, f)
"""
# What a newer host relies on; under another name it is as if it did not exist yet.
_NOT_YET = {"hedge_boot": ("head(", "head_of("), "hedge_link": ("FRAMES =", "FRAMES_OLD =")}


@dataclass(frozen=True)
class Start:
    """A board before the deploy of version 3. old: what may run if that was cut."""

    flash: bytes
    old: tuple[int, ...]


@pytest.fixture(scope="module")
def starts(pico, tmp_path_factory):
    """By name: nothing but firmware; an app that is kept; a later one that is not confirmed yet;
    an app under an older supervisor."""
    folder = tmp_path_factory.mktemp("apps")
    found = {"blank board": Start(pico.blank, (0,))}
    put(pico, folder / "first", 1, _CONFIRM)
    found["kept app"] = Start(flash_of(pico), (1,))
    make_older(pico, folder)
    found["older supervisor"] = Start(flash_of(pico), (1,))
    plug_in_with(pico, found["kept app"].flash)
    put(pico, folder / "second", 2, "")
    found["unconfirmed app"] = Start(flash_of(pico), (1, 2))
    return found


def put(pico, folder, version, first):
    """Deploy, and wait until the app runs: what comes first is done then."""
    write_app(folder, version, MODEL[:3000], first)
    deploy(folder, port=pico.address, healthy_after_s=0, attempts=1)
    listen(pico, [f"version {version}\r\n"])


def make_older(pico, folder):
    """Put an older supervisor under the app."""
    sources = {}
    for name, (now, then) in _NOT_YET.items():
        text = (paths.firmware_dir() / "boot" / f"{name}.py").read_text()
        assert now in text
        sources[f"{name}.py"] = folder / f"{name}.py"
        sources[f"{name}.py"].write_text(text.replace(now, then))
    with SerialLink(pico.address) as link:
        link.enter()
        for name, data in compiled(sources, "armv6m").items():
            link.run(f"with open('/lib/{name}', 'wb') as f: f.write({data!r})")
        link.run(_OLD_SUPERVISOR)


def flash_of(pico):
    pico.unplug()
    flash = pico.chip.flash()
    pico.plug_in()
    return flash


def count_operations(pico, start, folder):
    """Flash operations from power on to the confirmation of version 3."""
    plug_in_with(pico, start.flash)
    pico.unplug()
    pico.chip.reset(start.flash)
    before = pico.chip.status()["flash_operations"]
    pico.plug_in()
    put(pico, folder, _NEW, _CONFIRM)
    pico.unplug()
    after = pico.chip.status()["flash_operations"]
    pico.plug_in()
    return after - before


def started_after_cut(pico, start, folder, operation, torn):
    """Version that the board starts after a cut there. Then a deploy must repair what is left."""
    pico.unplug()
    pico.chip.reset(start.flash)
    pico.chip.cut_power_at(operation, torn=torn)
    pico.plug_in()
    with pytest.raises(DeviceError):
        put(pico, folder, _NEW, _CONFIRM)
        pico.wait_for_power_cut()
        raise DeviceError("the cut came behind the last line that was waited for")
    assert pico.wait_for_power_cut() is not None, operation
    plug_in_with(pico)
    started = version_of(pico)
    put(pico, folder, _NEW, _CONFIRM)
    return started


def cut_at(pico, start, folder, operations):
    """Counter of the versions that were started after a cut at each (operation, torn)."""
    started, faults = Counter(), []
    for operation, torn in operations:
        try:
            version = started_after_cut(pico, start, folder, operation, torn)
        except (AssertionError, DeviceError) as error:  # the others are cut too
            faults.append((operation, torn, f"{type(error).__name__}: {error}"))
            continue
        if version not in (*start.old, _NEW):
            faults.append((operation, torn, f"version {version} started"))
        started[version] += 1
    assert faults == []
    return started


@pytest.mark.parametrize("name", ["blank board", "kept app", "older supervisor"])
def test_power_cuts_at_sampled_flash_operations_brick_nothing(pico, starts, tmp_path, name):
    total = count_operations(pico, starts[name], tmp_path / "app")
    rng = random.Random(name)
    operations = [(rng.randrange(1, total + 1), torn) for torn in (False, True)]
    cut_at(pico, starts[name], tmp_path / "app", operations)


@pytest.mark.soak
@pytest.mark.parametrize(
    "name", ["blank board", "kept app", "unconfirmed app", "older supervisor"]
)
def test_power_cuts_at_every_flash_operation_brick_nothing(pico, starts, tmp_path, capsys, name):
    total = count_operations(pico, starts[name], tmp_path / "app")
    operations = [(at, torn) for torn in (False, True) for at in range(1, total + 1)]
    started = cut_at(pico, starts[name], tmp_path / "app", operations)
    new = started.pop(_NEW, 0)
    with capsys.disabled():
        print(
            f"\ndeploy over {name}: {total} flash operations, {len(operations)} power cuts (clean "
            f"and torn): {started.total()} started the old app, {new} the new one, 0 neither; "
            "the next deploy repaired all"
        )
    assert new
    assert started
