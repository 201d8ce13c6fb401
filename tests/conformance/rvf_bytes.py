"""Integers out of the bytes of a store, for the reader beside it. Standard library only."""
import struct


class RvfError(Exception):
    """The file is not a store, or a part of it cannot be proven."""


def need(condition, what):
    if not condition:
        raise RvfError(what)


def align(n, to):
    return -(-n // to) * to


class Reader:
    """Integers out of bytes; a read past the end is an RvfError."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, n):
        need(n <= len(self.data) - self.at, "the data ends early")
        self.at += n
        return self.data[self.at - n:self.at]

    def unpack(self, fmt):
        return struct.unpack("<" + fmt, self.take(struct.calcsize("<" + fmt)))

    def u8(self):
        return self.take(1)[0]

    def u16(self):
        return self.unpack("H")[0]

    def u32(self):
        return self.unpack("I")[0]

    def u64(self):
        return self.unpack("Q")[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            need(value < 2**64, "a varint passes 64 bits")
            if byte < 0x80:
                return value
            shift += 7

    def pad(self, to):
        need(not any(self.take(align(self.at, to) - self.at)), "padding is not zero")
