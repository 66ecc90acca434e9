"""AT commands: lines, prompts, counted bytes; echoes, unasked lines, late and cancelled ones."""

import asyncio
import sys
import unittest

from hedge.core import log
from hedge.core.errors import ConfigError, LinkError
from hedge.net.modem import modem as modem_module
from hedge.net.modem import ppp, sim800, sim7080
from hedge.net.modem.at import At, _shown
from hedge.net.modem.at_lines import MAX_LINE_BYTES, AtLines
from hedge.net.modem.modem import Modem


def fed(parser, data, step):
    found = []
    for at in range(0, len(data), step):
        found += parser.feed(data[at : at + step])
    return found


class LinesTest(unittest.TestCase):
    def both(self, counted, data, expected, prompt=False):
        for step in (1, 3, 999):
            parser = AtLines(*counted)
            parser.wants_prompt = prompt
            self.assertEqual(fed(parser, data, step), expected)

    def test_lines(self):
        data = b"\r\n+CSQ: 18,99\r\n\r\nOK\r\n"
        self.both(sim7080.COUNTED, data, [("line", b"+CSQ: 18,99"), ("line", b"OK")])

    def test_a_prompt_only_where_one_is_wanted(self):
        self.both(sim7080.COUNTED, b"\r\n> ", [("prompt", b">")], prompt=True)
        self.both(sim7080.COUNTED, b"\r\n> no\r\n", [("line", b"> no")])

    def test_counted_bytes_may_be_any(self):
        data = b"\r\n+CARECV: 9,\r\nOK\r\n> \r\n\r\nOK\r\n"
        expected = [("data", b"\r\nOK\r\n> \r"), ("line", b"OK")]
        self.both(sim7080.COUNTED, data, expected)
        data = b"\r\n+CIPRXGET: 2,4,17\r\n\r\n\r\n\r\nOK\r\n"
        self.both(sim800.COUNTED, data, [("data", b"\r\n\r\n"), ("line", b"OK")])

    def test_no_bytes_are_a_line(self):
        self.both(sim7080.COUNTED, b"\r\n+CARECV: 0\r\n", [("line", b"+CARECV: 0")])
        line = b"+CIPRXGET: 2,0,0"
        self.both(sim800.COUNTED, b"\r\n" + line + b"\r\n", [("line", line)])

    def test_counts_that_cannot_be_are_lines(self):
        for count in (b"-1", b"99999", b"1461", b"x", b""):
            line = b"+CARECV: " + count + b",abc"
            self.both(sim7080.COUNTED, b"\r\n" + line + b"\r\n", [("line", line)])

    def test_an_endless_line_is_dropped_to_its_end(self):
        parser = AtLines(*sim7080.COUNTED)
        found = fed(parser, b"x" * 5000 + b"\r\nOK\r\n", 64)
        self.assertEqual(found, [("line", b"OK")])
        self.assertEqual(parser.dropped, 5001)
        self.assertTrue(len(parser._held) <= MAX_LINE_BYTES)


class FakeUart:
    """answers: {command: bytes, or a list of them}; what is not there is silence."""

    def __init__(self, answers):
        self.answers = answers
        self.written = b""
        self._inbox = b""
        self._arrived = asyncio.Event()

    def put(self, data):
        self._inbox += data
        self._arrived.set()

    async def readinto(self, buf):
        while not self._inbox:
            self._arrived.clear()
            await self._arrived.wait()
        n = min(len(buf), len(self._inbox), 5)
        buf[:n] = self._inbox[:n]
        self._inbox = self._inbox[n:]
        return n

    async def write(self, data, limit_ms):
        await asyncio.sleep_ms(0)
        self.written += data
        answer = self.answers.get(bytes(data).strip(b"\r\n"), b"")
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else b""
        self.put(answer)


OK = b"\r\nOK\r\n"


