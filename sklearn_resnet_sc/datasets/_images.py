"""Grey photographs out of the packages that are installed anyway; nothing is ever downloaded."""

import importlib.resources
import importlib.util

import numpy as np

# Where each photograph lies. All of these files are part of the wheels themselves.
_SKIMAGE = ("skimage", "data")
_SKLEARN = ("sklearn.datasets", "images")
_FILES = {
    "astronaut": (*_SKIMAGE, "astronaut.png"),
    "brick": (*_SKIMAGE, "brick.png"),
    "camera": (*_SKIMAGE, "camera.png"),
    "chelsea": (*_SKIMAGE, "chelsea.png"),
    "china": (*_SKLEARN, "china.jpg"),
    "coffee": (*_SKIMAGE, "coffee.png"),
    "coins": (*_SKIMAGE, "coins.png"),
    "flower": (*_SKLEARN, "flower.jpg"),
    "grass": (*_SKIMAGE, "grass.png"),
    "gravel": (*_SKIMAGE, "gravel.png"),
    "rocket": (*_SKIMAGE, "rocket.jpg"),
}

# Both sides hold photographs of people, animals, buildings and things, and one fine texture.
_TRAIN = ("brick", "camera", "chelsea", "china", "coffee", "gravel")
_TEST = ("astronaut", "coins", "flower", "grass", "rocket")

_PROVIDERS = {"skimage": "scikit-image", "PIL": "pillow"}


def _require(module):
    """Refuse early, and say which extra brings the missing package."""
    if importlib.util.find_spec(module) is None:
        raise ImportError(
            f"the sample images need {_PROVIDERS[module]}, which is not installed; "
            'install the extra "reproduce": pip install "sklearn-resnet-sc[reproduce]"'
        )


def _read_grey(name):
    from PIL import Image

    package, folder, file_name = _FILES[name]
    path = importlib.resources.files(package) / folder / file_name
    with path.open("rb") as stream, Image.open(stream) as image:
        return np.array(image.convert("L"))


def _load(names):
    _require("PIL")
    if any(_FILES[name][0] == "skimage" for name in names):
        _require("skimage")
    return {name: _read_grey(name) for name in names}


def load_sample_images():
    """Load grey photographs that scikit-image and scikit-learn carry in their wheels.

    Nothing is downloaded. Colour images are turned to grey by the luma weights of
    ITU-R BT.601 (Pillow's mode ``"L"``).

    Returns
    -------
    images : dict of str to ndarray of shape (height, width), dtype uint8
        Eleven photographs by name, in alphabetical order, with values from 0 to 255.

    Raises
    ------
    ImportError
        If scikit-image or Pillow is not installed (extra ``reproduce``).

    See Also
    --------
    train_test_images : The same images as two disjoint sets.
    extract_patches : Small patches out of images.

    Examples
    --------
    >>> from sklearn_resnet_sc.datasets import load_sample_images
    >>> images = load_sample_images()
    >>> images["camera"].shape, images["camera"].dtype
    ((512, 512), dtype('uint8'))
    """
    return _load(_FILES)


def train_test_images():
    """Load the sample photographs as two disjoint sets, to learn from and to test on.

    No image is in both sets, and no two images show the same scene. Both sets mix
    smooth photographs with one fine texture (gravel to learn from, grass to test on).

    Returns
    -------
    train : dict of str to ndarray of shape (height, width), dtype uint8
        Six photographs to learn from.
    test : dict of str to ndarray of shape (height, width), dtype uint8
        Five photographs to test on.

    Raises
    ------
    ImportError
        If scikit-image or Pillow is not installed (extra ``reproduce``).

    See Also
    --------
    load_sample_images : All of them in one dictionary.

    Examples
    --------
    >>> from sklearn_resnet_sc.datasets import train_test_images
    >>> train, test = train_test_images()
    >>> sorted(train)
    ['brick', 'camera', 'chelsea', 'china', 'coffee', 'gravel']
    >>> sorted(test)
    ['astronaut', 'coins', 'flower', 'grass', 'rocket']
    """
    return _load(_TRAIN), _load(_TEST)
