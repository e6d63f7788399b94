// Everything that judges generated samples. A header of its own beside eigan.hpp, for the Fréchet distance brings in
// Eigen's eigenvalues.
#pragma once

#include <eigan/metrics/accuracy.hpp>
#include <eigan/metrics/class_histogram.hpp>
#include <eigan/metrics/density_coverage.hpp>
#include <eigan/metrics/estimate.hpp>
#include <eigan/metrics/frechet_distance.hpp>
#include <eigan/metrics/inception_score.hpp>
#include <eigan/metrics/nearest_neighbour.hpp>
#include <eigan/metrics/neighbour_radii.hpp>
#include <eigan/metrics/pairwise_distances.hpp>
#include <eigan/metrics/parzen.hpp>
#include <eigan/metrics/precision_recall.hpp>
