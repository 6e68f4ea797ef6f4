#include "experiments/scenario/draws.hpp"

#include <algorithm>
#include <cmath>

#include "experiments/errors.hpp"
#include "experiments/scenario/check.hpp"
#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/toml_document.hpp"
#include "experiments/scenario/units.hpp"
#include "models/near_miss.hpp"
#include "sim/arrivals.hpp"
#include "sim/digest.hpp"

namespace experiments {
namespace {

constexpr std::size_t kMostReplayBytes = 256U << 20U;

/// The key that a catalogue's parameter is in a scenario; a list has the type of its items.
Key key_of(const sim::ParameterInfo& parameter, Draws draws) {
  constexpr std::string_view kListOf = "list of ";
  std::string_view unit = parameter.unit;
  if (unit.substr(0, kListOf.size()) == kListOf) unit.remove_prefix(kListOf.size());
  Key key;
  key.name = parameter.name;
  key.about = parameter.doc;
  key.type = KeyType::number;
  if (unit == "value" && draws == Draws::durations) key.type = KeyType::duration;
  if (unit == "value" && draws == Draws::sizes) key.type = KeyType::size;
  if (unit == "1/s" && parameter.default_value != "0") key.type = KeyType::rate;
  if (unit == "1/s" && parameter.default_value == "0") key.low = 0;
  if (unit == "duration") key.type = KeyType::duration;
  if (unit == "boolean") key.type = KeyType::boolean;
  if (unit == "path") key.type = KeyType::name;
  if (unit == "distribution of duration") key.type = KeyType::distribution;
  return key;
}

bool is_list(const sim::ParameterInfo& parameter) {
  return parameter.unit.substr(0, 8) == "list of ";
}

Value check_list(const Value& value, const Key& key, const std::string& path) {
  if (!value.is_array()) throw BadScenario(value.place, path, "must be a list");
  Value out = value;
  out.items.clear();
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    out.items.push_back(check_value(value.items[i], key, path + "." + std::to_string(i)));
  }
  return out;
}

/// Corners of a rate profile: [["0s", 100], ["60s", 2000]]. A corner's rate may be 0.
Value check_corners(const Value& value, const std::string& path) {
  if (!value.is_array()) throw BadScenario(value.place, path, "must be a list of [time, rate]");
  Value out = value;
  for (Value& corner : out.items) {
    if (!corner.is_array() || corner.items.size() != 2)
      throw BadScenario(corner.place, path, "must be a list of [time, rate]");
    Key at;
    at.type = KeyType::duration;
    corner.items[0] = check_value(corner.items[0], at, path);
    if (corner.items[1].is_numeric() && corner.items[1].as_double() == 0) {
      corner.items[1].type = Value::Type::number;
      corner.items[1].number = 0;
      continue;
    }
    Key rate;
    rate.type = KeyType::rate;
    corner.items[1] = check_value(corner.items[1], rate, path);
  }
  return out;
}

const sim::CatalogueEntry& find_entry(const Value& name, std::span<const sim::CatalogueEntry> catalogue,
                                      const std::string& path) {
  std::vector<std::string_view> names;
  for (const sim::CatalogueEntry& entry : catalogue) {
    if (name.is_text() && entry.name == name.text) return entry;
    names.push_back(entry.name);
  }
  if (!name.is_text()) throw BadScenario(name.place, path, "must be a text" + hint("", names));
  throw BadScenario(name.place, path, "'" + name.text + "' is not known" + hint(name.text, names));
}

/// Checks a table `{ selector = "name", parameters… }` against a catalogue.
Value check_entry(const Value& table, std::string_view selector,
                  std::span<const sim::CatalogueEntry> catalogue, Draws draws, const std::string& path) {
  const Value* name = table.find(selector);
  if (name == nullptr) throw BadScenario(table.place, path, "needs the key '" + std::string(selector) + "'");
  const std::string selected = join_path(path, selector);
  const sim::CatalogueEntry& entry = find_entry(*name, catalogue, selected);
  Value out = Value::table_at(table.place);
  out.key_place = table.key_place;
  out.is_inline = true;
  out.members.emplace_back(std::string(selector), *name);
  std::vector<std::string_view> known{selector};
  for (const sim::ParameterInfo& parameter : entry.parameters) known.push_back(parameter.name);
  if (draws == Draws::sizes && std::find(known.begin(), known.end(), "value") != known.end())
    known.push_back("bytes");  // the same as a bare number (check_distribution)
  for (const auto& [key, member] : table.members) {
    if (key == selector) continue;
    const std::string here = join_path(path, key);
    const auto at =
        std::find_if(entry.parameters.begin(), entry.parameters.end(),
                     [&, &wanted = key](const sim::ParameterInfo& p) { return p.name == wanted; });
    if (at == entry.parameters.end()) {
      throw BadScenario(member.key_place, here,
                        "unknown parameter of '" + std::string(entry.name) + "'" + hint(key, known));
    }
    const Key as_key = key_of(*at, draws);
    if (at->unit == "list of [duration, 1/s]")
      out.members.emplace_back(key, check_corners(member, here));
    else if (is_list(*at))
      out.members.emplace_back(key, check_list(member, as_key, here));
    else
      out.members.emplace_back(key, check_value(member, as_key, here));
  }
  for (const sim::ParameterInfo& parameter : entry.parameters) {
    if (parameter.default_value.empty() && out.find(parameter.name) == nullptr) {
      throw BadScenario(table.place, path,
                        "'" + std::string(entry.name) + "' needs the parameter '" +
                            std::string(parameter.name) + "': " + std::string(parameter.doc));
    }
  }
  return out;
}

/// The parameters of a checked table as numbers in their base units.
class Parameters {
 public:
  Parameters(const Value& table, Draws draws) : table_(table), draws_(draws) {}

