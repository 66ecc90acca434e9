"""Every op of a .hgm on small models: TFLM's outputs, slices, no heap, profile.

infer_ops.json is written by tests/host/test_infer_vectors.py.
"""

import json
import sys
import unittest
from binascii import unhexlify

from hedge.core.errors import ModelError
from hedge.infer import Model, ops, plan

MICROPYTHON = sys.implementation.name == "micropython"
if MICROPYTHON:
    from micropython import heap_lock, heap_unlock

KERNELS = ("portable", "viper") if MICROPYTHON else ("portable",)
FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."


def load():
    with open(FOLDER + "/infer_ops.json") as file:
        return json.load(file)


CASES = load()


def hgm(name):
    return unhexlify(CASES[name]["hgm"])


def fill(model, row):
    data = unhexlify(row)
    for i in range(len(data)):
        model.input[i] = data[i] - 256 if data[i] > 127 else data[i]


def output(model):
    return bytes([value & 255 for value in model.output])


class OpsTest(unittest.TestCase):
    def assert_equals_tflm(self, kernels, invoke):
        for name, case in CASES.items():
            model = Model(hgm(name), kernels=kernels)
            for x, y in zip(case["input"], case["output"]):
                model.reset()
                fill(model, x)
                invoke(model)
                self.assertEqual(output(model), unhexlify(y), "%s in %s" % (name, kernels))

    def test_equals_tflm(self):
        for kernels in KERNELS:
            self.assert_equals_tflm(kernels, lambda model: model.invoke())

    def test_slices_equal_the_whole(self):
        def by_slices(model):
            for _ in range(1000):
                if not model.invoke_step(2):
                    return
            self.fail("does not end")

        for kernels in KERNELS:
            self.assert_equals_tflm(kernels, by_slices)

    def test_slices_are_many(self):
        model = Model(hgm("network"))
        slices = 1
        while model.invoke_step(1):
            slices += 1
        self.assertEqual(slices, 6 + 6 + 6 + 1 + 3 + 1 + 1 + 1)  # rows of convolutions and pool

    def test_no_rows_are_all_rows(self):
        for kernels in KERNELS:
            for rows in (0, -1):
                model, case = Model(hgm("network"), kernels=kernels), CASES["network"]
                fill(model, case["input"][0])
                self.assertFalse(model.invoke_step(rows))
                self.assertEqual(output(model), unhexlify(case["output"][0]))

    def test_invoke_gives_up_what_was_begun(self):
        model = Model(hgm("network"))
        case = CASES["network"]
        model.invoke_step(1)
        fill(model, case["input"][0])
        model.invoke()
        self.assertEqual(output(model), unhexlify(case["output"][0]))

    @unittest.skipIf(not MICROPYTHON, "needs the MicroPython heap lock")
    def test_nothing_allocates(self):
        for name in CASES:
            for profile in (False, True):
                model = Model(hgm(name), profile=profile, kernels="viper")
                model.invoke()
                heap_lock()
                try:
                    model.reset()
                    model.invoke()
                    while model.invoke_step(1):
                        pass
                finally:
                    heap_unlock()

    def test_profile_names_every_layer(self):
        model = Model(hgm("network"), profile=True)
        model.invoke()
        names = [name for name, _ in model.layers()]
        wanted = ["CONV", "DEPTHWISE", "CONV", "ADD", "POOL", "TABLE", "CONV", "SOFTMAX"]
        self.assertEqual(names, wanted)
        fill(model, CASES["network"]["input"][1])
        model.invoke()
        self.assertEqual(output(model), unhexlify(CASES["network"]["output"][1]))
        if not MICROPYTHON:  # plain Python takes more than a microsecond a layer
            self.assertGreater(min(us for _, us in model.layers()), 0)

    def test_layers_without_profile_are_refused(self):
        with self.assertRaises(ModelError):
            Model(hgm("network")).layers()

    def test_state_lives_from_invoke_to_invoke(self):
        for name in ("lstm", "svdf"):
            model, case = Model(hgm(name)), CASES[name]
            first = []
            for _ in range(2):
                fill(model, case["input"][0])
                model.invoke()
                first.append(output(model))
            self.assertNotEqual(first[0], first[1], name)

    def test_every_op_is_tried(self):
        found = set()
        for name in CASES:
            data = hgm(name)
            header = plan.check(data)
            count = header[plan.OP_COUNT] + header[plan.RESET_COUNT]
            found |= {opcode for opcode, _, _ in plan.records(data, count)}
        self.assertEqual(found, set(range(1, len(ops.NAMES))))


if __name__ == "__main__":
    unittest.main()
