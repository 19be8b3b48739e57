"""Speed of the pursuits beside other libraries and a matrix product: ``python -m benchmarks``.

Every sentence about speed in the documentation comes from here.
"""