  double number(std::string_view name) const { return number_of(*table_.find(name)); }
  double number_or(std::string_view name, double otherwise) const {
    const Value* value = table_.find(name);
    return value == nullptr ? otherwise : number_of(*value);
  }
  bool flag(std::string_view name) const {
    const Value* value = table_.find(name);
    return value != nullptr && value->boolean;
  }
  sim::Duration duration(std::string_view name) const { return parse_duration(table_.find(name)->text); }
  std::vector<double> numbers(std::string_view name) const {
    std::vector<double> out;
    if (const Value* list = table_.find(name)) {
      for (const Value& item : list->items) out.push_back(number_of(item));
    }
    return out;
  }
  /// A count: whole and not negative.
  std::uint64_t count(std::string_view name) const {
    const double x = number(name);
    if (!(x >= 0) || x != std::floor(x) || x > 0x1p53) {
      throw std::invalid_argument(std::string(name) + " must be a whole number that is not negative");
    }
    return static_cast<std::uint64_t>(x);
  }

 private:
  double number_of(const Value& value) const {
    if (!value.is_text()) return value.as_double();
    if (draws_ == Draws::sizes) return static_cast<double>(parse_size(value.text));
    return static_cast<double>(parse_duration(value.text).count());
  }
  const Value& table_;
  Draws draws_;
};

sim::Distribution build_distribution(const std::string& name, const Parameters& p) {
  using D = sim::Distribution;
  if (name == "constant") return D::constant(p.number("value"));
  if (name == "uniform") return D::uniform(p.number("low"), p.number("high"));
  if (name == "bernoulli") return D::bernoulli(p.number("p"));
  if (name == "exponential") return D::exponential(p.number("mean"));
  if (name == "erlang") {
    const std::uint64_t k = p.count("k");
    return D::erlang(static_cast<std::uint32_t>(std::min<std::uint64_t>(k, 1'000'000)), p.number("mean"));
  }
  if (name == "hyperexponential") return D::hyperexponential(p.number("mean"), p.number("cv"));
  if (name == "hyperexponential_phases")
    return D::hyperexponential_phases(p.number("p"), p.number("mean1"), p.number("mean2"));
  if (name == "normal") return D::normal(p.number("mean"), p.number("sd"), p.flag("truncated"));
  if (name == "lognormal") return D::lognormal(p.number("mean"), p.number("cv"));
  if (name == "pareto_bounded")
    return D::pareto_bounded(p.number("shape"), p.number("low"), p.number("high"));
  if (name == "weibull") return D::weibull(p.number("shape"), p.number("mean"));
  if (name == "zipf") return D::zipf(p.count("count"), p.number("exponent"));
  if (name == "empirical") return D::empirical(p.numbers("values"), p.numbers("weights"));
  if (name == "schedule") return D::schedule(p.numbers("values"));
  throw std::invalid_argument("distribution '" + name + "' has no reader");
}

/// Builds, and turns the factory's complaint, which begins with the parameter's name, into a place in the
/// file.
template <class Build>
void try_build(const Value& table, const std::string& path, Build build) {
  try {
    build();
  } catch (const std::invalid_argument& bad) {
    const std::string text = bad.what();
    const std::size_t space = text.find(' ');
    const Value* parameter = table.find(std::string_view(text).substr(0, space));
    if (parameter == nullptr || space == std::string::npos) throw BadScenario(table.place, path, text);
    throw BadScenario(parameter->place, join_path(path, text.substr(0, space)), text.substr(space + 1));
  }
}

Value as_constant(const Value& value) {
  Value table = Value::table_at(value.place);
  table.key_place = value.key_place;
  Value name = Value::of("constant");
  name.place = name.key_place = value.place;
  table.put("distribution", std::move(name));
  table.put("value", value);
  return table;
}

}  // namespace

