// One include for both Catch2 releases that the supported distributions carry (2.13 and 3.x).
#pragma once
#if MQLAB_CATCH2_MAJOR >= 3
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
