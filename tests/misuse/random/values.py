"""Values of fields: how they stand in a file, and what becomes of them in a field of some type.

A cell is (looks, value): looks is one of bool int large real huge text empty list json, or open for a text of a
csv, which may be any of them. A stored value is a str, bytes, int, float, bool or list of str; the field's type
says what it is. Written from docs/cli.md, so that it can disagree with the command.
"""
import base64
import datetime
import json
import math
import re
import struct

TYPES = ("string", "bytes", "i64", "u64", "f64", "bool", "enum", "timestamp", "list")
I64 = range(-2**63, 2**63)
U64 = range(0, 2**64)
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(Z|z|[+-]\d\d(?::?\d\d)?)?)?")


class Digits(str):
    """A number of a JSON file, written like this."""


class About(int):
    """A time that is known but for the moment of the command."""


class Misfit(Exception):
    pass


def f32(x):
    """The nearest f32, or OverflowError."""
    return struct.unpack("<f", struct.pack("<f", x))[0]


def f16(x):
    return struct.unpack("<e", struct.pack("<e", x))[0]


def bf16(x):
    """The nearest bf16 of an f32; halves go to the even one."""
    bits = struct.unpack("<I", struct.pack("<f", x))[0]
    bits += 0x7FFF + (bits >> 16 & 1)
    return struct.unpack("<f", struct.pack("<I", bits & 0xFFFF0000))[0]


def render(value, ascii_only=False):
    """Of a value its JSON, with Digits as they are."""
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k, ensure_ascii=ascii_only) + ":" + render(v, ascii_only) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(render(v, ascii_only) for v in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only, allow_nan=True)


def is_whole(text):
    return re.fullmatch(r"-?(0|[1-9][0-9]*)", text) is not None


