"""NVIDIA machine code as nvdisasm prints it, decoded: instructions with their operands, and the
constants of a kernel. What instructions do is for integer.py, floating.py and memory.py."""
import functools
import re
import struct
import subprocess
from dataclasses import dataclass, field

import numpy as np

FLOAT_INSTRUCTIONS = {"FFMA", "FADD", "FMUL", "FSETP", "FSEL", "FMNMX", "MUFU", "FCHK", "F2F",
                      "F2FP", "F2I", "HADD2"}
LABEL = re.compile(r"^(\.?\$?[\w$.]+):")
INSTRUCTION = re.compile(r"^\s+/\*([0-9a-f]{4,5})\*/\s+(.*?)\s*;\s+/\* 0x[0-9a-f]{16} \*/")
GUARDED = re.compile(r"^@(!?)(U?P\w+)\s+(.*)$")
REGISTER = re.compile(r"^(U?R)(Z|\d+)((?:\.\w+)*)$")
PREDICATE = re.compile(r"^(!?)(U?P)(T|\d+)$")
CONSTANT = re.compile(r"^c\[(0x[0-9a-f]+)\]\[(.+)\]$")


class NotKnown(Exception):
    """Code that the emulator cannot run: it says so, and never guesses."""


@dataclass
class Operand:
    """`kind`: R, UR, P, UP, immediate, constant, address, label or name."""
    kind: str
    text: str
    index: int = 0
    negated: bool = False  # a predicate: inverted
    absolute: bool = False
    inverted: bool = False
    half: int = -1  # of a register, or -1 for all of it
    value: object = None
    parts: list = field(default_factory=list)  # of an address: (sign, operand or int, scale, wide)


@dataclass
class Instruction:
    index: int
    text: str
    guard: object
    name: str
    modifiers: tuple
    operands: list


def split_operands(text):
    found, depth, word = [], 0, ""
    for letter in text:
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and depth == 0:
            found.append(word.strip())
            word = ""
        else:
            word += letter
    return found + ([word.strip()] if word.strip() else [])


def float_bits(text):
    named = {"INF": 0x7f800000, "QNAN": 0x7fffffff, "SNAN": 0x7fbfffff}
    bare = text.lstrip("+-")
    sign = 0x80000000 if text.startswith("-") else 0
    if bare in named:
        return named[bare] | sign
    return int(bare, 16) if bare.startswith("0x") else \
        struct.unpack("<I", struct.pack("<f", float(text)))[0]


def number(text, is_float):
    return float_bits(text) if is_float else int(text, 0) & 0xffffffff


def address(text):
    """[R4.64+UR6+0x10], [R8.X4+0x20]: a sum."""
    operand = Operand("address", text)
    inner = text[text.index("[") + 1:text.rindex("]")].replace("+-", "-")
    for part in re.findall(r"[+-]?[^+-]+", inner):
        sign = -1 if part[0] == "-" else 1
        word = part.lstrip("+-")
        found = REGISTER.match(word)
        if found:
            scale = re.search(r"\.X(\d+)", found[3])
            register = Operand(found[1], word, register_index(found))
            operand.parts.append((sign, register, int(scale[1]) if scale else 1,
                                  ".64" in found[3], ".U32" in found[3]))
        else:
            operand.parts.append((sign, int(word, 0), 1, False, False))
    return operand


def register_index(found):
    return {"R": 255, "UR": 63}[found[1]] if found[2] == "Z" else int(found[2])


def parse_operand(text, is_float):
    text = text.replace(".reuse", "")
    predicate = PREDICATE.match(text)
    if predicate:
        index = 7 if predicate[3] == "T" else int(predicate[3])
        return Operand(predicate[2], text, index, negated=bool(predicate[1]))
    if text.startswith("`("):
        return Operand("label", text, value=text[2:-1])
    if "[" in text and not text.lstrip("-~|").startswith("c["):
        return address(re.sub(r"^desc\[UR\d+\]", "", text))
    inverted = text.startswith("~")
    bare = text.lstrip("~")
    negated = bool(re.match(r"-[RUc|]", bare))
    bare = bare[1:] if negated else bare
    absolute = bare.startswith("|")
    bare = bare.strip("|")
    signs = dict(negated=negated, absolute=absolute, inverted=inverted)
    found = REGISTER.match(bare)
    if found:
        half = {".H0_H0": 0, ".H1_H1": 1}.get(found[3], -1)
        return Operand(found[1], text, register_index(found), half=half, **signs)
    found = CONSTANT.match(bare)
    if found:
        value = (int(found[1], 16), address("[" + found[2] + "]"))
        return Operand("constant", text, value=value, **signs)
    try:
        return Operand("immediate", text, value=number(bare, is_float), **signs)
    except ValueError:
        return Operand("name", text)


def decode(index, text):
    guard = None
    guarded = GUARDED.match(text)
    if guarded:
        guard = parse_operand(guarded[1] + guarded[2], False)
        text = guarded[3]
    word, _, rest = text.partition(" ")
    name, *modifiers = word.split(".")
    rest = re.sub(r"^(R\d+) (`)", r"\1, \2", rest)  # RET R8 `(kernel)
    operands = [parse_operand(o, name in FLOAT_INSTRUCTIONS) for o in split_operands(rest)]
    return Instruction(index, text, guard, name, tuple(modifiers), operands)


def sections(elf):
    """Names, sizes and bytes of an ELF file's sections."""
    start = struct.unpack_from("<Q", elf, 0x28)[0]
    count, names = struct.unpack_from("<HH", elf, 0x3c)
    heads = [struct.unpack_from("<IIQQQQ", elf, start + 64 * i) for i in range(count)]
    for name, kind, _, _, offset, size in heads:
        begin = heads[names][4] + name
        bytes_ = b"" if kind == 8 else elf[offset:offset + size]  # 8: SHT_NOBITS
        yield elf[begin:elf.index(b"\0", begin)].decode(), size, bytes_


@functools.lru_cache(maxsize=1)
def disassemble(nvdisasm, cubin):
    return subprocess.run([nvdisasm, "-c", "-hex", cubin], capture_output=True, text=True,
                          check=True).stdout.splitlines()


class Program:
    """The code of one kernel of a cubin."""

    def __init__(self, nvdisasm, cubin, kernel):
        self.labels = {}
        here, words = False, []
        for line in disassemble(nvdisasm, cubin):
            if line.split()[:1] == [".section"]:
                here = f".text.{kernel}," in line
            if not here:
                continue
            label, instruction = LABEL.match(line), INSTRUCTION.match(line)
            if label:
                self.labels[label[1]] = len(words)
            elif instruction:
                if int(instruction[1], 16) != 16 * len(words):
                    raise NotKnown(f"instruction {len(words)} is not at its place: {line.strip()}")
                words.append(re.sub(r"\(\*.*?\*\)", "", instruction[2]).strip())
        if not words:
            raise NotKnown(f"no kernel {kernel} in {cubin}")
        self.instructions = [decode(i, text) for i, text in enumerate(words)]
        self.constants, self.local_bytes = {}, 0
        with open(cubin, "rb") as file:
            for name, size, data in sections(file.read()):
                if name == f".nv.shared.{kernel}":
                    self.local_bytes = size
                found = re.match(r"\.nv\.constant(\d+)(?:\.(.*))?$", name)
                if found and found[2] in (None, kernel):
                    self.constants[int(found[1])] = np.frombuffer(data, np.uint8)
