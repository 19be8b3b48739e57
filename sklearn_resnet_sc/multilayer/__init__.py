"""Many layers: the deep coding problem, solved, learned and certified."""

from ._deep_coding_solver import DeepCodingSolver
from ._multi_layer_sparse_coder import MultiLayerSparseCoder
from ._solution import DeepCodingSolution, LayerSolution

__all__ = ["DeepCodingSolution", "DeepCodingSolver", "LayerSolution", "MultiLayerSparseCoder"]
