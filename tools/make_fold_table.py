#!/usr/bin/env python3
"""Writes src/unicode/fold_table.cpp: what a code point is to a search, and what it is folded to.

Usage: make_fold_table.py [--check] FILE. The Unicode data are Python's own, of version 14.0.0 (Python 3.11);
another version is refused, since indexes on disk hold terms made with the frozen one. --check writes nothing
and ends with 1 if FILE is not what would be written, with 77 if this Python has another version.

A change of what comes out here is a new kFoldVersion (src/unicode/fold.hpp): docs/format.md, "METAIDX".
"""
import re
import sys
import unicodedata

VERSION = "14.0.0"
BLOCK = 128

# As in src/unicode/fold.hpp; a mark of combining class n is MARK + n, MAPPED + n begins at n in the pool.
SEPARATOR, LETTER, ALONE, PAIRED, IGNORED, HANGUL, MARK, MAPPED = 0, 1, 2, 3, 4, 5, 0x100, 0x200


def ranges(text):
    return {c for part in text.split() for first, _, last in [part.partition("-")]
            for c in range(int(first, 16), int(last or first, 16) + 1)}


# Characters that stand for themselves: Han, kana, Bopomofo, Hangul.
STAND_ALONE = ranges("1100-115E 2E80-2FDF 3005-3007 3021-3029 3031-3035 3038-303C 3041-318E 31A0-31BF 31F0-31FF 3400-4DBF 4E00-9FFF"
                     " A960-A97C F900-FAFF 1B000-1B2FF 20000-3FFFD")
# Written without blanks between words: Thai, Lao, Myanmar, Khmer and their neighbours.
IN_PAIRS = ranges("0E00-0EFF 1000-109F 1780-17FF 1950-19DF 1A20-1AAF 1B00-1B7F A980-A9FF AA60-AADF")
# Vowels and final consonants of a Hangul syllable go on where its first consonant began.
JAMO_TAILS = ranges("1161-11FF D7B0-D7FB")
# Accents of Latin, Greek and Cyrillic; points of Hebrew, Arabic and Syriac, which most texts are written without.
# Signs of other scripts are vowels or change the letter, and stay.
DROPPED_MARKS = ranges("0300-036F 0483-0489 0591-05BD 05BF 05C1-05C2 05C4-05C5 05C7 0610-061A 064B-065F 0670 06D6-06DC"
                       " 06DF-06E4 06E7-06E8 06EA-06ED 0711 0730-074A 08CA-08E1 08E3-08FF 180B-180D 180F 1AB0-1AFF 1DC0-1DFF"
                       " 20D0-20FF 2DE0-2DFF A66F-A672 A674-A67D A69E-A69F FB1E FE00-FE0F FE20-FE2F E0100-E01EF")
IGNORED_LETTERS = ranges("0640 115F 1160 3164 FFA0")  # tatweel, fillers
SEPARATORS = ranges("02B9-02BF 200B")  # letters that are written like apostrophes; the blank without width
NONCHARACTERS = ranges("FDD0-FDEF") | {p * 0x10000 + low for p in range(17) for low in (0xFFFE, 0xFFFF)}

# Letters without a decomposition whose name does not tell what is typed for them.
TYPED_AS = {"æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ŋ": "n", "ĸ": "k", "ı": "i", "ȷ": "j", "ٱ": "ا"}
LATIN_WITH = re.compile(r"LATIN SMALL LETTER ([A-Z]) WITH ")


def is_cyrillic(c):
    return 0x400 <= c <= 0x52F


def stays(mark, base):
    """Breve and diaeresis make other letters of Cyrillic ones, as in й; but ё is typed as е."""
    return is_cyrillic(base) and (mark == 0x306 or mark == 0x308 and base != ord("е"))


def without_accents(text):
    out, base = "", 0
    for ch in text:
        c = ord(ch)
        if c not in DROPPED_MARKS:
            out += ch
            base = c if unicodedata.combining(ch) == 0 else base
        elif stays(c, ord(chr(base).lower())):
            out += ch
    return out


def typed(ch):
    if ch in TYPED_AS:
        return TYPED_AS[ch]
    found = LATIN_WITH.match(unicodedata.name(ch, ""))
    if found and not unicodedata.decomposition(ch):
        return found.group(1).lower()
    digit = unicodedata.decimal(ch, None)
    return ch if digit is None else str(digit)


