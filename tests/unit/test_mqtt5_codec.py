"""MQTT 5 packets byte for byte. Expected bytes: OASIS MQTT 5.0, tables of sections 2 and 3."""

import unittest

from fake_mqtt import packets_in

from hedge.core.errors import LinkError
from hedge.net import mqtt5_props as props
from hedge.net import mqtt5_reasons
from hedge.net import mqtt_codec as codec
from hedge.net.mqtt5 import Wire
from hedge.net.mqtt5_codec import Parser


def _parse(data, limit=256, alias_max=0, piece=None):
    parser = Parser(limit)
    parser.alias_max = alias_max
    return packets_in(parser, data, piece)


def _code(data, **options):
    """The DISCONNECT code of the error that parsing raises."""
    try:
        _parse(data, **options)
    except LinkError as e:
        return e.code
    raise AssertionError("parsed: %r" % data)


def _wire(**options):
    return Wire(256, **options)


def _is_text(name):
    ends = ("_type", "_topic", "_data", "_id", "_method", "_string", "_reference", "_info")
    numbers = ("subscription_id", "request_problem_info", "request_response_info")
    return name.endswith(ends) and name not in numbers


class TestProperties(unittest.TestCase):
    def test_each_kind_out_and_in(self):
        for name, value, place, encoded in (
            ("payload_format", 1, props.PUBLISH, b"\x02\x01\x01"),
            ("message_expiry_s", 0x01020304, props.PUBLISH, b"\x05\x02\x01\x02\x03\x04"),
            ("content_type", "\xe9", props.PUBLISH, b"\x05\x03\x00\x02\xc3\xa9"),
            ("correlation_data", b"\x00\xff", props.PUBLISH, b"\x05\x09\x00\x02\x00\xff"),
            ("receive_max", 513, props.CONNACK, b"\x03\x21\x02\x01"),
            ("max_packet_bytes", 268435455, props.CONNACK, b"\x05\x27\x0f\xff\xff\xff"),
            ("max_qos", 1, props.CONNACK, b"\x02\x24\x01"),
            (
                "user",
                [("a", "b"), ("a", "c")],
                props.DISCONNECT,
                b"\x0e" + b"\x26\x00\x01a\x00\x01b\x26\x00\x01a\x00\x01c",
            ),
        ):
            self.assertEqual(props.encode({name: value}, place), encoded)
            found, at = props.decode(memoryview(encoded), 0, place)
            self.assertEqual((found, at), ({name: value}, len(encoded)))

    def test_where_each_may_stand(self):
        """Table 2-4, by name: elsewhere it is refused, going out and coming in."""
        everywhere = [1 << bit for bit in range(9)]
        message = (props.PUBLISH, props.WILL)
        session = (props.CONNECT, props.CONNACK)
        allowed = {
            "payload_format": message,
            "message_expiry_s": message,
            "content_type": message,
            "response_topic": message,
            "correlation_data": message,
            "subscription_id": (props.PUBLISH, props.SUBSCRIBE),
            "session_expiry_s": session + (props.DISCONNECT,),
            "will_delay_s": (props.WILL,),
            "server_reference": (props.CONNACK, props.DISCONNECT),
            "reason_string": (props.CONNACK, props.ACK, props.SUBACK, props.DISCONNECT),
            "receive_max": session,
            "topic_alias_max": session,
            "max_packet_bytes": session,
            "auth_method": session,
            "topic_alias": (props.PUBLISH,),
            "request_problem_info": (props.CONNECT,),
            "user": everywhere,
        }
        for name in ("assigned_client_id", "server_keepalive_s", "response_info", "max_qos"):
            allowed[name] = (props.CONNACK,)
        for name, places in allowed.items():
            value = [("a", "b")] if name == "user" else "x" if _is_text(name) else 1
            encoded = b"" if name == "topic_alias" else props.encode({name: value}, places[-1])
            for place in everywhere:
                if place == props.PUBLISH and name in ("subscription_id", "topic_alias"):
                    self.assertRaises(ValueError, props.encode, {name: value}, place)
                    encoded = b"\x03\x23\x00\x01" if name == "topic_alias" else encoded
                elif place in places:
                    self.assertEqual(props.encode({name: value}, place), encoded)
                if place in places:
                    self.assertIn(name, props.decode(memoryview(encoded), 0, place)[0])
                else:
                    self.assertRaises(ValueError, props.encode, {name: value}, place)
                    self.assertRaises(LinkError, props.decode, memoryview(encoded), 0, place)

    def test_none_are_one_byte(self):
        self.assertEqual(props.encode(None, props.PUBLISH), b"\x00")
        self.assertEqual(props.decode(memoryview(b"\x00x"), 0, props.PUBLISH), (None, 1))

    def test_subscription_ids_come_as_a_list(self):
        found, _ = props.decode(memoryview(b"\x05\x0b\x01\x0b\x80\x01"), 0, props.PUBLISH)
        self.assertEqual(found, {"subscription_id": [1, 128]})

    def test_what_may_not_be_sent(self):
        for properties, place in (
            ({"nonsense": 1}, props.PUBLISH),
            ({"receive_max": 1}, props.PUBLISH),
            ({"receive_max": 0}, props.CONNECT),
            ({"receive_max": 65536}, props.CONNECT),
            ({"payload_format": 2}, props.PUBLISH),
            ({"message_expiry_s": -1}, props.PUBLISH),
            ({"subscription_id": 0}, props.SUBSCRIBE),
            ({"response_topic": "a/+"}, props.PUBLISH),
        ):
            self.assertRaises(ValueError, props.encode, properties, place)

    def test_malformed_ones_name_their_code(self):
        for encoded, place, code in (
            (b"\x01\x7e", props.PUBLISH, 0x81),  # no such property
            (b"\x03\x21\x00\x01", props.PUBLISH, 0x82),  # of CONNACK
            (b"\x04\x01\x00\x01\x01", props.PUBLISH, 0x82),  # twice
            (b"\x02\x01\x02", props.PUBLISH, 0x82),  # a flag of 2
            (b"\x03\x21\x00\x00", props.CONNACK, 0x94),
            (b"\x05\x27\x00\x00\x00\x00", props.CONNACK, 0x82),
            (b"\x02\x0b\x00", props.PUBLISH, 0x82),
            (b"\x02\x02\x00", props.PUBLISH, 0x81),  # cut off
            (b"\x04\x03\x00\x05a", props.PUBLISH, 0x81),  # longer than the properties
            (b"\x04\x03\x00\x01\xff", props.PUBLISH, 0x81),  # not UTF-8
            (b"\x04\x03\x00\x01\x00", props.PUBLISH, 0x81),
            (b"\x05\x00", props.PUBLISH, 0x81),  # longer than the packet
            (b"\x80\x00", props.PUBLISH, 0x81),  # a length in more bytes than it needs
            (b"\xff\xff\xff\xff\x01", props.PUBLISH, 0x81),
        ):
            try:
                props.decode(memoryview(encoded), 0, place)
                raise AssertionError("decoded: %r" % encoded)
            except LinkError as e:
                self.assertEqual((e.code, encoded), (code, encoded))