class AtTest(unittest.TestCase):
    def setUp(self):
        self._level, log.level = log.level, log.WARN + 1
        self.urcs = []
        self.ended = []

    def tearDown(self):
        log.level = self._level

    def play(self, answers, scenario):
        async def run():
            uart = FakeUart(answers)
            at = At(uart, AtLines(*sim7080.COUNTED), self.urcs.append, self.ended.append)
            at.start()
            try:
                return await scenario(at, uart)
            finally:
                at.stop()
                await asyncio.sleep_ms(1)

        return asyncio.run(run())

    def test_echo_answer_and_what_comes_unasked(self):
        said = b"AT+CSQ\r\r\n+CMTI: 1\r\n\r\n+CSQ: 18,99\r\n\r\n+CADATAIND: 0\r\n\r\nOK\r\n"

        async def scenario(at, uart):
            return await at.command("AT+CSQ", "+CSQ:")

        self.assertEqual(self.play({b"AT+CSQ": said}, scenario), [b"+CSQ: 18,99"])
        self.assertEqual(self.urcs, [b"+CMTI: 1", b"+CADATAIND: 0"])

    def test_no_is_told_in_the_modems_words_without_secrets(self):
        said = b"\r\n+CME ERROR: incorrect password\r\n"

        async def scenario(at, uart):
            await at.command('AT+CPIN="9999"')

        with self.assertRaises(LinkError) as caught:
            self.play({b'AT+CPIN="9999"': said}, scenario)
        text = "modem: AT+CPIN: +CME ERROR: incorrect password"
        self.assertEqual(str(caught.exception), text)

    def test_data_goes_out_after_the_prompt(self):
        async def scenario(at, uart):
            await at.command("AT+CASEND=0,4", data=b"\r\n>\x00")
            return uart.written

        answers = {b"AT+CASEND=0,4": b"\r\n> ", b">\x00": OK}
        self.assertEqual(self.play(answers, scenario), b"AT+CASEND=0,4\r\r\n>\x00")

    def test_counted_bytes(self):
        async def scenario(at, uart):
            first = await at.read_data("AT+CARECV=0,9", "+CARECV:")
            return first, await at.read_data("AT+CARECV=0,9", "+CARECV:")

        answers = {
            b"AT+CARECV=0,9": [b"\r\n+CARECV: 3,\r\n>\r\n" + OK, b"\r\n+CARECV: 0\r\n" + OK]
        }
        expected = ([], b"\r\n>"), ([b"+CARECV: 0"], b"")
        self.assertEqual(self.play(answers, scenario), expected)

    def test_silence(self):
        async def scenario(at, uart):
            await at.command("AT+CSQ", limit_ms=30)

        with self.assertRaises(LinkError) as caught:
            self.play({}, scenario)
        self.assertEqual(str(caught.exception), "modem: no answer to AT+CSQ")

    def test_a_cancelled_command_is_heard_out(self):
        """Or its OK, which comes late, would answer the next one."""

        async def scenario(at, uart):
            first = asyncio.create_task(at.command("AT+CACLOSE=0", limit_ms=5000))
            await asyncio.sleep_ms(10)
            first.cancel()
            second = asyncio.create_task(at.command("AT+CSQ", "+CSQ:"))
            await asyncio.sleep_ms(10)
            self.assertFalse(b"CSQ" in uart.written)
            uart.put(OK)
            return await second

        answers = {b"AT+CSQ": b"\r\n+CSQ: 9,99\r\n" + OK}
        self.assertEqual(self.play(answers, scenario), [b"+CSQ: 9,99"])

    def test_two_at_a_time_go_one_after_the_other(self):
        async def scenario(at, uart):
            asked = [asyncio.create_task(at.command("AT+C%d" % i, "+C%d" % i)) for i in (1, 2)]
            return [await asked[0], await asked[1]]

        answers = {b"AT+C1": b"\r\n+C1: a\r\n" + OK, b"AT+C2": b"\r\n+C2: b\r\n" + OK}
        self.assertEqual(self.play(answers, scenario), [[b"+C1: a"], [b"+C2: b"]])

    def test_answers_are_bounded(self):
        async def scenario(at, uart):
            return await at.command("AT+X", "+X:")

        said = b"\r\n+X: 1\r\n" * 500 + OK
        self.assertEqual(len(self.play({b"AT+X": said}, scenario)), 8)

    def test_sync_reads_late_answers_away(self):
        async def scenario(at, uart):
            uart.put(OK * 3)
            return await at.sync(4, 50)

        self.assertTrue(self.play({b"AT": OK}, scenario))
        self.assertEqual(self.urcs, [b"OK"] * 3)

    def test_sync_ends_an_interrupted_send(self):
        async def scenario(at, uart):
            found = await at.sync(4, 20)
            return found, uart.written.count(b"\x1b"), uart.written.count(b"\r")

        self.assertEqual(self.play({}, scenario), (False, 2, 4 + 2 * 1024))


