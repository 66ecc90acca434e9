"""Every reader of bytes from outside against spoilt packets: no crash, no hang, no growth.

    .venv/bin/python tests/fuzz.py                              10^6 packets for each reader
    .venv/bin/python tests/fuzz.py --packets 20000 --only mqtt  readers whose name contains it
    .venv/bin/python tests/fuzz.py --python cpython             the board's readers under CPython

A row each: packets, seconds, packets a second, CPU time of the slowest packet, bytes more at the
end than after the first tenth, then how many were taken, and refused by which error. What is found
is printed below with its packet in hex; the exit code is 1 then.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "fuzzing"))

from attacks import HEAD, attack, line, rows


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packets", type=int, default=1_000_000, help="for each reader")
    parser.add_argument("--only", action="append", default=[], help="part of a reader's name")
    parser.add_argument("--python", choices=("micropython", "cpython"), help="default: by reader")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    chosen = rows(arguments.only, arguments.python)
    if not chosen:
        print(f"no reader has {arguments.only} in its name", file=sys.stderr)
        return 2
    print(HEAD, flush=True)
    found = []
    for row in chosen:
        result = attack(row, arguments.packets, arguments.seed)
        found += result.findings
        print(line(result), flush=True)
        print("".join(f"    {text}\n" for text in result.findings), end="", flush=True)
    print(f"{len(chosen)} readers, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
