// wrong_elements: whether a BLAS computes right, by some elements of a product worked out in double.
#pragma once

#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "product.hpp"

namespace bench {

/// Computes p by multiply(p); returns how many of 64 elements are wrong.
template <class Multiply>
int wrong_elements(const Product& p, const Multiply& multiply) {
  struct Element {
    const float* place;
    double value, magnitude;
  };
  std::minstd_rand random;
  std::vector<Element> elements;
  for (int count = 0; count < 64; ++count) {
    const int i = static_cast<int>(random() % static_cast<unsigned>(p.m));
    const int j = static_cast<int>(random() % static_cast<unsigned>(p.n));
    const float* place = p.c + i + static_cast<long>(j) * p.ldc;
    Element e{place, p.add ? static_cast<double>(*place) : 0, 0};
    for (long t = 0; t < p.k; ++t) {
      const double a = static_cast<double>(p.transpose_a ? p.a[t + static_cast<long>(i) * p.lda] : p.a[i + t * p.lda]);
      const double b = static_cast<double>(p.transpose_b ? p.b[j + t * p.ldb] : p.b[t + static_cast<long>(j) * p.ldb]);
      e.value += a * b;
      e.magnitude += std::abs(a * b);
    }
    elements.push_back(e);
  }
  multiply(p);
  int wrong = 0;
  for (const Element& e : elements)
    if (!(std::abs(static_cast<double>(*e.place) - e.value) <= 1e-5 * e.magnitude)) ++wrong;  // a NaN is wrong, too
  return wrong;
}

}  // namespace bench
