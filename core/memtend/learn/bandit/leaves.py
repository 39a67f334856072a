"""A forest whose leaves know all strategies, though each row knew one.

The trees are grown on the pooled costs, freed of the strategies' means: they find contexts that
are alike in how hard they are. The leaves' values are then solved for jointly, as the best linear
unbiased prediction of a mixed model: what contexts of a leaf share, how a strategy differs there,
and how it differs everywhere. A strategy with few rows in a leaf stays near what the leaf shares;
how near, is chosen by marginal likelihood, not by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from memtend.learn.bandit.logs import BanditLog
from memtend.learn.feedback import Floats, Ints
from memtend.learn.flat import FlatForest

TREES = 100
_LEAF_ROWS = 5
_SEARCHED = 36
_SEARCH_ROWS = 700  # rows for the marginal likelihood: its cost grows with their cube
_LOWEST = np.log([0.05, 0.02, 0.02, 0.15])
_HIGHEST = np.log([1.6, 1.6, 0.4, 1.0])


class Variances(NamedTuple):
    """Of a standardized cost, by where it comes from."""

    shared: float  # contexts alike
    apart: float  # a strategy, in contexts alike
    everywhere: float  # a strategy, in all contexts
    noise: float


@dataclass(frozen=True, slots=True, eq=False)
class PooledLeaves:
    estimator: Any  # whose trees these are, as scikit-learn knows them
    forest: FlatForest  # the same trees with a value for each strategy
    variances: Variances

    def predict(self, X: Floats) -> Floats:
        return self.forest.predict(X)


def fit_leaves(
    log: BanditLog, *, seed: int, variances: Variances | None = None, trees: int = TREES
) -> PooledLeaves:
    """`variances`: those of an earlier fit to similar rows, which saves the search."""
    from sklearn.ensemble import ExtraTreesRegressor  # noqa: PLC0415

    estimator = ExtraTreesRegressor(
        trees, min_samples_leaf=_LEAF_ROWS, max_features=0.5, bootstrap=True, max_samples=0.5,
        random_state=seed,
    )  # fmt: skip
    estimator.fit(log.X, log.cost - log.means()[log.logged])
    forest = FlatForest.of(estimator)
    nodes = forest.leaves(log.X).astype(np.int64)
    found = variances or _search(nodes, log, np.random.default_rng(seed))
    return PooledLeaves(estimator, _solved(forest, nodes, log, found), found)


def _solved(forest: FlatForest, nodes: Ints, log: BanditLog, var: Variances) -> FlatForest:
    """The forest with the leaves' values. The system is solved without writing its matrix down:
    all of it is sums over who shares a leaf."""
    from scipy.sparse.linalg import LinearOperator, cg  # noqa: PLC0415

    n, trees = nodes.shape
    m, size = log.strategies, len(forest.features)
    leaf = _indicator(nodes, size)
    own = _indicator(nodes * m + log.logged[:, None], size * m)
    strategy = _indicator(log.logged[:, None], m)

    def times(v: Floats) -> Floats:
        shared = leaf @ (leaf.T @ v) * (var.shared / trees)
        apart = own @ (own.T @ v) * (var.apart / trees)
        everywhere = strategy @ (strategy.T @ v) * var.everywhere
        return np.asarray(shared + apart + everywhere + var.noise * v)

    operator = LinearOperator((n, n), matvec=times, dtype=np.float64)
    weights, _left = cg(operator, log.cost, rtol=1e-6, maxiter=500)
    values = (own.T @ weights).reshape(size, m) * var.apart
    values += (leaf.T @ weights)[:, None] * var.shared
    values += (strategy.T @ weights)[None, :] * var.everywhere
    return replace(forest, values=values)


def _search(nodes: Ints, log: BanditLog, rng: np.random.Generator) -> Variances:
    """By marginal likelihood: half of the tries anywhere, half around the best."""
    from scipy.linalg import LinAlgError, cholesky, solve_triangular  # noqa: PLC0415

    rows = np.sort(rng.permutation(len(log))[:_SEARCH_ROWS])
    leaf = _indicator(nodes[rows], int(nodes.max()) + 1)
    alike = (leaf @ leaf.T).toarray() / nodes.shape[1]
    same = (log.logged[rows][:, None] == log.logged[rows][None, :]).astype(np.float64)
    both, eye, cost = alike * same, np.eye(len(rows)), log.cost[rows]
    best, best_loss = np.array([0.5, 0.2, 0.1, 0.5]), np.inf
    for turn in range(_SEARCHED):
        wide = turn < _SEARCHED // 2
        tried = (
            np.exp(rng.uniform(_LOWEST, _HIGHEST)) if wide else best * np.exp(rng.normal(0, 0.4, 4))
        )
        matrix = tried[0] * alike + tried[1] * both + tried[2] * same + tried[3] * eye
        try:
            lower = cholesky(matrix, lower=True)
        except LinAlgError:
            continue
        whitened = solve_triangular(lower, cost, lower=True)
        loss = 0.5 * whitened @ whitened + np.log(np.diag(lower)).sum()
        if loss < best_loss:
            best, best_loss = tried, loss
    return Variances(*map(float, best))


def _indicator(columns: Ints, width: int) -> Any:
    """Sparse: a one in each of a row's columns."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    n, per_row = columns.shape
    ones, starts = np.ones(columns.size), np.arange(0, columns.size + 1, per_row)
    return csr_matrix((ones, columns.reshape(-1), starts), shape=(n, width))
