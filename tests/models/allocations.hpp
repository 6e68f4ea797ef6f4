// How often this test program has allocated: for tests that a steady state does not.
#pragma once

#include <cstddef>

namespace tests {

std::size_t allocations();

}  // namespace tests
