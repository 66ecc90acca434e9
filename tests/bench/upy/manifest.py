"""hedge frozen as in a board's firmware, with what measures it (heap.py, one folder up)."""

# ruff: noqa: F821  include(), module() and package() are words of the manifest
include("../../../firmware/manifest.py")
module("machine.py")
module("onewire.py")
module("heap_node.py")
package(
    "hedgerow",
    ("__init__.py", "emulate/__init__.py", "emulate/simclock.py"),
    base_path="../../../host_tools",
)
