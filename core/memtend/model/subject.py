"""What can be erased: one record, or everything that belongs to one namespace, agent, writer …

A subject is named in full. A namespace is a pattern and covers everything below it, as everywhere.

    >>> subject = Subject.of_agent("ada")
    >>> subject.covers("notes", "n1", Owned(agent="ada"))
    True
    >>> Subject.of_namespace("task/*/log").covers("task/42/log/old", "k", Owned())
    True
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Self

from pydantic import BaseModel, Field, model_validator

from memtend.limits import LABEL_CHARS_MAX
from memtend.model.names import check_path
from memtend.model.pattern import compile_pattern


class SubjectKind(StrEnum):
    RECORD = "record"
    NAMESPACE = "namespace"
    AGENT = "agent"
    WRITER = "writer"
    SESSION = "session"
    TAG = "tag"


class Owned(NamedTuple):
    """To whom a stored value belongs, as its labels say."""

    agent: str | None = None
    writer: str | None = None
    session: str | None = None
    tags: tuple[str, ...] = ()


class Subject(BaseModel, frozen=True, extra="forbid"):
    """`name` is the key of a record, the pattern of a namespace, or the label's text.

    Neither `repr` nor `str` shows it: what is to be forgotten must not reach a log.
    """

    kind: SubjectKind
    name: str = Field(min_length=1, max_length=LABEL_CHARS_MAX * 2, repr=False)
    namespace: str | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind is SubjectKind.RECORD:
            check_path(self.namespace or "", self.name)
        elif self.namespace is not None:
            raise ValueError("only a record has a namespace beside its name")
        elif self.kind is SubjectKind.NAMESPACE:
            compile_pattern(self.name)
        return self

    @classmethod
    def of_record(cls, namespace: str, key: str) -> Self:
        check_path(namespace, key)
        return cls(kind=SubjectKind.RECORD, name=key, namespace=namespace)

    @classmethod
    def of_namespace(cls, pattern: str) -> Self:
        return cls(kind=SubjectKind.NAMESPACE, name=compile_pattern(pattern).text)

    @classmethod
    def of_agent(cls, name: str) -> Self:
        return cls(kind=SubjectKind.AGENT, name=name)

    @classmethod
    def of_writer(cls, name: str) -> Self:
        return cls(kind=SubjectKind.WRITER, name=name)

    @classmethod
    def of_session(cls, name: str) -> Self:
        return cls(kind=SubjectKind.SESSION, name=name)

    @classmethod
    def of_tag(cls, name: str) -> Self:
        return cls(kind=SubjectKind.TAG, name=name)

    @property
    def by_label(self) -> bool:
        """Whether it takes a record's labels to know."""
        return self.kind not in (SubjectKind.RECORD, SubjectKind.NAMESPACE)

    def covers(self, namespace: str, key: str, owned: Owned) -> bool:
        """Whether a value stored there belongs to this subject."""
        match self.kind:
            case SubjectKind.RECORD | SubjectKind.NAMESPACE:
                return self.covers_name(namespace, key)
            case SubjectKind.TAG:
                return self.name in owned.tags
            case _:
                return bool(getattr(owned, self.kind.value) == self.name)

    def covers_name(self, namespace: str, key: str | None = None) -> bool:
        """Whether the name alone says so; never where labels decide."""
        if self.kind is SubjectKind.RECORD:
            return (namespace, key) == (self.namespace, self.name)
        if self.kind is SubjectKind.NAMESPACE:
            return compile_pattern(self.name).governs(namespace)
        return False
