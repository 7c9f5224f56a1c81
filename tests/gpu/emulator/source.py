"""What `sqa source` prints, read: the problem's shape, parameters and facts of the program, its
kernels with the sizes of their work-groups, and the list of arguments that it says they take."""
import re
import struct

WARP = 32  # work-items of a group whose size is the runtime's to choose
SIZES = {"long": ("q", 8), "int": ("i", 4), "float": ("f", 4)}


class Source:
    def __init__(self, text):
        self.defines = {name: int(value) for name, value in
                        re.findall(r"^#define (\w+) +(-?\d+)\b", text, re.M)}
        shape = re.search(r"^ \* shape +(\S+)", text, re.M)[1]
        self.shape = dict((word.split("=") + [True])[:2] for word in shape.split(","))
        self.kernels = {}
        steps = re.findall(r"^ \* step \d+ +(\w+), .*local ([\d x]+|the runtime)", text, re.M)
        for name, local in steps:
            sizes = [WARP] if local[0] == "t" else [int(n) for n in local.split("x")]
            self.kernels[name] = tuple(sizes + [1] * (3 - len(sizes)))
        lists = dict(re.findall(r"^#define (SQA_\w+_ARGUMENTS) (.*)$", text, re.M))
        self.lists = {kernel: [self.argument(a) for a in lists[name].split(",")] for kernel, name
                      in re.findall(r"(\w+)\((SQA_\w+_ARGUMENTS)\)", text)}
        self.arguments = []  # of the kernel that is looked at

    def look_at(self, kernel):
        self.arguments = self.lists[kernel]

    @staticmethod
    def argument(text):
        """(name, kind)"""
        words = text.split()
        return words[-1].lstrip("*"), "pointer" if "*" in text else words[0]

    def pack(self, values):
        """The arguments' bytes, as NVIDIA's kernels find them; `values` by name."""
        packed = bytearray()
        for name, kind in self.arguments:
            letter, size = SIZES.get(kind, ("Q", 8))
            packed += bytes(-len(packed) % size)
            packed += struct.pack("<" + letter, values[name])
        return bytes(packed)
