#include "experiments/scenario/streams_tables.hpp"

#include "experiments/scenario/draws.hpp"
#include "experiments/scenario/kafka_keys.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

using models::GroupOptions;

const std::vector<Row<models::WindowOptions>>& window_rows() {
  using models::WindowOptions;
  static const std::vector<Row<WindowOptions>> rows{
      {{"size", KeyType::duration, "of a window", "", true},
       [](const Value& v, WindowOptions& w, const BindContext&) { w.size = parse_duration(v.text); }},
      {{"grace", KeyType::duration, "so long after its end a window is over, in the task's stream time",
        "\"0s\""},
       [](const Value& v, WindowOptions& w, const BindContext&) { w.grace = parse_duration(v.text); }},
      {{"retention", KeyType::duration, "of the window store; size + grace unless given"},
       [](const Value& v, WindowOptions& w, const BindContext&) { w.retention = parse_duration(v.text); }},
  };
  return rows;
}

}  // namespace

const std::vector<Row<GroupOptions>>& streams_rows() {
  static const Section windows = section_of("tumbling windows (TimeWindows.ofSizeAndGrace)", window_rows());
  static const std::vector<Row<GroupOptions>> rows{
      {{"changelog", KeyType::name, "topic of the stores' changes; partition by partition that of the input",
        "", true},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.transform.emplace().to = v.text; }},
      {draw_key("size", "bytes of a change", "\"100B\"", Draws::sizes),
       [](const Value& v, GroupOptions& g, const BindContext&) {
         g.transform->size = make_distribution(v, Draws::sizes);
       }},
      {table_key("windows", "counts are of a key and a window; of a key unless given", windows),
       [](const Value& v, GroupOptions& g, const BindContext& c) {
         bind_rows(v, window_rows(), g.streams->windows.emplace(), c);
       }},
      {{"restore", KeyType::duration, "time to bring one record of the changelog into a store", "\"5us\""},
       [](const Value& v, GroupOptions& g, const BindContext&) {
         g.streams->restore = parse_duration(v.text);
       }},
      {config_key("settings of StreamsConfig by Kafka's names", models::kafka::KeyScope::streams),
       [](const Value& v, GroupOptions& g, const BindContext&) {
         g.streams->config = bind_kafka_config<models::kafka::StreamsConfig>(v);
       }},
  };
  return rows;
}

const Section& streams_section() {
  static const Section section = section_of(
      "a Streams application that counts by key: stores, their changelog, and how they are restored",
      streams_rows());
  return section;
}

}  // namespace experiments
