"""A real half-written record: the operating system refuses the rest of a write.

RLIMIT_FSIZE ends each file at a length the store does not expect; the write that crosses it is
partial, the next one fails with EFBIG.
"""

import os
import resource
import signal
import subprocess

from hedge.store import audit

_SCRIPT = """
import sys
from hedge.store import Store
store = Store(sys.argv[1], segment_bytes=8192)
store.open()
for i in range(1, 301):
    assert store.append(1, b"record %06d" % i) == i
print(store.pending(), store.refused)
"""


def _limit_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))


def test_every_append_survives_partial_writes(micropython, repo_dir, tmp_path):
    folder = tmp_path / "log"
    env = dict(os.environ, MICROPYPATH=f"{repo_dir}/firmware:.frozen")
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    done = subprocess.run(
        [str(micropython), str(script), str(folder)],
        env=env,
        preexec_fn=_limit_files,
        restore_signals=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.stdout == "300 0\n", done.stdout + done.stderr
    torn = [path for path in folder.glob("*.log") if path.stat().st_size == 700]
    assert torn, "no write was cut: the limit did not work"
    assert [seq for _, _, seq, _ in audit(str(folder))] == list(range(1, 301))