Value check_distribution(const Value& value, Draws draws, const std::string& path) {
  Value table = value.is_table() ? value : as_constant(value);
  if (!value.is_table() && !value.is_text()) {
    throw BadScenario(value.place, path,
                      std::string("must be a distribution, as in { distribution = \"exponential\", mean = ") +
                          (draws == Draws::sizes ? "\"1kB\" }, or a size in quotes"
                                                 : "\"1ms\" }, or a duration in quotes"));
  }
  const Value* bytes = draws == Draws::sizes ? table.find("bytes") : nullptr;
  if (bytes != nullptr && table.find("value") == nullptr) {  // the key names its unit
    if (!bytes->is(Value::Type::integer) || bytes->integer < 0) {
      throw BadScenario(bytes->place, join_path(path, "bytes"),
                        "must be a whole number that is not negative");
    }
    Value size = *bytes;
    size.type = Value::Type::text;
    size.text = size_text(bytes->integer);
    table.erase("bytes");
    table.put("value", std::move(size));
  }
  Value out = check_entry(table, "distribution", sim::distribution_catalogue(), draws, path);
  try_build(out, path, [&] { build_distribution(out.find("distribution")->text, Parameters(out, draws)); });
  return out;
}

sim::Distribution make_distribution(const Value& checked, Draws draws) {
  return build_distribution(checked.find("distribution")->text, Parameters(checked, draws));
}

namespace {

/// A key of neither the distribution nor the keys' looks: the hint knows both.
void refuse_unknown_looks(const Value& draws, const Value& distribution, const Section& looks,
                          const std::string& path) {
  std::vector<std::string_view> known{"distribution"};
  for (const Key& key : looks.keys) known.push_back(key.name);
  for (const sim::CatalogueEntry& entry : sim::distribution_catalogue()) {
    if (!distribution.is_text() || entry.name != distribution.text) continue;
    for (const sim::ParameterInfo& parameter : entry.parameters) known.push_back(parameter.name);
  }
  for (const auto& [key, member] : draws.members) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw BadScenario(member.key_place, join_path(path, key), "unknown key" + hint(key, known));
  }
}

}  // namespace

Value check_keys(const Value& value, const std::string& path) {
  if (!value.is_table()) {
    throw BadScenario(value.place, path,
                      "must be a table, as in { distribution = \"zipf\", count = 1000, exponent = 1 }");
  }
  Value draws = value;
  Value looks = Value::table_at(value.place);
  for (const std::string_view key : {"count", "prefix", "on_wire"}) {
    if (const Value* member = value.find(key)) looks.put(key, *member);
    draws.erase(key);
  }
  static const Section kLooks{
      "keys",
      {{"count", KeyType::integer, "how many keys there are", "", true, 1, 4294967295.0},
       {"prefix", KeyType::name, "a key is this and its rank", "k"},
       {"on_wire", KeyType::boolean, "false: only the application knows the key", "true"}}};
  Value out = check_table(looks, kLooks, path);
  out.is_inline = true;
  const Value* name = value.find("distribution");
  if (name == nullptr) throw BadScenario(value.place, path, "needs the key 'distribution'");
  find_entry(*name, sim::distribution_catalogue(), join_path(path, "distribution"));
  refuse_unknown_looks(draws, *name, kLooks, path);
  if (name->is_text() && name->text == "zipf") draws.put("count", *out.find("count"));
  if (name->is_text() && name->text == "uniform" && draws.members.size() == 1) {
    out.put("distribution", *name);  // all ranks alike: bounds would say it twice
    return out;
  }
  const Value checked = check_distribution(draws, Draws::ranks, path);
  for (const auto& [key, member] : checked.members) {
    if (key != "count") out.put(key, member);
  }
  return out;
}

models::KeyOptions make_keys(const Value& checked) {
  models::KeyOptions keys;
  keys.count = static_cast<std::uint32_t>(checked.find("count")->integer);
  if (const Value* prefix = checked.find("prefix")) keys.prefix = prefix->text;
  if (const Value* on_wire = checked.find("on_wire")) keys.on_wire = on_wire->boolean;
  const std::string& name = checked.find("distribution")->text;
  const bool plain_uniform = name == "uniform" && checked.find("low") == nullptr;
  keys.rank =
      plain_uniform ? sim::Distribution::zipf(keys.count, 0) : make_distribution(checked, Draws::ranks);
  return keys;
}

