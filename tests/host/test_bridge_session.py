"""The host's end of a board's serial link, without port and broker."""

from hypothesis import given
from hypothesis import strategies as st

from hedge.net.serial_lines import LONGEST_TO_BOARD, NO_SESSION, Lines, pack
from hedgerow.bridge.session import Refused, Session

ID, OTHER = b"\x12\x34", b"\x12\x35"
HELLO = b"\x01\x00\x3c"


class FakeClient:
    def __init__(self):
        self.ready, self.sessions, self.failures, self.reason = True, 1, 0, "broker is away"
        self.info, self.frames, self.closed = b"", [], False

    def set_info(self, info):
        self.info = info

    def publish(self, frame):
        self.frames.append(frame)
        return True

    def close(self):
        self.closed = True


class Board:
    """What a session is given, and what it says: `heard` is [(kind, body)] on the board."""

    def __init__(self, client=None, refusal=""):
        self.client, self.refusal = client or FakeClient(), refusal
        self.heard, self.told, self.texts, self.entered = [], [], [], []
        self._lines = Lines(LONGEST_TO_BOARD)
        self.session = Session(self._hear, self._enter, self._text, self.told.append)

    def _hear(self, line):
        self.heard += self._lines.feed(line)

    def _enter(self, name, on_ack):
        if self.refusal:
            raise Refused(self.refusal)
        self.entered.append(name)
        return self.client

    def _text(self, name, line):
        self.texts.append((name, line))

    def say(self, kind, body=b"", session=ID, now_s=0.0):
        self.session.feed(pack(kind, session + body), now_s)

    def hello(self, name=b"bed-3", **how):
        self.say("H", HELLO + name, **how)

    def take(self):
        heard, self.heard = self.heard, []
        return heard


def test_a_session_from_hello_to_goodbye():
    board = Board()
    board.hello()
    board.say("I", b"info")
    board.say("U", b"frame")
    board.say("P")
    board.session.give_ack(b"ack")
    board.say("B")
    assert board.take() == [("w", ID), ("p", ID), ("a", ID + b"ack")]
    client = board.client
    assert (client.info, client.frames, client.closed) == (b"info", [b"frame"], True)
    assert board.told == ["bed-3: online", "bed-3: offline"]
    board.session.give_ack(b"late")
    assert board.take() == []


def test_text_is_passed_on_with_the_boards_name_once_it_is_known():
    board = Board()
    board.session.feed(b"boot: slot a starts main\r\n", 0)
    board.hello()
    board.session.feed(b"1 I node: ready\n", 0)
    assert board.texts == [("", b"boot: slot a starts main"), ("bed-3", b"1 I node: ready")]


def test_it_waits_for_the_broker_and_says_why_it_gives_up():
    board = Board()
    board.client.ready = False
    board.hello()
    board.session.tick(7)
    assert board.take() == []
    board.session.tick(9)
    assert board.take() == [("n", ID + b"broker is away")]
    board.session.tick(20)
    board.say("U", b"frame", now_s=20)
    assert board.take() == [("n", ID + b"unknown session")]
    board.client.ready = True
    board.hello(session=OTHER, now_s=21)
    assert board.take() == [("w", OTHER)]
    assert board.entered == ["bed-3"]


def test_a_failed_attempt_is_told_at_once():
    board = Board()
    board.client.ready = False
    board.hello()
    board.client.failures = 1
    board.session.tick(0.1)
    assert board.take() == [("n", ID + b"broker is away")]


def test_a_broker_lost_and_back_between_two_looks_ends_the_session():
    board = Board()
    board.hello()
    board.client.sessions = 2  # subscriptions are new: acks may have been lost
    board.session.tick(1)
    assert board.take() == [("w", ID), ("n", ID + b"lost the broker")]


def test_silence_for_one_and_a_half_keepalives_is_offline():
    board = Board()
    board.hello()
    board.session.tick(99)
    assert not board.client.closed
    board.session.tick(101)
    assert board.client.closed
    assert board.told[-2:] == ["bed-3: silent for 100 s: offline", "bed-3: offline"]


def test_what_is_not_taken():
    for hello, why in (
        (b"\x02\x00\x3cbed-3", b"version 2, this bridge speaks 1"),
        (b"\x01\x00\x3c", b"device name"),
        (b"\x01\x00\x3cbed/3", b"device name 'bed/3'"),
        (b"\x01\x00\x3c+", b"device name '+'"),
        (b"\x01\x00\x3c" + b"x" * 25, b"1 to 24 of a-z 0-9 -"),
        (b"", b"version ?"),
    ):
        board = Board()
        board.say("H", hello)
        ((kind, body),) = board.take()
        assert kind == "n"
        assert why in body, body
    board = Board(refusal="the board at /dev/ttyACM1 is called bed-3 too")
    board.hello()
    assert b"called bed-3 too" in board.take()[0][1]


def test_an_echo_of_our_own_is_no_message():
    board = Board()
    board.hello()
    board.session.feed(pack("w", ID) + pack("a", ID + b"ack") + pack("n", ID + b"no"), 0)
    assert board.take() == [("w", ID)]


def test_another_name_on_the_port_takes_the_place_of_the_first():
    board = Board()
    board.hello()
    first, board.client = board.client, FakeClient()
    board.hello(b"bed-4", session=OTHER)
    assert first.closed
    assert board.entered == ["bed-3", "bed-4"]


def test_the_end_of_the_bridge_is_told_to_the_board():
    board = Board()
    board.hello()
    board.session.end("the bridge ends")
    assert board.take()[-1] == ("n", ID + b"the bridge ends")
    assert board.client.closed


def ticked(board, *times_s):
    """What the board hears at each of these times."""
    found = []
    for now_s in times_s:
        board.session.tick(now_s)
        found.append(board.take())
    return found


def test_a_silent_board_is_told_three_times_that_a_bridge_is_here():
    here = [("h", NO_SESSION + b"\x01")]
    heard = ticked(Board(), 100, 100.5, 101, 102, 103, 110, 1000)
    assert heard == [here, [], here, [], here, [], []]


def test_a_board_that_has_spoken_is_not_told():
    board = Board()
    board.session.tick(0)
    board.take()
    board.say("P", now_s=0.1)
    assert board.take() == [("n", ID + b"unknown session")]
    assert ticked(board, 1, 3, 10) == [[], [], []]


def test_the_board_is_told_when_the_broker_for_which_it_was_sent_away_is_there():
    board = Board()
    board.hello()
    board.client.ready = False
    lost = [("w", ID), ("n", ID + b"lost the broker")]
    assert ticked(board, 1, 2) == [lost, []]
    board.client.ready = True
    assert ticked(board, 3, 4) == [[("h", NO_SESSION + b"\x01")], []]


@given(st.lists(st.binary(max_size=400), max_size=8), st.integers(0, 2**32))
def test_nothing_that_a_line_brings_breaks_a_session(pieces, seed):
    board = Board()
    board.hello()
    for at, piece in enumerate(pieces):
        board.session.feed(piece, at)
        board.session.feed(pack("HIUPBxyz"[(seed >> 3 * at) % 8], piece), at)
        board.session.tick(at)
    board.session.feed(b"\n", 10)
    board.hello(session=OTHER, now_s=10)
    board.say("U", b"frame", session=OTHER, now_s=10)
    assert ("w", OTHER) in board.heard
    assert board.client.frames[-1] == b"frame"
