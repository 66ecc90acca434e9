"""Board data: what a board has, and which pins may do what.

    board = load_board("RPI_PICO_W")
    board.pin("GP26")      # "GPIO26"; ConfigError with a suggestion if there is no such pin
    board.pin_id("GP26")   # 26, what machine.Pin() takes
    board.adc_pin("GP26")  # as pin(), and ConfigError if the pin has no ADC

The data lies in boards/<NAME>/ (board.json, pins.csv); boards/README.md says what each key means.
"""

from hedgerow.boards.board import Board, I2CBus, SPIBus, UARTBus
from hedgerow.boards.load import board_names, load_board

__all__ = ["Board", "I2CBus", "SPIBus", "UARTBus", "board_names", "load_board"]
