"""How columns are declared: text in byte order, whole numbers, bytes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Double, Float, Integer, LargeBinary, Text
from sqlmodel import Field

# Byte order, not the locale's: a namespace prefix is then a key range.
_Text = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite makes only a column of type INTEGER the rowid itself.
_Real = Float().with_variant(Double(), "postgresql")
_Int = BigInteger().with_variant(Integer(), "sqlite")


def text(*, key: bool = False, null: bool = False) -> Any:
    return Field(sa_column=Column(_Text, primary_key=key, nullable=null))


def integer(*, key: bool = False, null: bool = False) -> Any:
    return Field(sa_column=Column(_Int, primary_key=key, nullable=null, autoincrement=False))


def real(*, null: bool = False) -> Any:
    return Field(sa_column=Column(_Real, nullable=null))


def blob(*, key: bool = False, null: bool = False) -> Any:
    return Field(sa_column=Column(LargeBinary, primary_key=key, nullable=null))
