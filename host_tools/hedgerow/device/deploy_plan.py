"""What a deploy has to do, from what is wanted and what the board has. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

Files = Mapping[str, tuple[int, str]]  # path -> (bytes, first 16 hex digits of SHA-256)
_PART = ".part"


@dataclass(frozen=True)
class Plan:
    """Paths by what is done with each, in the order in which it is done."""

    remove: tuple[str, ...]
    copy: tuple[str, ...]  # from the slot that runs
    send: tuple[tuple[str, int], ...]  # and from which offset
    keep: tuple[str, ...]

    def bytes_to_send(self, wanted: Mapping[str, bytes]) -> int:
        return sum(len(wanted[path]) - offset for path, offset in self.send)

    def blocks_to_write(self, wanted: Mapping[str, bytes], spare: Files, block_bytes: int) -> int:
        """Blocks of the file system beyond those that removing gives back; one a file is spare."""
        written = [len(wanted[path]) for path in (*self.copy, *(path for path, _ in self.send))]
        freed = [spare[path][0] for path in self.remove]
        blocks = sum(-(-size // block_bytes) + 1 for size in written)
        return blocks - sum(size // block_bytes for size in freed)


def describe(data: bytes) -> tuple[int, str]:
    return len(data), hashlib.sha256(data).hexdigest()[:16]


def plan(wanted: Mapping[str, bytes], spare: Files, active: Files) -> Plan:
    """How the spare slot comes to hold wanted. spare: also PATH.part files of an earlier try."""
    copy, send, keep = [], [], []
    for path, data in sorted(wanted.items()):
        if spare.get(path) == describe(data):
            keep.append(path)
        elif active.get(path) == describe(data):
            copy.append(path)
        else:
            send.append((path, _resume_at(data, path, spare)))
    used = {*wanted, *(path + _PART for path, offset in send if offset)}
    remove = [path for path in sorted(spare) if path not in used]
    return Plan(tuple(remove), tuple(copy), tuple(send), tuple(keep))


def _resume_at(data: bytes, path: str, spare: Files) -> int:
    """Bytes of data that PATH.part already has, 0 if it holds anything else."""
    size, sha = spare.get(path + _PART, (0, ""))
    return size if 0 < size <= len(data) and describe(data[:size])[1] == sha else 0