namespace {

std::vector<sim::RatePoint> corners_of(const Value& points) {
  std::vector<sim::RatePoint> out;
  for (const Value& corner : points.items) {
    out.push_back({parse_duration(corner.items[0].text), corner.items[1].as_double()});
  }
  return out;
}

/// The arrival processes that need no file.
std::optional<sim::ArrivalProcess> build_arrivals(const Value& table) {
  using A = sim::ArrivalProcess;
  const std::string& name = table.find("process")->text;
  const Parameters p(table, Draws::durations);
  if (name == "poisson") return A::poisson(p.number("rate"));
  if (name == "constant") return A::constant(p.number("rate"));
  if (name == "on_off") {
    return A::on_off(p.number("rate_on"), p.number_or("rate_off", 0), p.duration("mean_on"),
                     p.duration("mean_off"));
  }
  if (name == "profile") return A::profile(corners_of(*table.find("points")), p.flag("repeat"));
  if (name == "renewal") return A::renewal(make_distribution(*table.find("gap"), Draws::durations));
  return std::nullopt;
}

std::string replay_path(const Value& file, const BindContext& context) {
  const bool absolute = file.text.front() == '/';
  return absolute || context.directory.empty() ? file.text : context.directory + "/" + file.text;
}

std::string content_digest(const std::string& text) {
  sim::Digest digest;
  digest.add_text(text);
  return digest.hex();
}

sim::ArrivalProcess read_replay(const Value& table, const BindContext& context) {
  const Value& file = *table.find("file");
  const std::string path = replay_path(file, context);
  const std::string text = read_text_file(path, file.place, "file", kMostReplayBytes);
  const Value* content = table.find("content");
  if (content != nullptr && content_digest(text) != content->text) {
    throw BadScenario(file.place, "", "'" + path + "' is not the file that was run before");
  }
  const Value* unit = table.find("unit");
  try {
    return sim::ArrivalProcess::replay(sim::parse_timestamps(
        text, unit != nullptr ? parse_duration(unit->text) : sim::Duration(std::chrono::seconds(1))));
  } catch (const sim::TimestampError& bad) {
    const Place place{std::make_shared<const std::string>(path), static_cast<std::uint32_t>(bad.line),
                      static_cast<std::uint32_t>(bad.column)};
    throw BadScenario(place, "", bad.what());
  } catch (const std::invalid_argument& bad) {
    throw BadScenario(file.place, "", "'" + path + "': " + bad.what());
  }
}

}  // namespace

Value check_arrivals(const Value& value, const std::string& path) {
  if (!value.is_table()) {
    throw BadScenario(value.place, path, "must be a table, as in { process = \"poisson\", rate = 2000 }");
  }
  Value table = value;
  std::optional<Value> content;  // the digest of a replay's file, from an earlier run's record
  if (const Value* given = value.find("content")) {
    content = *given;
    table.erase("content");
  }
  Value out = check_entry(table, "process", sim::arrival_catalogue(), Draws::durations, path);
  try_build(out, path, [&] { build_arrivals(out); });
  const Value* outstanding = out.find("outstanding");
  if (outstanding != nullptr && (outstanding->number < 1 || outstanding->number > 1e6 ||
                                 outstanding->number != std::floor(outstanding->number))) {
    throw BadScenario(outstanding->place, path + ".outstanding", "must be a whole number from 1 to 1000000");
  }
  if (content) out.put("content", *content);
  return out;
}

void make_arrivals(const Value& checked, models::ProducerOptions& producer, const BindContext& context) {
  const std::string& name = checked.find("process")->text;
  if (name == "closed_loop") {
    models::ClosedLoop loop;
    if (const Value* n = checked.find("outstanding"))
      loop.outstanding = static_cast<std::uint32_t>(n->number);
    if (const Value* think = checked.find("think")) loop.think = make_distribution(*think, Draws::durations);
    producer.closed_loop = loop;
  } else if (name == "replay") {
    producer.arrivals = read_replay(checked, context);
  } else {
    producer.arrivals = build_arrivals(checked);
  }
}

void pin_replays(Value& checked_scenario, const BindContext& context) {
  for (const char* const name : {"producers", "services", "gateways"}) {
    Value* sources = checked_scenario.find(name);
    if (sources == nullptr) continue;
    for (Value& source : sources->items) {
      Value* arrivals = source.find("arrivals");
      if (arrivals == nullptr || arrivals->find("process")->text != "replay" ||
          arrivals->find("content") != nullptr)
        continue;
      const Value& file = *arrivals->find("file");
      const std::string text =
          read_text_file(replay_path(file, context), file.place, "file", kMostReplayBytes);
      arrivals->put("content", Value::of(content_digest(text)));
    }
  }
}

}  // namespace experiments
