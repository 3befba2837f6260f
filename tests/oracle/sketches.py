"""approx_distinct and approx_quantile over a plain list of values, from the definitions at the head of host/model/hyperloglog.hpp and ddsketch.hpp."""

import math
import struct
from collections import Counter
from fractions import Fraction

from times import Refused

WORD = (1 << 64) - 1
# The first bytes of XXH3's default secret.
SECRET = bytes.fromhex("b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
                       "b8084674f743248ee03590e6813a264c3c2852bb91c300cb")
BIAS = 0.72134752044448170368  # 1 / (2 ln 2)


def little(text):
    return int.from_bytes(text, "little")


def secret(begin, end, half):
    """Two parts of the secret, `half` bytes each, one xor the other."""
    return little(SECRET[begin:begin + half]) ^ little(SECRET[end - half:end])


def swapped(value, size):
    return int.from_bytes(value.to_bytes(size, "little"), "big")


def rotated(value, by):
    return (value << by | value >> (64 - by)) & WORD


def xxh3(text):
    """XXH3-64, seed 0, of at most 16 bytes: longer texts take other ways, which no script of ours needs."""
    size = len(text)
    if size > 16:
        raise Refused(f"approx_distinct of a text of {size} bytes")
    if size > 8:
        low, high = little(text[:8]) ^ secret(24, 40, 8), little(text[-8:]) ^ secret(40, 56, 8)
        product = low * high
        h = (size + swapped(low, 8) + high + (product & WORD ^ product >> 64)) & WORD
        h = (h ^ h >> 37) * 0x165667919E3779F9 & WORD
        return h ^ h >> 32
    if size > 3:
        h = little(text[-4:]) + (little(text[:4]) << 32) ^ secret(8, 24, 8)
        h ^= rotated(h, 49) ^ rotated(h, 24)
        h = h * 0x9FB21C651E98DF25 & WORD
        h = (h ^ (h >> 35) + size) * 0x9FB21C651E98DF25 & WORD
        return h ^ h >> 28
    if size:
        h = (text[0] << 16 | text[size >> 1] << 24 | text[-1] | size << 8) ^ secret(0, 8, 4)
    else:
        h = secret(56, 72, 8)
    h = (h ^ h >> 33) * 0xC2B2AE3D27D4EB4F & WORD
    h = (h ^ h >> 29) * 0x165667B19E3779F9 & WORD
    return h ^ h >> 32


def bits_of(value):
    if isinstance(value, str):
        return xxh3(value.encode())
    if isinstance(value, float):
        return little(struct.pack("<d", math.nan if math.isnan(value) else value + 0.0))
    return int(value) & WORD


def splitmix(bits):
    h = bits + 0x9E3779B97F4A7C15 & WORD
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 & WORD
    h = (h ^ h >> 27) * 0x94D049BB133111EB & WORD
    return h ^ h >> 31


def distinct(values, precision):
    ranks = {}
    for value in values:
        text = f"{splitmix(bits_of(value)):064b}"
        rest = text[precision:]
        ranks[text[:precision]] = max(ranks.get(text[:precision], 0), len(rest) - len(rest.lstrip("0")) + 1)
    return estimate(Counter(ranks.values()), 1 << precision)


def estimate(registers_of, registers):
    """Ertl's; in the order of its definition, since the last bit of a double could decide how it is rounded."""
    used = sum(registers_of.values())
    if not used:
        return 0
    total = 0.0
    for rank in range(61, 0, -1):
        total = (total + registers_of[rank]) / 2
    x = (registers - used) / registers
    empty, before, weight = x, -1.0, 1.0
    while empty != before:
        x, before = x * x, empty
        empty, weight = empty + x * weight, 2 * weight
    return math.floor(BIAS * registers * registers / (registers * empty + total) + 0.5)


def bucket(value, n):
    """Sign, exponent and part: of equal width between two powers of two; what is below the normal numbers is 0."""
    if abs(value) < 2.0 ** -1022:
        return 0, 0, 0
    fraction, exponent = math.frexp(value)
    sign = 1 if value > 0 else -1
    if math.isinf(value):
        return sign, sign * math.inf, 0
    part = int(abs(fraction) * 2 ** 49 - 2 ** 48) * n >> 48
    return sign, sign * exponent, sign * part


def value_of(found, n):
    sign, exponent, part = found
    if not sign or math.isinf(exponent):
        return float(exponent)
    begin, end = (float(2 ** 48 + math.ceil(Fraction(2 ** 48 * (sign * part + more), n))) for more in (0, 1))
    return sign * math.ldexp(2 * begin * end / (begin + end), sign * exponent - 49)


def quantiles(values, config):
    """Buckets of all values in order; NaN stands last."""
    accuracy = config.get("accuracy", 0.01)
    n = math.ceil((1 - accuracy) / (2 * accuracy))
    if not values:
        return None
    numbers = sorted(bucket(float(value), n) for value in values if not math.isnan(value))

    def at(q):
        rank = math.floor(q * (len(values) - 1))
        return value_of(numbers[rank], n) if rank < len(numbers) else math.nan

    return [at(q) for q in config["q"]] if isinstance(config["q"], list) else at(config["q"])
