"""examples/programs/ensemble.cpp with scikit-learn: how many times more the networks differ beyond the data."""
import warnings

import numpy
from sklearn.ensemble import BaggingRegressor
from sklearn.neural_network import MLPRegressor

from peer import SEED, run


def work():
    warnings.simplefilter("ignore")  # 500 steps need not have converged
    random = numpy.random.default_rng(SEED)
    x = random.uniform(-2, 2, (80, 1))
    target = numpy.sin(2 * x[:, 0]) + random.normal(0, 0.1, 80)
    network = MLPRegressor((32, 32), activation="tanh", alpha=0, batch_size=80, learning_rate_init=0.01, max_iter=500, tol=0,
                           n_iter_no_change=500)
    members = BaggingRegressor(network, n_estimators=10, random_state=SEED).fit(x, target).estimators_

    def spread(first, last):
        at = numpy.linspace(first, last, 41)[:, None]
        return numpy.sqrt(numpy.var([member.predict(at) for member in members], axis=0).mean())

    return spread(4, 6) / spread(-1.5, 1.5)


run(work)
