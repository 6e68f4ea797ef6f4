// The hash by which librdkafka's partitioners `consistent` and `consistent_random` place keys: CRC-32 as in zlib
// (librdkafka's rdcrc32.c; polynomial 0xedb88320, reflected).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace models::kafka {
namespace detail {

constexpr std::array<std::uint32_t, 256> crc32_table() noexcept {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < table.size(); ++n) {
    std::uint32_t rest = n;
    for (int bit = 0; bit < 8; ++bit) rest = (rest & 1u) != 0 ? 0xedb88320u ^ (rest >> 1) : rest >> 1;
    table[n] = rest;
  }
  return table;
}

}  // namespace detail

constexpr std::uint32_t crc32(std::string_view bytes) noexcept {
  constexpr std::array<std::uint32_t, 256> kTable = detail::crc32_table();
  std::uint32_t crc = 0xffffffffu;
  for (const char c : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xffu] ^ (crc >> 8);
  return crc ^ 0xffffffffu;
}

}  // namespace models::kafka