class TestEncode(unittest.TestCase):
    def test_connect(self):
        wire = _wire(session_expiry_s=10, receive_max=3, will_properties={"will_delay_s": 5})
        packet = wire.connect("a", 10, True, ("w", b"x", 1, False), "u", "p")
        head = b"\x00\x04MQTT\x05\xce\x00\x0a"
        more = b"\x11\x00\x00\x00\x0a" + b"\x21\x00\x03" + b"\x27\x00\x00\x01\x00"
        will = b"\x05\x18\x00\x00\x00\x05" + b"\x00\x01w\x00\x01x"
        self.assertEqual(packet[:12], b"\x10" + bytes((len(packet) - 2,)) + head)
        order = sorted((more[:5], more[5:8], more[8:]))
        got = packet[13:26]
        self.assertEqual(packet[12], 13)
        self.assertEqual(sum(got), sum(b"".join(order)))  # a dict of MicroPython has no order
        self.assertEqual(packet[26:], b"\x00\x01a" + will + b"\x00\x01u\x00\x01p")

    def test_a_password_needs_no_user(self):
        packet = _wire().connect("a", 0, False, None, None, "p")
        self.assertEqual(packet[9], 0x40)

    def test_publish(self):
        wire = _wire()
        self.assertEqual(bytes(wire.publish("a/b", b"hi")), b"\x30\x08\x00\x03a/b\x00hi")
        packet = wire.publish("a/b", b"hi", 2, True, 10, {"message_expiry_s": 9})
        self.assertEqual(bytes(packet), b"\x35\x0f\x00\x03a/b\x00\x0a\x05\x02\x00\x00\x00\x09hi")

    def test_the_rest(self):
        wire = _wire()
        self.assertEqual(wire.ack(codec.PUBACK, 5), b"\x40\x02\x00\x05")
        self.assertEqual(wire.ack(codec.PUBREL, 5, 0x92), b"\x62\x03\x00\x05\x92")
        packet = wire.subscribe(10, "a/b", 1, no_local=True, as_published=True, retained=2)
        self.assertEqual(packet, b"\x82\x09\x00\x0a\x00\x00\x03a/b\x2d")
        packet = wire.subscribe(10, "a", 0, properties={"subscription_id": 300})
        self.assertEqual(packet, b"\x82\x0a\x00\x0a\x03\x0b\xac\x02\x00\x01a\x00")
        self.assertEqual(wire.unsubscribe(10, "a"), b"\xa2\x06\x00\x0a\x00\x00\x01a")
        self.assertEqual(wire.disconnect(), b"\xe0\x02\x00\x00")
        self.assertEqual(wire.disconnect(4), b"\xe0\x02\x04\x00")
        packet = wire.disconnect(0, {"session_expiry_s": 0})
        self.assertEqual(packet, b"\xe0\x07\x00\x05\x11\x00\x00\x00\x00")

    def test_aliases_are_used_from_the_second_time_on(self):
        wire = _wire(topic_aliases=1)
        kept = wire.publish("t", b"x", 1, False, 3)
        self.assertEqual(bytes(kept), b"\x32\x07\x00\x01t\x00\x03\x00x")
        self.assertIs(wire.outgoing(kept), kept)  # the broker told no maximum yet
        wire.set_limits({"topic_alias_max": 9})

        def goes_out(*message):
            return bytes(wire.outgoing(wire.publish(*message)))

        self.assertEqual(goes_out("t", b"x"), b"\x30\x08\x00\x01t\x03\x23\x00\x01x")
        self.assertEqual(goes_out("t", b"x"), b"\x30\x07\x00\x00\x03\x23\x00\x01x")
        self.assertEqual(goes_out("u", b"x"), b"\x30\x05\x00\x01u\x00x")
        short = wire.outgoing(kept)
        self.assertEqual(bytes(short), b"\x32\x09\x00\x00\x00\x03\x03\x23\x00\x01x")
        self.assertEqual(bytes(kept), b"\x32\x07\x00\x01t\x00\x03\x00x")
        codec.mark_dup(kept, True)
        self.assertIs(wire.outgoing(kept), kept)
        more = {"message_expiry_s": 9}
        packet = goes_out("t", b"xy", 2, True, 10, more)
        expected = b"\x35\x0f\x00\x00\x00\x0a\x08\x23\x00\x01\x02\x00\x00\x00\x09xy"
        self.assertEqual(packet, expected)

    def test_an_alias_never_makes_a_packet_too_large(self):
        """MQTT-3.2.2-15; an alias counts as known once a packet with it went out."""
        wire = _wire(topic_aliases=1)
        wire.set_limits({"topic_alias_max": 1, "max_packet_bytes": 9})
        for qos in (0, 1):
            exact = wire.publish("t", b"xyz"[2 * qos :], qos, False, qos)
            self.assertIs(wire.outgoing(exact), exact)
        with self.assertRaises(LinkError):
            wire.outgoing(wire.publish("t", b"12345"))
        with self.assertRaises(LinkError):
            wire.outgoing(wire.subscribe(1, "a/long/topic", 0))
        self.assertEqual(wire.outgoing(wire.publish("t", b""))[3:5], b"\x01t")
        self.assertEqual(wire.outgoing(wire.publish("t", b""))[2:4], b"\x00\x00")