def cell_of(value):
    """Of a value in JSON; None where it is null. Objects are taken apart before."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, Digits):
        if is_whole(value):
            return cell_of(int(value)) if int(value) in I64 or int(value) in U64 else ("huge", str(value))
        return ("huge", str(value)) if math.isinf(float(value)) else ("real", float(value))
    if isinstance(value, int):
        return ("int", value) if value in I64 else ("large", value) if value in U64 else ("huge", str(value))
    if isinstance(value, float):
        return "real", value
    if isinstance(value, str):
        return "text", value
    if isinstance(value, dict):
        return "json", render(value)
    if all(isinstance(v, str) and not isinstance(v, Digits) for v in value):
        return ("list" if value else "empty"), list(value)
    return "json", render(value)


def looks_of(text):
    """What the text of a csv could be."""
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return "bool"
    if not NUMBER.fullmatch(text):
        return "text"
    if is_whole(text) and text != "-0":
        return "int" if int(text) in I64 else "large" if int(text) in U64 else "text"
    return "text" if math.isinf(float(text)) else "real"


def exactly(number):
    """The whole number as f64."""
    if int(float(number)) != number:
        raise Misfit
    return float(number)


def of_whole(v, kind):
    if kind in ("i64", "timestamp") and v in I64 or kind == "u64" and v in U64:
        return v
    if kind == "f64":
        return exactly(v)
    if kind == "bool" and v in (0, 1):
        return v == 1
    if kind in ("string", "enum"):
        return str(v)
    raise Misfit


def of_real(v, kind):
    if kind == "f64":
        return v
    if kind in ("i64", "timestamp", "u64") and v == int(v) and int(v) in (U64 if kind == "u64" else I64):
        return int(v)
    if kind in ("string", "enum"):
        return real_text(v)
    raise Misfit


def real_text(v):
    """Shortest digits, in the shorter of the two notations, and with a point."""
    sign, digits, exponent = decimal_parts(v)
    point = len(digits) + exponent
    if exponent >= 0:
        fixed = sign + str(int(abs(v)))
    else:
        fixed = sign + (digits[:point] + "." + digits[point:] if point > 0 else "0." + "0" * -point + digits)
    power = point - 1
    science = f"{sign}{digits[0]}{'.' + digits[1:] if len(digits) > 1 else ''}e{'-' if power < 0 else '+'}{abs(power):02}"
    out = science if len(science) < len(fixed) else fixed
    return out if "." in out or "e" in out else out + ".0"


def decimal_parts(v):
    sign = "-" if math.copysign(1, v) < 0 else ""
    mantissa, _, power = repr(abs(v)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits, exponent = whole + fraction, int(power or 0) - len(fraction)
    digits = digits.lstrip("0")
    stripped = digits.rstrip("0")
    return sign, stripped or "0", exponent + len(digits) - len(stripped) if stripped else 0


def nanoseconds(text, saturate=False):
    m = TIME.fullmatch(text)
    if not m:
        raise Misfit
    year, month, day, hour, minute, second, fraction, offset = m.groups()
    try:
        days = (datetime.date(int(year), int(month), int(day)) - datetime.date(1970, 1, 1)).days
    except ValueError:
        raise Misfit from None
    hour, minute, second = int(hour or 0), int(minute or 0), int(second or 0)
    if hour > 23 or minute > 59 or second > 59 or (fraction and fraction[9:].strip("0")):
        raise Misfit
    seconds = days * 86400 + hour * 3600 + minute * 60 + second
    if offset and offset not in "Zz":
        digits = offset[1:].replace(":", "").ljust(4, "0")
        seconds -= (1 if offset[0] == "+" else -1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)
    out = seconds * 10**9 + int((fraction or "0")[:9].ljust(9, "0"))
    if saturate:
        return max(-2**63, min(2**63 - 1, out))
    if out not in I64:
        raise Misfit
    return out


def time_text(ns):
    seconds, fraction = divmod(ns, 10**9)
    days, rest = divmod(seconds, 86400)
    date = datetime.date(1970, 1, 1) + datetime.timedelta(days)
    out = f"{date.year:04}-{date.month:02}-{date.day:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return out + (f".{fraction:09}".rstrip("0") if fraction else "") + "Z"


def of_text(text, kind, is_open):
    if kind in ("string", "enum"):
        return text
    if kind == "bytes":
        try:
            raw = base64.b64decode(text, validate=True)
        except ValueError:
            raise Misfit from None
        if base64.b64encode(raw).decode() != text:
            raise Misfit
        return raw
    if kind == "list":
        if not (is_open and text.startswith("[")):
            return [text]
        try:
            items = json.loads(text)
        except ValueError:
            raise Misfit from None
        if not all(isinstance(i, str) for i in items):
            raise Misfit
        return items
    if kind == "bool":
        if looks_of(text) != "bool":
            raise Misfit
        return text.lower() == "true"
    if kind == "timestamp" and not is_open:
        return nanoseconds(text)
    if NUMBER.fullmatch(text):
        if is_whole(text) and text != "-0" and (int(text) in I64 or int(text) in U64):
            return of_whole(int(text), kind)
        number = float(text)
        if math.isinf(number) or (kind == "f64" and is_whole(text) and int(number) != int(text)):
            raise Misfit
        return of_real(number, kind)
    if kind == "timestamp":
        return nanoseconds(text)
    raise Misfit


def convert(cell, kind):
    """The value of a field of this type, or Misfit where something of it would be lost."""
    looks, v = cell
    if looks == "bool":
        if kind == "bool":
            return v
        if kind in ("string", "enum"):
            return "true" if v else "false"
        raise Misfit
    if looks in ("int", "large"):
        return of_whole(v, kind)
    if looks == "real":
        return of_real(v, kind)
    if looks in ("list", "empty"):
        if kind == "list":
            return v
        if kind == "string":
            return render(v)
        raise Misfit
    if looks == "json" and kind != "string":
        raise Misfit
    return of_text(v, kind, looks == "open")


def shown(value, kind):
    """As export prints it, parsed."""
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "timestamp":
        return value if isinstance(value, About) else time_text(value)
    return value
