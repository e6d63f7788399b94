#!/usr/bin/python3
"""Writes what metrics_golden_test.cpp compares eigan with: samples in float32, and their scores, computed by NumPy in
float64 straight from the definitions: differences of all pairs, sorted distances, general eigenvalues.

    sudo apt-get install python3-numpy
    /usr/bin/python3 tests/golden/make_metric_fixtures.py

By hand, and only when a case is added. Samples come from NumPy's RandomState, which is the same in every version.
"""
import pathlib

import numpy as np

import safetensors_numpy

FOLDER = pathlib.Path(__file__).parent
# Rounding in float must not decide who lies inside a ball, or who is nearest: relative to the squared distance.
CLEAR = 3e-6


def squared_distances(a, b):
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(2)


def inception_score(p):
    ratio = np.where(p > 0, p / p.mean(0), 1)
    return np.exp((p * np.log(ratio)).sum(1).mean())


def frechet_distance(a, b):
    covariance_a, covariance_b = np.cov(a.T), np.cov(b.T)
    # The product has the eigenvalues of the symmetric form that eigan takes, but for rounding real and not negative.
    eigenvalues = np.linalg.eigvals(covariance_a @ covariance_b).real.clip(0)
    shift = ((a.mean(0) - b.mean(0)) ** 2).sum()
    return shift + np.trace(covariance_a) + np.trace(covariance_b) - 2 * np.sqrt(eigenvalues).sum()


def squared_radii(x, k):
    return np.sort(squared_distances(x, x), axis=1)[:, k]  # the smallest is the sample itself


def inside(centres, points, k):
    """[i, j]: point j lies in the ball around centre i."""
    distances, radii = squared_distances(centres, points), squared_radii(centres, k)[:, None]
    assert (abs(distances - radii) > CLEAR * radii).all()
    return distances <= radii


def parzen_log_likelihoods(samples, images, sigma):
    powers = -squared_distances(images, samples) / (2 * sigma**2)
    constant = np.log(len(samples)) + samples.shape[1] / 2 * np.log(2 * np.pi * sigma**2)
    return np.logaddexp.reduce(powers, axis=1) - constant


def standard_error(values):
    return np.std(values, ddof=1) / np.sqrt(len(values))


def main():
    random = np.random.RandomState(1)
    inputs, scores = {}, {}

    def keep(name, values):
        """In float32, and as eigan will see it, in float64."""
        inputs[name] = np.asarray(values, "float32")
        return inputs[name].astype("float64")

    logits = 3 * random.standard_normal((230, 10))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    p[7] = np.eye(10)[3]
    p = keep("probabilities", p)
    splits = [inception_score(p[230 * s // 10 : 230 * (s + 1) // 10]) for s in range(10)]
    scores["inception_score"] = [inception_score(p), np.mean(splits), standard_error(splits)]
    scores["class_shares"] = np.bincount(p.argmax(1), minlength=10) / len(p)

    # Features as after a ReLU: not centred, correlated, some of them 0 throughout.
    mix = random.standard_normal((12, 16)) / 4
    mix[:, 5] = 0
    features = lambda shift, spread, n: np.maximum(0, shift + spread * random.standard_normal((n, 12)) @ mix)
    real, fake = keep("real", features(0.3, 1, 200)), keep("fake", features(0.7, 0.7, 170))
    scores["frechet_distance"] = [frechet_distance(real, fake), frechet_distance(real, fake[:15])]
    scores["squared_radii"] = squared_radii(real, 3)
    scores["precision_recall"] = [inside(real, fake, 3).any(0).mean(), inside(fake, real, 3).any(0).mean()]
    in_ball = inside(real, fake, 5)
    scores["density_coverage"] = [in_ball.sum(0).mean() / 5, in_ball.any(1).mean()]
    distances = squared_distances(fake, real)
    nearest, second = np.sort(distances, axis=1)[:, :2].T
    assert (second - nearest > CLEAR * nearest).all()
    scores["nearest.index"] = distances.argmin(1).astype("float64")
    scores["nearest.distance"] = np.sqrt(nearest)

    templates = random.uniform(0, 1, (12, 30))
    draw = lambda n: (templates[random.randint(0, 12, n)] + 0.15 * random.standard_normal((n, 30))).clip(0, 1)
    samples, validation, test = keep("samples", draw(270)), keep("validation", draw(60)), keep("test", draw(75))
    sigmas = np.logspace(-1, 0, 10)
    scores["parzen.validation"] = [parzen_log_likelihoods(samples, validation, sigma).mean() for sigma in sigmas]
    best = sigmas[np.argmax(scores["parzen.validation"])]
    assert sigmas[0] < best < sigmas[-1]
    on_test = parzen_log_likelihoods(samples, test, best)
    scores["parzen"] = [best, on_test.mean(), standard_error(on_test)]

    scores = {name: np.asarray(values, "float64") for name, values in scores.items()}
    for name, values in {**inputs, **scores}.items():
        assert np.isfinite(values).all(), name
    for name, values in scores.items():
        print(f"{name:18} {values.ravel()[:3]}")
    metadata = {"numpy": np.__version__}
    safetensors_numpy.write(FOLDER / "metrics.float32.safetensors", {**inputs, **scores}, metadata)


if __name__ == "__main__":
    main()
