"""The command line: experiments on real images, written up as one report."""

from ._cli import main

__all__ = ["main"]