class TestDecode(unittest.TestCase):
    def test_each_packet_a_server_sends(self):
        stream = (
            b"\x20\x06\x01\x00\x03\x21\x00\x05"
            b"\x20\x0a\x00\x87\x07\x1f\x00\x04no!!"
            b"\x32\x09\x00\x03a/b\x00\x07\x00!"
            b"\x30\x0a\x00\x01d\x06\x26\x00\x01k\x00\x00"
            b"\x40\x02\x00\x09"
            b"\x40\x03\x00\x09\x10"
            b"\x50\x04\x00\x09\x97\x00"
            b"\x62\x02\x00\x0a"
            b"\x70\x03\x00\x0a\x92"
            b"\x90\x05\x00\x0a\x00\x01\x87"
            b"\xb0\x04\x00\x0b\x00\x11"
            b"\xd0\x00"
            b"\xe0\x00"
            b"\xe0\x01\x8e"
            b"\xe0\x02\x8b\x00"
        )
        expected = [
            (codec.CONNACK, True, 0, {"receive_max": 5}),
            (codec.CONNACK, False, 0x87, {"reason_string": "no!!"}),
            (codec.PUBLISH, "a/b", b"!", 1, False, False, 7, None),
            (codec.PUBLISH, "d", b"", 0, False, False, 0, {"user": [("k", "")]}),
            (codec.PUBACK, 9, 0, None),
            (codec.PUBACK, 9, 0x10, None),
            (codec.PUBREC, 9, 0x97, None),
            (codec.PUBREL, 10, 0, None),
            (codec.PUBCOMP, 10, 0x92, None),
            (codec.SUBACK, 10, b"\x01\x87", None),
            (codec.UNSUBACK, 11, b"\x11", None),
            (codec.PINGRESP,),
            (codec.DISCONNECT, 0, None),
            (codec.DISCONNECT, 0x8E, None),
            (codec.DISCONNECT, 0x8B, None),
        ]
        for piece in (1, 2, 3, 5, 7, None):
            self.assertEqual(_parse(stream, 64, piece=piece), expected)

    def test_a_broker_of_3_1_1_is_understood(self):
        self.assertEqual(_parse(b"\x20\x02\x00\x01"), [(codec.CONNACK, False, 0x84, {})])

    def test_topic_aliases(self):
        stream = b"\x30\x07\x00\x01t\x03\x23\x00\x02" + b"\x30\x06\x00\x00\x03\x23\x00\x02"
        topics = [p[1] for p in _parse(stream, alias_max=2)]
        self.assertEqual(topics, ["t", "t"])
        self.assertEqual(_code(stream, alias_max=1), 0x94)
        self.assertEqual(_code(stream[9:], alias_max=2), 0x82)

    def test_malformed_packets_name_their_code(self):
        for data, code in (
            (b"\x00\x00", 0x82),
            (b"\xf0\x00", 0x82),  # AUTH, never asked for
            (b"\x10\x00", 0x82),
            (b"\x20\x02\x00\x00", 0x81),  # no properties
            (b"\x20\x03\x02\x00\x00", 0x81),
            (b"\x20\x03\x01\x87\x00", 0x82),  # session present on a refusal
            (b"\x20\x03\x00\x04\x00", 0x82),  # no reason of CONNACK
            (b"\x20\x04\x00\x00\x00\x00", 0x81),  # bytes behind the properties
            (b"\x36\x07\x00\x01a\x00\x01\x00x", 0x81),
            (b"\x38\x04\x00\x01a\x00", 0x81),
            (b"\x30\x03\x00\x00\x00", 0x82),  # no topic and no alias
            (b"\x30\x04\x00\x01#\x00", 0x81),
            (b"\x32\x06\x00\x01a\x00\x00\x00", 0x81),
            (b"\x30\x03\x00\x01a", 0x81),  # no properties
            (b"\x40\x01\x00", 0x81),
            (b"\x40\x02\x00\x00", 0x81),
            (b"\x40\x03\x00\x01\x92", 0x82),
            (b"\x60\x02\x00\x01", 0x81),
            (b"\x90\x03\x00\x01\x00", 0x81),  # no codes
            (b"\x90\x04\x00\x01\x00\x03", 0x82),
            (b"\xb0\x02\x00\x01", 0x81),
            (b"\xd0\x01\x00", 0x81),
            (b"\xe0\x01\x04", 0x82),  # of clients only
            (b"\x30\xff\xff\xff\xff\x01", 0x81),
            (b"\xd0\x80\x00", 0x81),  # length with needless bytes
            (b"\x30\x84\x80\x00\x00\x01a\x00", 0x81),
            (b"\x40\x09\x00\x01\x00\x05\x1f\x00\x02\xc0\x80", 0x81),  # text with needless bytes
            (b"\x30\x80\x02" + bytes(10), 0x95),  # 259 bytes, at most 256
        ):
            self.assertEqual((_code(data), data), (code, data))

    def test_a_cut_packet_is_waited_for(self):
        whole = b"\x32\x0f\x00\x03a/b\x00\x07\x06\x26\x00\x01k\x00\x00!"
        whole = whole[:1] + bytes((len(whole) - 2,)) + whole[2:]
        for n in range(len(whole)):
            self.assertEqual(_parse(whole[:n]), [])


class TestReasons(unittest.TestCase):
    def test_in_words(self):
        self.assertEqual(mqtt5_reasons.name(0x97), "quota exceeded (0x97)")
        self.assertEqual(mqtt5_reasons.name(0x77), "reason 0x77")
        said = _wire().refusal(0x9D, {"server_reference": "b.farm"})
        self.assertEqual(said, "server moved (0x9d): b.farm")
