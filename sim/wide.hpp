// 128-bit integers: exact sums and full products of 64-bit ones.
#pragma once

namespace sim {

__extension__ typedef __int128 WideSum;
__extension__ typedef unsigned __int128 WideProduct;

}  // namespace sim
