"""115, 123, 124: the registry of models and the files of a model."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class ModelDamaged(MemtendError):
    """Found out by its length and its hash, before anything reads what is in it."""

    code = 115
    message = "the file {name!r} of the model {model} is not the one that was saved: {why}"
    hint = "It is not used. Put another model in use, or fit a new one from the same outcomes."


class ModelUnknown(MemtendError):
    code = 123
    message = "there is no model {model!r} in the registry of this store"
    hint = "`memtend learn models` lists those there are; `memtend learn fit` makes one."


class ModelNotPromoted(MemtendError):
    """What is in use has changed since it was looked at, or the model is not fit for it."""

    code = 124
    message = "the model {model} is not put in use for {scenario!r}: {why}"
    hint = "List the models of the store: they say which one is in use, and why not the others."