class ModemTest(unittest.TestCase):
    """The power key, unasked lines, PPP; tests/interop has simulated modems."""

    def setUp(self):
        self._level, log.level = log.level, log.WARN + 1
        self._times = modem_module._PRESS_MS, modem_module._TRY_MS
        modem_module._PRESS_MS, modem_module._TRY_MS = 5, 20

    def tearDown(self):
        log.level = self._level
        modem_module._PRESS_MS, modem_module._TRY_MS = self._times

    def test_what_the_power_key_does(self):
        class Key:
            OUT = 1
            told = []

            def init(self, mode, value):
                self.told.append(value)

            def value(self, level):
                self.told.append(level)
                if not level:
                    uart.answers[b"AT"] = OK

        no_sim = b"\r\n+CME ERROR: SIM not inserted\r\n"
        uart = FakeUart({b"ATE0": OK, b"AT+CMEE=2": OK, b"AT+CPIN?": no_sim})
        modem = Modem(uart, sim7080, "internet", key=Key())

        async def scenario():
            try:
                await modem.bring_up()
            finally:
                modem.at.stop()

        with self.assertRaises(LinkError) as caught:
            asyncio.run(scenario())
        text = "modem: AT+CPIN?: +CME ERROR: SIM not inserted"
        self.assertEqual(str(caught.exception), text)
        self.assertEqual(Key.told, [0, 1, 0])

    def test_what_is_shown_of_a_line(self):
        self.assertEqual(_shown(b'AT+CPIN="1234"'), "AT+CPIN")
        self.assertEqual(_shown(b"+CME \x00\xff"), "+CME ??")

    def test_wild_bytes_in_an_answer_are_shown(self):
        uart = FakeUart(
            {
                b"AT+CPIN?": b"\r\n+CPIN: \xff\x9c\r\n" + OK,
                b'AT+CAOPEN=0,0,"TCP","h",1': b"\r\n+CAOPEN: 0,\xff\r\n" + OK,
            }
        )
        modem = Modem(uart, sim7080, "internet")
        poll_ms, modem_module._POLL_MS = modem_module._POLL_MS, 1

        async def scenario():
            modem.at.start()
            try:
                for work in (modem._unlock(), sim7080.open_tcp(modem.at, "h", 1, 500)):
                    try:
                        await work
                    except LinkError as e:
                        told.append(str(e))
            finally:
                modem.at.stop()

        told = []
        try:
            asyncio.run(scenario())
        finally:
            modem_module._POLL_MS = poll_ms
        self.assertEqual(told[0], "modem: SIM: ??")
        self.assertEqual(told[1], "modem: cannot connect to h:1 (+CAOPEN: 0,?)")

    def test_unasked_lines_that_mean_something(self):
        for kind, data, closed, off in (
            (sim7080, b"+CADATAIND: 0", b"+CASTATE: 0,0", b"+APP PDP: 0,DEACTIVE"),
            (sim800, b"+CIPRXGET: 1", b"CLOSED", b"+PDP: DEACT"),
        ):
            found = [kind.meaning(line) for line in (data, closed, off, b"RING", b"")]
            self.assertEqual(found, ["data", "closed", "off", None, None])
            self.assertEqual(kind.meaning(b"RDY"), "off")

    def test_ppp_takes_the_uart_after_connect(self):
        told = []

        class PPP:
            SEC_PAP = 2
            up = False

            def __init__(self, uart):
                told.append(("uart", uart))

            def connect(self, **security):
                told.append(security)
                self.up = True

            def isconnected(self):
                return self.up

            def disconnect(self):
                told.append("disconnect")
                self.up = False

        class Network:
            pass

        Network.PPP = PPP
        answers = {b'AT+CGDCONT=1,"IP","internet"': OK, b"ATD*99#": b"\r\nCONNECT 115200\r\n"}
        uart = FakeUart(answers)

        async def scenario():
            at = At(uart, AtLines(*sim7080.COUNTED), told.append, told.append)
            at.start()
            await ppp.dial(at, "the UART", "internet", "me", "secret")
            self.assertTrue(ppp.is_up())
            with self.assertRaises(LinkError):
                await at.command("AT")
            ppp.hang_up()
            self.assertFalse(ppp.is_up())

        before = sys.modules.get("network")
        sys.modules["network"] = Network
        try:
            asyncio.run(scenario())
        finally:
            if before is None:
                del sys.modules["network"]
            else:
                sys.modules["network"] = before
        security = {"security": 2, "user": "me", "key": "secret"}
        self.assertEqual(told, [("uart", "the UART"), security, "disconnect"])

    def test_without_network_ppp_it_says_so(self):
        class Network:
            pass

        before = sys.modules.get("network")
        sys.modules["network"] = Network
        try:
            with self.assertRaises(ConfigError):
                asyncio.run(ppp.dial(None, None, "internet"))
        finally:
            if before is None:
                del sys.modules["network"]
            else:
                sys.modules["network"] = before


if __name__ == "__main__":
    unittest.main()
