"""Int8 inference: `Model` reads a .hgm file (SPEC.md) and runs it. Imports are lazy."""


def __getattr__(name):
    if name == "Model":
        from .model import Model

        return Model
    raise AttributeError(name)
