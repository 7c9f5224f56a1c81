"""OpenBLAS beside the matrix products of `sqa bench`; see peer.h. Reads a line, answers with one:

    shape PASS KEYS      ->  ready, or: cannot WHY
    sample NUMBER        ->  ms TIME, of one run of that shape

After the first line, which says what answers, shapes count from 0. The argument is how many
threads there should be."""
import array
import ctypes
import os
import random
import sys
import time

LEAST_SECONDS = 0.02  # of a sample
QUIET_SECONDS = 0.05  # until the threads of a sample no longer spin
NAME = "libopenblas.so.0"
ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112  # as in cblas.h
TAKEN = ("b", "m", "n", "k", "ta", "tb", "dtype")


def numbers(count):
    """Few random ones, over and over: a number more than a power of two."""
    some = array.array("f", (random.random() - 0.5 for _ in range(4097)))
    return (some * (count // len(some) + 1))[:count]


class Product:
    def __init__(self, library, keys):
        for key, value in keys.items():
            if key not in TAKEN or key == "dtype" and value != "f32":
                raise ValueError(f"multiply with {key}={value}".rstrip("="))
        self.sgemm = library.cblas_sgemm
        self.batch = int(keys.get("b", 1))
        self.m, self.n, self.k = (int(keys[key]) for key in "mnk")
        self.ta, self.tb = "ta" in keys, "tb" in keys
        self.a = numbers(self.batch * self.m * self.k)
        self.b = numbers(self.batch * self.k * self.n)
        self.c = numbers(self.batch * self.m * self.n)
        self.run()
        begin = time.perf_counter()
        self.run()
        self.times = 1 + int(LEAST_SECONDS / max(time.perf_counter() - begin, 1e-6))

    def run(self):
        m, n, k = self.m, self.n, self.k
        for z in range(self.batch):
            a, b, c = (ctypes.c_void_p(of.buffer_info()[0] + 4 * z * size)
                       for of, size in ((self.a, m * k), (self.b, k * n), (self.c, m * n)))
            self.sgemm(ROW_MAJOR, TRANSPOSED if self.ta else PLAIN,
                       TRANSPOSED if self.tb else PLAIN, m, n, k, ctypes.c_float(1), a,
                       max(m if self.ta else k, 1), b, max(k if self.tb else n, 1),
                       ctypes.c_float(0), c, max(n, 1))

    def sample(self):
        begin = time.perf_counter()
        for _ in range(self.times):
            self.run()
        return (time.perf_counter() - begin) / self.times * 1e3


def load():
    try:
        library = ctypes.CDLL(NAME)
    except OSError as error:
        sys.exit(f"OpenBLAS is not installed: {error}")
    library.openblas_set_num_threads(min(int(sys.argv[1]), len(os.sched_getaffinity(0))))
    library.openblas_get_config.restype = library.openblas_get_corename.restype = ctypes.c_char_p
    return library


def main():
    library = load()
    version = b" ".join(library.openblas_get_config().split()[:2]).decode()
    print(f"{version}, {library.openblas_get_corename().decode()}, "
          f"{library.openblas_get_num_threads()} threads", flush=True)
    products = []
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "sample":
            answer = f"ms {products[int(rest[0])].sample():.6f}"
            time.sleep(QUIET_SECONDS)
        else:
            try:
                keys = dict((key + "=").split("=")[:2] for key in rest[1].split(","))
                products.append(Product(library, keys))
                answer = "ready"
            except (ValueError, MemoryError) as error:
                answer = "cannot " + (str(error) or "have so much memory")
        print(answer, flush=True)


if __name__ == "__main__":
    main()
