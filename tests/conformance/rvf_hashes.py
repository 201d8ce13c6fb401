"""The checksums of the RVF format in plain Python, written from their public specifications.

CRC32C: RFC 3720 appendix B.4. XXH3-128: the xxHash specification, seed 0, default secret.
SHAKE-256 comes from hashlib.
"""
import hashlib
import struct

_M64 = (1 << 64) - 1


def _crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ 0x82F63B78 if n & 1 else n >> 1
        table.append(n)
    return table


_CRC = _crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    table = _CRC
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


_SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

_P32_1, _P32_2, _P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
_P64_1, _P64_2, _P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P64_4, _P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_PMX1, _PMX2 = 0x165667919E3779F9, 0x9FB21C651E98DF25


def _u32(data, at):
    return int.from_bytes(data[at:at + 4], "little")


def _u64(data, at):
    return int.from_bytes(data[at:at + 8], "little")


def _swap32(v):
    return int.from_bytes(v.to_bytes(4, "little"), "big")


def _swap64(v):
    return int.from_bytes(v.to_bytes(8, "little"), "big")


def _fold(a, b):
    product = a * b
    return (product & _M64) ^ (product >> 64)


def _xxh64_avalanche(h):
    h = ((h ^ (h >> 33)) * _P64_2) & _M64
    h = ((h ^ (h >> 29)) * _P64_3) & _M64
    return h ^ (h >> 32)


def _avalanche(h):
    h = ((h ^ (h >> 37)) * _PMX1) & _M64
    return h ^ (h >> 32)


def _up_to_16(d):
    n = len(d)
    s = _SECRET
    if n == 0:
        return (_xxh64_avalanche(_u64(s, 64) ^ _u64(s, 72)),
                _xxh64_avalanche(_u64(s, 80) ^ _u64(s, 88)))
    if n <= 3:
        low = (d[0] << 16) | (d[n >> 1] << 24) | d[-1] | (n << 8)
        swapped = _swap32(low)
        high = ((swapped << 13) | (swapped >> 19)) & 0xFFFFFFFF
        return (_xxh64_avalanche(low ^ (_u32(s, 0) ^ _u32(s, 4))),
                _xxh64_avalanche(high ^ (_u32(s, 8) ^ _u32(s, 12))))
    if n <= 8:
        value = _u32(d, 0) + (_u32(d, n - 4) << 32)
        keyed = value ^ (_u64(s, 16) ^ _u64(s, 24))
        product = keyed * (_P64_1 + (n << 2))
        low, high = product & _M64, (product >> 64) & _M64
        high = (high + (low << 1)) & _M64
        low ^= high >> 3
        low = ((low ^ (low >> 35)) * _PMX2) & _M64
        low ^= low >> 28
        return low, _avalanche(high)
    keyed_low = _u64(s, 32) ^ _u64(s, 40)
    keyed_high = _u64(s, 48) ^ _u64(s, 56)
    in_low, in_high = _u64(d, 0), _u64(d, n - 8)
    product = (in_low ^ in_high ^ keyed_low) * _P64_1
    low, high = product & _M64, (product >> 64) & _M64
    low = (low + ((n - 1) << 54)) & _M64
    in_high ^= keyed_high
    high = (high + in_high + (in_high & 0xFFFFFFFF) * (_P32_2 - 1)) & _M64
    low ^= _swap64(high)
    product = low * _P64_2
    low, high2 = product & _M64, (product >> 64) & _M64
    high = (high2 + high * _P64_2) & _M64
    return _avalanche(low), _avalanche(high)


def _mix16(d, at, secret_at):
    return _fold(_u64(d, at) ^ _u64(_SECRET, secret_at),
                 _u64(d, at + 8) ^ _u64(_SECRET, secret_at + 8))


def _mix32(low, high, d, a, b, secret_at):
    low = (low + _mix16(d, a, secret_at)) & _M64
    low ^= (_u64(d, b) + _u64(d, b + 8)) & _M64
    high = (high + _mix16(d, b, secret_at + 16)) & _M64
    high ^= (_u64(d, a) + _u64(d, a + 8)) & _M64
    return low, high


def _up_to_240(d):
    n = len(d)
    low, high = (n * _P64_1) & _M64, 0
    if n <= 128:
        for i in range((n - 1) // 32, -1, -1):
            low, high = _mix32(low, high, d, 16 * i, n - 16 * (i + 1), 32 * i)
    else:
        for i in range(4):
            low, high = _mix32(low, high, d, 32 * i, 32 * i + 16, 32 * i)
        low, high = _avalanche(low), _avalanche(high)
        for i in range(4, n // 32):
            low, high = _mix32(low, high, d, 32 * i, 32 * i + 16, 3 + 32 * (i - 4))
        low, high = _mix32(low, high, d, n - 16, n - 32, 136 - 17 - 16)
    out_low = (low + high) & _M64
    out_high = (low * _P64_1 + high * _P64_4 + n * _P64_2) & _M64
    return _avalanche(out_low), (-_avalanche(out_high)) & _M64


_STRIPE_KEYS = [struct.unpack_from("<8Q", _SECRET, 8 * i) for i in range(16)]
_SCRAMBLE_KEY = struct.unpack_from("<8Q", _SECRET, 128)
_LAST_KEY = struct.unpack_from("<8Q", _SECRET, 192 - 64 - 7)


def _stripe(acc, values, keys):
    for i in range(8):
        value = values[i]
        keyed = value ^ keys[i]
        acc[i ^ 1] += value
        acc[i] = (acc[i] + (keyed & 0xFFFFFFFF) * (keyed >> 32)) & _M64


def _merge(acc, secret_at, start):
    result = start
    for i in range(4):
        result += _fold(acc[2 * i] ^ _u64(_SECRET, secret_at + 16 * i),
                        acc[2 * i + 1] ^ _u64(_SECRET, secret_at + 16 * i + 8))
    return _avalanche(result & _M64)


def _long(d):
    n = len(d)
    acc = [_P32_3, _P64_1, _P64_2, _P64_3, _P64_4, _P32_2, _P64_5, _P32_1]
    stripes = (n - 1) // 64
    unpack = struct.Struct("<8Q").unpack_from
    for i in range(stripes):
        _stripe(acc, unpack(d, 64 * i), _STRIPE_KEYS[i & 15])
        if i & 15 == 15:
            for lane in range(8):
                v = acc[lane] & _M64
                acc[lane] = ((v ^ (v >> 47) ^ _SCRAMBLE_KEY[lane]) * _P32_1) & _M64
    _stripe(acc, unpack(d, n - 64), _LAST_KEY)
    acc = [v & _M64 for v in acc]
    low = _merge(acc, 11, (n * _P64_1) & _M64)
    high = _merge(acc, 192 - 64 - 11, ~(n * _P64_2) & _M64)
    return low, high


def xxh3_128(data):
    """16 bytes: the low half first, each half little-endian."""
    data = bytes(data)
    if len(data) <= 16:
        low, high = _up_to_16(data)
    elif len(data) <= 240:
        low, high = _up_to_240(data)
    else:
        low, high = _long(data)
    return struct.pack("<QQ", low, high)


def content_hash(algo, data):
    """The 16 bytes of a segment header, or None for an algorithm that is not known."""
    if algo == 0:
        return struct.pack("<I", crc32c(data)) + bytes(12)
    if algo == 1:
        return xxh3_128(data)
    if algo == 2:
        return hashlib.shake_256(data).digest(16)
    return None
