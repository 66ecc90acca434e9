"""Build hook: put the parts that lie beside host_tools/ into a wheel (paths.py finds them there).

Not a static `force-include`: hatchling obeys that in editable installs too, and a copy of `hedge`
in site-packages would be imported instead of the clone's.
"""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_BESIDE = {
    "firmware/hedge": "hedge",
    "firmware/kernels": "hedgerow/_share/kernels",
    "firmware/boot": "hedgerow/_share/boot",
    "firmware/apps": "hedgerow/_share/apps",
    "boards": "hedgerow/_share/boards",
    "models": "hedgerow/_share/models",
}


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict) -> None:
        if version == "editable":
            return
        clone = Path(self.root).parent
        for source, target in _BESIDE.items():
            if (clone / source).is_dir():  # git keeps no empty folder
                build_data["force_include"][str(clone / source)] = target
