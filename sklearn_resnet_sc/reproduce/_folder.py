"""A user's own images in place of the sample images."""

from pathlib import Path

import numpy as np

from ._section import ReproduceError

_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
_SMALLEST = 64  # pixels on each side: enough for several dozen patches


def read_folder(folder):
    """Train and test images of a folder, grey, by name.

    Subfolders ``train`` and ``test`` decide which is which; without them, every other image
    in alphabetical order is for testing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ReproduceError(f"--data must be a folder of images; {folder} is none")
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        return _read(_images_in(folder / "train")), _read(_images_in(folder / "test"))
    paths = _images_in(folder)
    if len(paths) < 2:
        raise ReproduceError(
            f"--data must hold at least two images, one to learn from and one to test on; "
            f"{folder} holds {len(paths)}"
        )
    return _read(paths[::2]), _read(paths[1::2])


def _images_in(folder):
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES]
    if not paths:
        raise ReproduceError(
            f"--data: {folder} holds no image ({', '.join(sorted(_SUFFIXES))} are looked for)"
        )
    return paths


def _read(paths):
    return {path.name: _read_grey(path) for path in paths}


def _read_grey(path):
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode[0] in "IF":
                raise ReproduceError(
                    f"--data: {path} has more than 8 bits a pixel; save it as an 8-bit image"
                )
            grey = np.array(image.convert("L"))
    except OSError as error:
        raise ReproduceError(f"--data: {path} cannot be read as an image ({error})") from error
    if min(grey.shape) < _SMALLEST:
        raise ReproduceError(
            f"--data: images must have at least {_SMALLEST} pixels on each side; {path} has "
            f"{grey.shape[1]} x {grey.shape[0]}"
        )
    return grey
