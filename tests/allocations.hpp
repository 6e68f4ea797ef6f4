// How often this test program has allocated: for tests that a steady state does not. A program that links
// allocations.cpp has its own operators new and delete.
#pragma once

#include <cstddef>

namespace tests {

std::size_t allocations();

}  // namespace tests
