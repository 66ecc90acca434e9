"""Starts the supervisor. Whatever goes wrong with it ends at the REPL, never in a loop."""

try:
    import hedge_boot
except Exception as error:  # noqa: BLE001  a damaged supervisor must leave the board reachable
    import sys

    sys.print_exception(error)
    print("boot: no supervisor: run `hedgerow deploy` again")
else:
    hedge_boot.main()
