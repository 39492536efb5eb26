"""Conversions between JSON and Python that the generated code uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

T = TypeVar("T")
U = TypeVar("U")

Decoder = Callable[[Any], T]

# What a decoder raises for JSON of another form.
MALFORMED = (AttributeError, KeyError, TypeError, ValueError)


def parse_timestamp(text: str) -> datetime:
    """Parses an RFC 3339 timestamp. `fromisoformat` of Python 3.10 accepts neither `Z` nor every number of digits."""
    match = re.fullmatch(r"([^.]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", text)
    if match is None:
        raise ValueError("expected an RFC 3339 timestamp")
    seconds, fraction, offset = match.groups(default="")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}{offset.replace('Z', '+00:00')}")


def list_of(decode: Decoder[T]) -> Decoder[list[T]]:
    """A decoder of arrays."""
    return lambda data: [decode(item) for item in data]


def optional(decode: Decoder[T]) -> Decoder[T | None]:
    """A decoder that maps null to `None`."""
    return lambda data: None if data is None else decode(data)


def one_of(first: Decoder[T], second: Decoder[U]) -> Decoder[T | U]:
    """A decoder that uses the second decoder for values that the first one rejects."""

    def decode(data: Any) -> T | U:
        try:
            return first(data)
        except MALFORMED:
            return second(data)

    return decode


def no_content(_: object) -> None:
    """The decoder of responses without a body."""


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Omits entries that are `None`, and formats timestamps."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def segment(value: str) -> str:
    """Encodes a segment of a path.

    Raises:
        ValueError: The value is empty, `.` or `..`, so the path would be that of another operation.
    """
    # URL libraries resolve the segments `.` and `..`, also if they are encoded.
    if value in ("", ".", ".."):
        raise ValueError("names in paths must not be empty, `.` or `..`")
    return quote(value, safe="")
