"""Ctrl-C and SIGTERM for commands that own processes."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


async def until_stopped(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Its result, or None after Ctrl-C or SIGTERM: then it is cancelled and cleans up."""
    task = asyncio.ensure_future(coroutine)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return None
