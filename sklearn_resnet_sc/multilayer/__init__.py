"""Many layers: the deep coding problem, solved, learned and certified."""

from ._solution import DeepCodingSolution, LayerSolution

__all__ = ["DeepCodingSolution", "LayerSolution"]
