"""What is frozen into a firmware that has hedge in it: code then runs from flash, not from RAM.

A MicroPython manifest (docs: "MicroPython manifest files"); how to use it is in README.md here.
asyncio is a part of every firmware but the bare Unix port; freezing it twice does no harm.
"""

# ruff: noqa: F821  include() and package() are words of the manifest
include("$(MPY_DIR)/extmod/asyncio")
package("hedge", opt=1)  # without asserts and __debug__: the drivers' tables stay on the host
