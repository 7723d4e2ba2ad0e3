"""What rules may speak of: declared by the system whose records they judge."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Type = Literal["text", "fen", "integer", "date", "boolean"]
Subject = Literal["payment", "indicator"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the judged record.

    Attributes:
        type: what it may be compared with; ``fen`` is an integer number of fen.
        title: Chinese name.
        title_en: English name.
        sql: its expression over the judged record ``p``; over an earlier one ``h`` in windows.
        of_history: whether windows may ask it of earlier records.
        built_in: answered by the system itself: a rule of it is this field alone (R14's quota check).
        ordinary: its value in an ordinary record, for a rule's examples; None: nothing in particular.
    """

    type: Type
    title: str
    title_en: str
    sql: str
    of_history: bool = True
    built_in: bool = False
    ordinary: bool | int | dt.date | str | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question to a register, called like a function: ``own_account(payee_account)``.

    Attributes:
        arguments: types of what it is asked, in order.
        answer: type of its answer.
        title: what it answers, in Chinese.
        title_en: the same in English.
        sql: its expression; ``{0}``, ``{1}`` … stand for the arguments, ``p`` for the judged record.
        unregistered: what it answers if the register says nothing, for a rule's examples: SQL like ``{1}``.
    """

    arguments: tuple[Type, ...]
    answer: Type
    title: str
    title_en: str
    sql: str
    unregistered: str = "NULL"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything that rules about one kind of record may say.

    Attributes:
        subject: the kind of record.
        relation: the table of records, such as ``payment.payment``; judged as ``p``, earlier ones as ``h``.
        unit: columns that name whose history counts, such as ``("unit_id",)``.
        order: the column that orders a unit's records: earlier is smaller.
        date: the column that windows measure time by.
        fields: name → field.
        lookups: name → register.
        history: condition on ``h`` that every window keeps, such as only payments that count.
        counts: condition on ``p``: which records are judged at all.
        released: condition on ``p``: it was held by the rule ``{rule}`` and released; "" where none is held.
        of_day: whether the relation is a function of a day and a division (NULL: all), asked of the last day
            of each month.
        page: where a record is shown: ``/payment/payments/{id}``.
    """

    subject: Subject
    relation: str
    unit: tuple[str, ...]
    order: str
    date: str
    fields: Mapping[str, Field]
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    history: str = "true"
    counts: str = "true"
    released: str = ""
    of_day: bool = False
    page: str = ""
