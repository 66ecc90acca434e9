"""An RP2 board in boot mode: a folder that takes a UF2 file, as its boot ROM's drive does.

Source: RP2040 datasheet 2.8.4 (USB mass storage interface). The drive vanishes once every block
has come; a file of another family, or one that ends early, is left lying there.
"""

import shutil
import struct
import subprocess
import threading

INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: {}\r\n"


class Uf2Board:
    """with Uf2Board(folder) as board: ... board.flash, board.restarted

    unplug_after: the drive is gone once this many bytes of the file are there. fat_image: a disk
    image that the file passes through; the blocks are then looked for in its sectors, as the boot
    ROM does, which knows of no files.
    """

    def __init__(
        self,
        folder,
        board_id="RPI-RP2",
        family=0xE48BFF56,
        *,
        unplug_after=None,
        fat_image=None,
    ):
        self.drive = folder
        self.flash = bytearray(b"\xff" * (2 << 20))
        self.restarted = threading.Event()
        self._family, self._unplug_after, self._fat = family, unplug_after, fat_image
        if fat_image:
            fat_image.write_bytes(bytes(16 << 20))
            _mtools("mformat", fat_image, "::")
        self._stop = threading.Event()
        folder.mkdir()
        (folder / "INFO_UF2.TXT").write_text(INFO.format(board_id))
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(90)
        assert not self._thread.is_alive()

    def _watch(self):
        while not self._stop.wait(0.005):
            data = self._sectors()
            if self._unplug_after is not None and len(data) >= self._unplug_after:
                shutil.rmtree(self.drive)
                return
            if self._take(data):
                self.restarted.set()  # first: who sees the drive gone may ask at once
                shutil.rmtree(self.drive)
                return

    def _sectors(self):
        files = list(self.drive.glob("*.uf2"))
        if not self._fat:
            return b"".join(path.read_bytes() for path in files)
        for path in files:
            _mtools("mcopy", "-o", self._fat, path, "::firmware.uf2")
        return self._fat.read_bytes()

    def _take(self, data):
        """True once every block of this chip's family has come."""
        numbers = set()
        count = None
        for at in range(0, len(data) - len(data) % 512, 512):
            fields = struct.unpack_from("<IIIIIIII", data, at)
            magic, _, _, address, size, number, total, family = fields
            if magic == 0x0A324655 and family == self._family:
                count = total
                numbers.add(number)
                start = address - 0x10000000
                self.flash[start : start + size] = data[at + 32 : at + 32 + size]
        return count is not None and len(numbers) == count


def _mtools(name, *rest):
    """Run one of the mtools on the disk image, which is the first path among rest."""
    options = [part for part in rest if part == "-o"]
    image, *others = [str(part) for part in rest if part != "-o"]
    subprocess.run([name, *options, "-i", image, *others], check=True, capture_output=True)
