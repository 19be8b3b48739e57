"""``python -m sklearn_resnet_sc`` is the command ``sklearn-resnet-sc``."""

import sys

from .reproduce import main

if __name__ == "__main__":
    sys.exit(main())
