"""Classical models and learning on the board; README.md says how, SPEC.md describes the bytes.

    from hedge.learn.model import Predictor
    from hedge.learn.running import RunningStats

Nothing is imported here: a node that keeps a running mean does not pay for the kernels of trees.
"""
