#include "experiments/definitions/definitions.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "experiments/definitions/clients.hpp"
#include "experiments/definitions/topology_text.hpp"
#include "experiments/errors.hpp"
#include "experiments/scenario/check.hpp"
#include "experiments/scenario/rabbitmq_policies.hpp"
#include "experiments/scenario/rabbitmq_tables.hpp"
#include "models/rabbitmq/policies.hpp"

namespace experiments {
namespace {

const Section& rabbitmq_section() {
  static const Section section = section_of("", rabbitmq_rows());
  return section;
}

/// Every virtual host that is named.
std::vector<std::string> vhosts_of(const Value& document) {
  std::set<std::string> names;
  for (const Value& vhost : items_of(document, "vhosts")) names.insert(text_of(vhost, "name", "vhosts"));
  for (const char* const section : {"exchanges", "queues", "bindings", "policies"}) {
    for (const Value& item : items_of(document, section)) {
      if (item.find("vhost") != nullptr) names.insert(text_of(item, "vhost", section));
    }
  }
  return {names.begin(), names.end()};
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + toml_text(name);
  return text;
}

/// Nothing: the export is of one, which it does not name.
std::optional<std::string> choose(const Value& document, const std::optional<std::string>& wanted) {
  const std::vector<std::string> there = vhosts_of(document);
  if (wanted) {
    const std::vector<std::string_view> views(there.begin(), there.end());
    if (std::find(there.begin(), there.end(), *wanted) == there.end())
      throw UsageError("--vhost: the export has no virtual host " + toml_text(*wanted) +
                       hint(*wanted, views));
    return wanted;
  }
  if (there.size() > 1)
    throw UsageError("the export has the virtual hosts " + listed(there) + ": choose one by --vhost");
  return there.empty() ? std::nullopt : std::optional(there.front());
}

/// "4.1" of "4.1.3", or what of mqlab's versions is next to it.
std::string version_of(const Value& document, std::vector<std::string>& left_out) {
  const std::vector<std::string_view>& known = find_key(rabbitmq_section(), "version")->choices;
  const Value* written = document.find("rabbitmq_version");
  if (written == nullptr) written = document.find("rabbit_version");
  if (written == nullptr || !written->is_text()) return std::string(known.back());
  const auto number = [](std::string_view text) {
    unsigned major = 0, minor = 0;
    const char* const end = text.data() + text.size();
    const auto [dot, error] = std::from_chars(text.data(), end, major);
    if (error == std::errc{} && dot < end) std::from_chars(dot + 1, end, minor);
    return std::pair(major, minor);
  };
  const auto wanted = number(written->text);
  std::string_view best = known.front();
  for (const std::string_view version : known) {
    if (number(version) <= wanted) best = version;
  }
  if (number(best) != wanted)
    left_out.push_back("version " + toml_text(written->text) + ": the rules of " + std::string(best) +
                       " are taken");
  return std::string(best);
}

std::string default_queue_type(const Value& document, const std::optional<std::string>& vhost) {
  for (const Value& item : items_of(document, "vhosts")) {
    if (vhost && text_of(item, "name", "vhosts") != *vhost) continue;
    const Value* type = item.find("default_queue_type");
    if (const Value* const metadata = item.find("metadata"); type == nullptr && metadata != nullptr)
      type = metadata->find("default_queue_type");
    if (type != nullptr && type->is_text() && type->text != "undefined") return type->text;
  }
  return "classic";
}

}  // namespace

DefinitionsScenario scenario_of_definitions(const Value& document, const std::optional<std::string>& vhost,
                                            const std::string& name) {
  if (document.find("queues") == nullptr && document.find("exchanges") == nullptr)
    throw BadScenario(document.place, "",
                      "is no export of RabbitMQ's definitions: it has no queues and no exchanges");
  const std::optional<std::string> chosen = choose(document, vhost);
  DefinitionsScenario out;
  const std::string version = version_of(document, out.left_out);
  TopologyText topology(document, chosen, default_queue_type(document, chosen), rabbitmq_section(),
                        out.left_out);
  const std::string clients = clients_text(topology);
  out.toml = fmt::format(
      "# RabbitMQ's definitions{} as `mqlab import` has read them: exchanges, queues, bindings and policies, "
      "and nothing else.\n",
      chosen ? ", virtual host " + toml_text(*chosen) + "," : "");
  for (const std::string& line : out.left_out) out.toml += "# Left out: " + line + "\n";
  out.toml += fmt::format("[scenario]\nname = {}\nduration = \"60s\"\n\n[rabbitmq]\nversion = \"{}\"\n",
                          toml_text(name), version);
  out.toml += topology.text() + clients;
  return out;
}

}  // namespace experiments
