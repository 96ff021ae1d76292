"""Make digits.npz again from an installed scikit-learn: python -m rnncore.data.make_digits

The handwritten digits that scikit-learn carries, as whole numbers from 0 to 16, in its order. Nothing is
compressed, so the bytes depend on nothing but the digits. ``--check`` writes nothing, and fails if the
file that is there would change. The lessons read digits.npz and need no scikit-learn.
"""

import argparse
import io
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def made():
    """The bytes of digits.npz: images (1797, 8, 8) and labels (1797,), both of one byte a number."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    file = io.BytesIO()
    np.savez(file, images=digits.images.astype(np.uint8), labels=digits.target.astype(np.uint8))
    return file.getvalue()


def main():
    parser = argparse.ArgumentParser(description="Make the lessons' handwritten digits from scikit-learn.")
    parser.add_argument("--to", type=Path, default=HERE / "digits.npz", help="the file to write")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file would change")
    told = parser.parse_args()
    try:
        content = made()
    except ModuleNotFoundError:
        parser.exit(1, "scikit-learn is not installed; install it with: python -m pip install scikit-learn\n")
    if told.check:
        if not told.to.exists() or told.to.read_bytes() != content:
            parser.exit(1, f"{told.to} is not what this script makes\n")
        print(f"{told.to} is what this script makes")
        return
    told.to.write_bytes(content)
    print(f"{len(content)} bytes written to {told.to}")


if __name__ == "__main__":
    main()