def folded(text, form="NFKD"):
    for _ in range(8):
        before = text
        text = "".join(map(typed, without_accents(unicodedata.normalize(form, text)).casefold()))
        if text == before:
            return text
    raise AssertionError(f"{text!r} does not come to rest")


def class_of(c):
    """Of a code point that is folded to itself."""
    category = unicodedata.category(chr(c))
    if c in SEPARATORS or c in NONCHARACTERS or category in ("Co", "Cs"):
        return SEPARATOR
    if c in IGNORED_LETTERS or c in DROPPED_MARKS or category in ("Cf", "Me"):
        return IGNORED
    if c in JAMO_TAILS:
        return MARK
    if category[0] == "M":
        return MARK + unicodedata.combining(chr(c))
    if category[0] not in "LN" and category != "Cn":
        return SEPARATOR
    # What is not assigned yet counts as a letter.
    return ALONE if c in STAND_ALONE else PAIRED if c in IN_PAIRS else LETTER


def folding(c):
    """What the code point is folded to, or None: it separates."""
    ch = chr(c)
    category = unicodedata.category(ch)
    if category[0] not in "LNM" and category != "So" or class_of(c) == IGNORED or c in SEPARATORS:
        return None if class_of(c) == SEPARATOR else ch
    text = folded(ch)
    separates = [class_of(ord(x)) == SEPARATOR for x in text]
    if category == "So":  # a letter in a circle, a radical; but no sign such as ™
        return text if len(text) == 1 and unicodedata.category(text)[0] == "L" else None
    while separates and separates[0]:  # (1) and such
        text, separates = text[1:], separates[1:]
    while separates and separates[-1]:
        text, separates = text[:-1], separates[:-1]
    return folded(ch, "NFD") if any(separates) else text  # ½ stays one


def make():
    pool, starts = [], {}
    values = []
    for c in range(0x110000):
        if 0xAC00 <= c <= 0xD7A3:
            values.append(HANGUL)
            continue
        text = folding(c)
        if text is None:
            values.append(SEPARATOR)
        elif text == chr(c):
            values.append(class_of(c))
        elif text == "":
            values.append(IGNORED)
        else:
            units = list(text.encode("utf-16-le"))
            units = [units[i] | units[i + 1] << 8 for i in range(0, len(units), 2)]
            key = tuple([len(units)] + units)
            if key not in starts:
                starts[key] = len(pool)
                pool += key
            values.append(MAPPED + starts[key])
    assert max(values) < 0x10000
    blocks, index, seen = [], [], {}
    for at in range(0, len(values), BLOCK):
        block = tuple(values[at:at + BLOCK])
        if block not in seen:
            seen[block] = len(seen)
            blocks += block
        index.append(seen[block])
    assert len(seen) <= 256
    return index, blocks, pool


def array(name, kind, numbers):
    lines, line = [], ""
    for n in numbers:
        item = f"{n},"
        if len(line) + len(item) > 100:
            lines.append(line)
            line = ""
        line += item
    return f"const {kind} {name}[{len(numbers)}] = {{\n" + "\n".join(lines + [line]) + "\n};\n"


def render():
    index, blocks, pool = make()
    size = len(index) + 2 * len(blocks) + 2 * len(pool)
    return (f"// Made by tools/make_fold_table.py from Unicode {VERSION}; {size} bytes. Do not edit.\n"
            "// clang-format off\n"
            '#include "unicode/fold_table.hpp"\n\n'
            "namespace rvf::unicode {\n\n"
            + array("kFoldIndex", "uint8_t", index) + "\n"
            + array("kFoldBlocks", "uint16_t", blocks) + "\n"
            + array("kFoldPool", "uint16_t", pool)
            + "\n}  // namespace rvf::unicode\n")


def main():
    check = "--check" in sys.argv[1:]
    files = [a for a in sys.argv[1:] if a != "--check"]
    if len(files) != 1:
        sys.exit("usage: make_fold_table.py [--check] FILE")
    if unicodedata.unidata_version != VERSION:
        print(f"this Python has Unicode {unicodedata.unidata_version}, the table is of {VERSION}")
        sys.exit(77 if check else 1)
    text = render()
    if not check:
        with open(files[0], "w", encoding="ascii") as out:
            out.write(text)
    elif open(files[0], encoding="ascii").read() != text:
        sys.exit(f"{files[0]} is not what this script writes")


if __name__ == "__main__":
    main()
