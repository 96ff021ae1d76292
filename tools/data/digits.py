"""Make digits.npz again from an installed scikit-learn: python -m tools.data.digits

The handwritten digits that scikit-learn carries, as whole numbers from 0 to 16, in its order. Nothing is
compressed or dated: the bytes depend on nothing but the digits. ``--check`` writes nothing, and fails if the
file that is there would change. The lessons read digits.npz and need no scikit-learn.
"""

import io
import zipfile

import numpy as np

from rnncore.data import FILES
from tools.data import command


def made():
    """The bytes of digits.npz: images (1797, 8, 8) and labels (1797,), both of one byte a number."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # what np.savez writes differs with the version of Python
        for name, numbers in (("images", digits.images), ("labels", digits.target)):
            array = io.BytesIO()
            np.save(array, numbers.astype(np.uint8))
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), array.getvalue())
    return file.getvalue()


def main():
    command(
        "Make the lessons' handwritten digits from scikit-learn.",
        FILES / "digits.npz",
        lambda: (made(), "Digits"),
        "scikit-learn is not installed; install it with: python -m pip install scikit-learn",
    )


if __name__ == "__main__":
    main()
