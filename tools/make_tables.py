#!/usr/bin/env python3
"""Writes the tables that sim/ needs in place of libm: sim/math_tables.inc and sim/ziggurat_tables.inc.

Works in 60-digit decimals and rounds once, so the output is the same on every machine. Run it from the root of the
tree; the files it writes are committed, and a test of the build needs no Python.
"""
from decimal import Decimal, getcontext

getcontext().prec = 60
ONE = Decimal(1)
LN2 = Decimal(2).ln()


def pi():
    """Machin's formula."""
    def arctan_inverse(n):
        total = term = ONE / n
        k = 1
        while abs(term) > Decimal(10) ** -58:
            term = -term / (n * n)
            k += 2
            total += term / k
        return total
    return 4 * (4 * arctan_inverse(5) - arctan_inverse(239))


def split(value, bits):
    """value as a multiple of 2^-bits and the rest: the first part adds up without rounding."""
    grid = Decimal(2) ** bits
    high = (value * grid).to_integral_value() / grid
    return float(high), float(value - high)


def pair(value, bits):
    high, low = split(value, bits)
    return "{%s, %s}" % (high.hex(), low.hex())


def rows(items, per_line):
    return "".join("    " + ", ".join(items[i:i + per_line]) + ",\n" for i in range(0, len(items), per_line))


HEAD = "// Made by tools/make_tables.py; do not edit.\n"


def math_tables():
    text = HEAD
    text += "// ln 2 as a multiple of 2^-42 and the rest.\n"
    text += "constexpr HighLow kLn2 = %s;\n" % pair(LN2, 42)
    text += "// ln 2 / 64 as a multiple of 2^-38 and the rest, and 64 / ln 2.\n"
    text += "constexpr HighLow kLn2Over64 = %s;\n" % pair(LN2 / 64, 38)
    text += "constexpr double k64OverLn2 = %s;\n" % float(64 / LN2).hex()
    text += "constexpr double kHalfLnTwoPi = %s;\n" % float((2 * pi()).ln() / 2).hex()
    text += "constexpr double kInverseSqrtTwoPi = %s;\n" % float(1 / (2 * pi()).sqrt()).hex()
    text += "// ln(i / 128) for i = 90 .. 182.\n"
    text += "constexpr HighLow kLogTable[] = {\n"
    text += rows([pair((Decimal(i) / 128).ln(), 42) for i in range(90, 183)], 2) + "};\n"
    text += "// 2^(i / 64) for i = 0 .. 63: rounded, and the rest.\n"
    text += "constexpr HighLow kExpTable[] = {\n"
    items = []
    for i in range(64):
        value = (LN2 * i / 64).exp()
        items.append("{%s, %s}" % (float(value).hex(), float(value - Decimal(float(value))).hex()))
    return text + rows(items, 2) + "};\n"


def ziggurat(density, inverse, tail, low, high):
    """256 layers of equal area over a density that falls from density(0) = 1; the base layer holds the tail."""
    def layers(right):
        area = right * density(right) + tail(right)
        edges = [area / density(right), right]
        while len(edges) < 256:
            height = area / edges[-1] + density(edges[-1])
            if height >= 1:
                return None, area
            edges.append(inverse(height))
        return edges, area

    for _ in range(190):
        middle = (low + high) / 2
        edges, area = layers(middle)
        # A right edge too small makes the layers too thick: they pass the top.
        if edges is None or area / edges[-1] + density(edges[-1]) > 1:
            low = middle
        else:
            high = middle
    return layers(high)[0] + [Decimal(0)], high


def ziggurat_table(name, density, inverse, tail, low, high):
    edges, right = ziggurat(density, inverse, tail, Decimal(low), Decimal(high))
    scale = Decimal(2) ** 53
    layers = ["{%dULL, %s}" % (int(scale * edges[i + 1] / edges[i]), float(edges[i] / scale).hex()) for i in range(256)]
    heights = [float(density(edges[i])).hex() for i in range(257)]
    heights[0] = "0x0p+0"  # the base layer's edge is not a point of the curve; it is never read
    text = "constexpr double k%sRight = %s;  // where the tail begins\n" % (name, float(right).hex())
    text += "const std::array<ZigguratLayer, 256> k%sLayers = {{\n" % name + rows(layers, 2) + "}};\n"
    text += "// The density at the right edge of each layer.\n"
    text += "constexpr std::array<double, 257> k%sHeights = {\n" % name + rows(heights, 4) + "};\n"
    return text


def normal_tail(x):
    """The integral of exp(-t^2/2) from x, by its continued fraction."""
    fraction = x
    for k in range(400, 0, -1):
        fraction = x + k / fraction
    return (-x * x / 2).exp() / fraction


def ziggurat_tables():
    exponential = ziggurat_table("Exponential", lambda x: (-x).exp(), lambda y: -y.ln(), lambda x: (-x).exp(), 7, 8)
    normal = ziggurat_table("Normal", lambda x: (-x * x / 2).exp(), lambda y: (-2 * y.ln()).sqrt(), normal_tail, 3, 4)
    return HEAD + exponential + normal


def main():
    for path, text in (("sim/math_tables.inc", math_tables()), ("sim/ziggurat_tables.inc", ziggurat_tables())):
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)


main()
