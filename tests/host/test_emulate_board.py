"""The raw REPL's protocol, and where blobs are laid, without a board."""

import pytest

from hedgerow.emulate.board import Region
from hedgerow.emulate.pipe_line import PipeLine
from hedgerow.emulate.raw_repl import RawRepl
from hedgerow.errors import DeviceError


class Answers:
    """A link that plays back answers and keeps what was sent."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    def talk(self, send, until, timeout_s):
        self.sent.append(send)
        answer = self.answers.pop(0)
        assert answer.endswith(until)
        return answer


def test_source_is_sent_with_ctrl_d_and_what_it_prints_comes_back():
    link = Answers(b"OKone\r\ntwo\r\n\x04\x04>")
    assert RawRepl(link, "pico").run("print(1)", 1.0) == "one\ntwo\n"
    assert link.sent == [b"print(1)\x04"]


def test_a_traceback_is_an_error_with_what_was_printed_before():
    link = Answers(b"OKbefore\r\n\x04Traceback:\r\nValueError: 3\r\n\x04>")
    with pytest.raises(DeviceError) as caught:
        RawRepl(link, "pico").run("", 1.0)
    assert str(caught.value) == "pico: the program failed:\nbefore\nTraceback:\nValueError: 3"


def test_a_ctrl_d_that_the_program_prints_is_kept():
    assert RawRepl(Answers(b"OKa\x04b\x04\x04>"), "pico").run("", 1.0) == "a\x04b"


def test_another_answer_is_told():
    with pytest.raises(DeviceError, match="unexpected answer of the raw REPL"):
        RawRepl(Answers(b"raw\x04>"), "pico").run("", 1.0)


def test_blobs_are_aligned_and_follow_each_other():
    region = Region(0x1000, 0x1100)
    assert [region.take(1), region.take(64), region.take(65)] == [0x1000, 0x1040, 0x1080]


def test_a_blob_that_does_not_fit_is_told_with_what_is_free():
    region = Region(0x1000, 0x1100)
    region.take(100)
    with pytest.raises(DeviceError, match=r"129 bytes do not fit .* 128 bytes are free"):
        region.take(129)


def test_what_is_staged_takes_no_place():
    region = Region(0x1000, 0x1100)
    assert region.at_next(200) == 0x1000
    assert region.take(200) == 0x1000


def test_an_answer_comes_in_pieces_and_long_text_goes_out():
    with PipeLine("echo", ["cat"]) as line:
        sent = bytes(range(1, 200)) * 2000 + b"end"
        assert line.talk(sent, b"end", 10.0) == sent


def test_no_answer_in_time_is_told_with_what_came():
    with PipeLine("echo", ["cat"]) as line, pytest.raises(DeviceError) as caught:
        line.talk(b"half", b"end", 0.2)
    assert "echo: no answer within 0.2 s" in str(caught.value)
    assert str(caught.value).endswith("half")


def test_a_process_that_ends_is_told_with_its_last_words():
    with (
        PipeLine("shell", ["sh", "-c", "echo out of paper >&2"]) as line,
        pytest.raises(DeviceError, match="shell: the process ended\n  out of paper"),
    ):
        line.talk(b"", b"never", 5.0)


def test_a_program_that_is_not_there_is_told():
    with pytest.raises(DeviceError, match="node: cannot start no-such-program"):
        PipeLine("node", ["no-such-program"])
