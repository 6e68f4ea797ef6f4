// How tables of configuration keys are written and read: parsers of values, the row of a table, and what looks a key up in it.
// For the files that hold such tables (config.cpp, librdkafka.cpp).
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "models/kafka/config.hpp"
#include "models/kafka/refused_keys.hpp"
#include "models/near_miss.hpp"

namespace models::kafka::config_table {

using Error = std::optional<std::string>;
inline constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();
/// Durations are held in nanoseconds: what is longer than a hundred years is refused rather than wrapped round.
inline constexpr std::int64_t kMsMax = 3'155'760'000'000;

inline Error parse_integer(std::string_view text, std::int64_t lo, std::int64_t hi, std::int64_t& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (ec != std::errc{} || end != text.data() + text.size()) {
    return "'" + std::string(text) + "' is not an integer";
  }
  if (out < lo || out > hi) {
    return std::string(text) + " is outside [" + std::to_string(lo) + ", " + std::to_string(hi) + "]";
  }
  return std::nullopt;
}

template <auto Member, std::int64_t Lo, std::int64_t Hi = kInt32Max, class C>
Error integer(C& config, std::string_view text) {
  std::int64_t n = 0;
  if (Error e = parse_integer(text, Lo, Hi, n)) return e;
  using Field = std::remove_reference_t<decltype(config.*Member)>;
  config.*Member = static_cast<Field>(n);
  return std::nullopt;
}

template <auto Member, std::int64_t Lo, std::int64_t Hi = kInt32Max, class C>
Error optional_integer(C& config, std::string_view text) {
  std::int64_t n = 0;
  if (Error e = parse_integer(text, Lo, Hi, n)) return e;
  config.*Member = static_cast<std::int32_t>(n);
  return std::nullopt;
}

template <auto Member, std::int64_t Lo, std::int64_t Hi, class C>
Error optional_long(C& config, std::string_view text) {
  std::int64_t n = 0;
  if (Error e = parse_integer(text, Lo, Hi, n)) return e;
  config.*Member = n;
  return std::nullopt;
}

/// Milliseconds; Long.MAX_VALUE stands for never, as in Kafka's defaults.
template <auto Member, std::int64_t Lo, class C>
Error milliseconds_or_never(C& config, std::string_view text) {
  std::int64_t n = 0;
  if (Error e = parse_integer(text, Lo, kInt64Max, n)) return e;
  if (n > kMsMax && n < kInt64Max) return std::string(text) + " is longer than a hundred years";
  config.*Member = n == kInt64Max ? kNever : Duration{n * 1'000'000};
  return std::nullopt;
}

/// Milliseconds; below 0: never.
template <auto Member, class C>
Error milliseconds_unless_negative(C& config, std::string_view text) {
  std::int64_t n = 0;
  if (Error e = parse_integer(text, -1, kMsMax, n)) return e;
  config.*Member = n < 0 ? kNever : Duration{n * 1'000'000};
  return std::nullopt;
}

/// A number of `Unit` nanoseconds.
template <auto Member, std::int64_t Lo, std::int64_t Unit = 1'000'000, class C>
Error span(C& config, std::string_view text) {
  std::int64_t n = 0;
  if (Error e = parse_integer(text, Lo, kMsMax * 1'000'000 / Unit, n)) return e;
  config.*Member = Duration{n * Unit};
  return std::nullopt;
}

template <auto Member, class C>
Error boolean(C& config, std::string_view text) {
  if (text != "true" && text != "false") return "'" + std::string(text) + "' is neither true nor false";
  config.*Member = text == "true";
  return std::nullopt;
}

template <auto Member, class C>
Error text_value(C& config, std::string_view text) {
  config.*Member = std::string(text);
  return std::nullopt;
}

/// The words between commas, without blanks around them.
inline std::vector<std::string_view> listed(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    words.push_back(one);
  }
  return words;
}

/// A row of a scope's table. `apply` is null for a key that Kafka has and mqlab does not model.
template <class C>
struct Key {
  std::string_view name;
  std::string_view type;
  std::string_view default_value;
  Error (*apply)(C&, std::string_view) = nullptr;
  std::string_view note = {};
};

inline std::string name_of(KeyScope scope) {
  constexpr std::string_view kNames[] = {
      "broker",  "topic", "producer", "consumer", "librdkafka producer", "librdkafka consumer",
      "Streams", "mirror"};
  return std::string(kNames[static_cast<std::size_t>(scope)]);
}

inline ConfigError not_modelled(KeyScope scope, std::string_view name, std::string_view reason) {
  return {std::string(name),
          "Kafka has this " + name_of(scope) + " setting, mqlab does not model it: " + std::string(reason)};
}

template <class Config, std::size_t N>
std::optional<ConfigError> set(const std::array<Key<Config>, N>& keys, KeyScope scope, Config& config,
                               std::string_view name, std::string_view value) {
  for (const Key<Config>& key : keys) {
    if (key.name != name) continue;
    if (key.apply == nullptr) return not_modelled(scope, name, key.note);
    if (Error e = key.apply(config, value)) return ConfigError{std::string(name), *e};
    return std::nullopt;
  }
  std::string_view reason;
  for_each_refused(scope, [&](std::string_view listed, std::string_view why) {
    if (stands_for(listed, name)) reason = why;
  });
  if (!reason.empty()) return not_modelled(scope, name, reason);
  std::vector<std::string_view> names;
  for (const Key<Config>& key : keys) names.push_back(key.name);
  return ConfigError{std::string(name), "is no " + name_of(scope) + " setting of Kafka that mqlab knows" +
                                            did_you_mean(name, names)};
}

template <class Config, std::size_t N>
void append_rows(std::vector<KeyInfo>& rows, KeyScope scope, const std::array<Key<Config>, N>& keys) {
  for (const Key<Config>& key : keys) {
    rows.push_back({scope, key.name, key.type, key.default_value, key.apply != nullptr, key.note});
  }
  for_each_refused(scope, [&](std::string_view listed, std::string_view why) {
    rows.push_back({scope, listed, {}, {}, false, why});
  });
}

}  // namespace models::kafka::config_table
