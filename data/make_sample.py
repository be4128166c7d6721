"""Makes data/sample: the first 5,000 + 1,000 images of MNIST and CIFAR-10 as lossless sheets.

    python data/make_sample.py FOLDER      # that holds mnist.npz and cifar10.npz

Writes NAME_PART.webp (100 images a row, in the order of the set) and labels.csv, reads each back,
compares, and prints the SHA-256 of pixels and labels that keras_cases/data/sample.py asks for.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
from PIL import Image

COUNTS, COLUMNS = {"train": 5_000, "test": 1_000}, 100
HERE = Path(__file__).resolve().parent / "sample"


def sheet_of(images):
    """(n, H, W[, 3]) → one picture of n/100 rows of 100 images."""
    n, height, width = images.shape[:3]
    grid = images.reshape(n // COLUMNS, COLUMNS, *images.shape[1:])
    return grid.swapaxes(1, 2).reshape(n // COLUMNS * height, COLUMNS * width, *images.shape[3:])


def main(folder):
    HERE.mkdir(exist_ok=True)
    rows = ["set,part,labels"]
    for name in ("cifar10", "mnist"):
        with np.load(Path(folder) / f"{name}.npz", allow_pickle=False) as file:
            for part, count in COUNTS.items():
                images, labels = file[f"x_{part}"][:count], file[f"y_{part}"][:count].reshape(-1)
                labels = labels.astype("uint8")
                path = HERE / f"{name}_{part}.webp"
                sheet = sheet_of(images)
                Image.fromarray(sheet).save(path, lossless=True, quality=100, method=6)
                mode = "RGB" if sheet.ndim == 3 else "L"
                assert (np.asarray(Image.open(path).convert(mode)) == sheet).all(), path
                rows.append(f"{name},{part},{''.join(map(str, labels))}")
                for array in (images, labels):
                    print(f'"{hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()}",')
                print(f"^ {name}_{part}: pixels, labels; {path.stat().st_size:,} bytes")
    (HERE / "labels.csv").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
