#include "experiments/scenario/kafka_keys.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "experiments/errors.hpp"
#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/units.hpp"
#include "models/kafka/librdkafka.hpp"
#include "models/kafka/streams.hpp"

namespace experiments {
namespace {

namespace kafka = models::kafka;

const kafka::KeyInfo* find_info(kafka::KeyScope scope, std::string_view name) {
  for (const kafka::KeyInfo& row : kafka::key_catalogue()) {
    if (row.scope == scope && row.name == name) return &row;
  }
  return nullptr;
}

std::optional<kafka::ConfigError> try_key(kafka::KeyScope scope, std::string_view key,
                                          std::string_view value) {
  kafka::BrokerConfig broker;
  kafka::TopicConfig topic;
  kafka::ProducerConfig producer;
  kafka::ConsumerConfig consumer;
  kafka::StreamsConfig streams;
  kafka::MirrorConfig mirror;
  switch (scope) {
    case kafka::KeyScope::broker:
      return kafka::set(broker, key, value);
    case kafka::KeyScope::topic:
      return kafka::set(topic, key, value);
    case kafka::KeyScope::producer:
      return kafka::set(producer, key, value);
    case kafka::KeyScope::consumer:
      return kafka::set(consumer, key, value);
    case kafka::KeyScope::librdkafka_producer:
      return kafka::set_librdkafka(producer, key, value);
    case kafka::KeyScope::librdkafka_consumer:
      return kafka::set_librdkafka(consumer, key, value);
    case kafka::KeyScope::streams:
      return kafka::set(streams, key, value);
    case kafka::KeyScope::mirror:
      return kafka::set(mirror, key, value);
  }
  return std::nullopt;
}

struct TimeUnit {
  std::string_view type;
  std::int64_t nanoseconds;
};
constexpr std::array kTimeTypes{TimeUnit{"ms", 1'000'000}, TimeUnit{"s", 1'000'000'000},
                                TimeUnit{"min", 60'000'000'000}, TimeUnit{"h", 3'600'000'000'000}};

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("-0123456789") == std::string_view::npos;
}

/// "45s" for a key in milliseconds becomes 45000, "16KiB" for one in bytes 16384.
std::string in_unit_of(std::string_view type, const std::string& text) {
  if (is_number(text)) return text;
  if (type == "bytes") return std::to_string(parse_size(text));
  for (const TimeUnit& unit : kTimeTypes) {
    if (unit.type != type) continue;
    const std::int64_t ns = parse_duration(text).count();
    if (ns % unit.nanoseconds != 0)
      throw BadValue("'" + text + "' is not a whole number of " + std::string(type));
    return std::to_string(ns / unit.nanoseconds);
  }
  return text;
}

/// One spelling: whole numbers and booleans as such, all else as a text.
Value typed(const std::string& text) {
  if (text == "true" || text == "false") return Value::of(text == "true");
  std::int64_t whole = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (ec == std::errc{} && end == text.data() + text.size() && std::to_string(whole) == text)
    return Value::of(whole);
  return Value::of(text);
}

std::string list_text(const Value& list, const std::string& path) {
  std::string text;
  for (const Value& item : list.items) {
    if (!item.is_text()) throw BadScenario(item.place, path, "must be a list of texts");
    text += (text.empty() ? "" : ",") + item.text;
  }
  return text;
}

Value check_setting(const Value& value, kafka::KeyScope scope, const std::string& key,
                    const std::string& path) {
  if (value.is_table() || value.is(Value::Type::date)) {
    throw BadScenario(value.place, path, "must be a boolean, a number, a text or a list of texts");
  }
  const kafka::KeyInfo* info = find_info(scope, key);
  std::string text = value.is_array() ? list_text(value, path) : property_text(value);
  try {
    if (info != nullptr && info->modelled) text = in_unit_of(info->type, text);
  } catch (const BadValue& bad) {
    throw BadScenario(value.place, path, bad.what());
  }
  if (const auto error = try_key(scope, key, text)) {
    const bool about_key = info == nullptr || !info->modelled;
    throw BadScenario(about_key ? value.key_place : value.place, path, error->message);
  }
  Value out = typed(text);
  out.place = value.place;
  out.key_place = value.key_place;
  return out;
}

}  // namespace

std::string property_text(const Value& value) {
  switch (value.type) {
    case Value::Type::boolean:
      return value.boolean ? "true" : "false";
    case Value::Type::integer:
      return std::to_string(value.integer);
    case Value::Type::number:
      return number_text(value.number);
    default:
      return value.text;
  }
}

Value check_kafka_config(const Value& table, kafka::KeyScope scope, const std::string& path) {
  if (!table.is_table()) throw BadScenario(table.place, path, "must be a table of Kafka's settings");
  Value out = Value::table_at(table.place);
  out.key_place = table.key_place;
  for (const auto& [key, value] : table.members) {
    out.members.emplace_back(key, check_setting(value, scope, key, join_path(path, key)));
  }
  return out;
}

}  // namespace experiments
