// The rows of [network].
#include "experiments/scenario/draws.hpp"
#include "experiments/scenario/key_tables.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

using models::LinkOptions;
using models::NetworkOptions;

const std::vector<Row<LinkOptions>>& link_rows() {
  static const std::vector<Row<LinkOptions>> rows{
      {{"latency", KeyType::distribution, "one way", "\"250us\""},
       [](const Value& v, LinkOptions& link, const BindContext&) { link.latency = durations(v); }},
      {{"bandwidth", KeyType::bandwidth, "how fast bytes are put on the way; unlimited unless given"},
       [](const Value& v, LinkOptions& link, const BindContext&) {
         link.bandwidth_bits_per_s = static_cast<double>(parse_bandwidth(v.text));
       }},
      {{"loss", KeyType::share, "probability that a segment is lost and sent again", "0"},
       [](const Value& v, LinkOptions& link, const BindContext&) { link.loss = v.number; }},
  };
  return rows;
}

const Section& link_section() {
  static const Section section = section_of("how far two hosts are from each other", link_rows());
  return section;
}

LinkOptions bind_link(const Value& v, LinkOptions link, const BindContext& context) {
  bind_rows(v, link_rows(), link, context);
  return link;
}

/// A tier begins as a copy of the base link: what it does not say stays. Rows run in the order of the table,
/// base first.
template <std::optional<LinkOptions> NetworkOptions::*Tier>
Row<NetworkOptions> tier(std::string_view name, std::string_view about) {
  Key key{name, KeyType::table, about};
  key.section = &link_section();
  return {key, [](const Value& v, NetworkOptions& network, const BindContext& context) {
            network.*Tier = bind_link(v, network.base, context);
          }};
}

const Section& override_section() {
  static const Section section = [] {
    Section s =
        section_of("a link of its own for a pair of ends; of several that fit, the last counts", link_rows());
    s.keys.push_back({"from", KeyType::name, "a host, rack, zone or region", "", true});
    s.keys.push_back({"to", KeyType::name, "a host, rack, zone or region", "", true});
    s.keys.push_back({"one_way", KeyType::boolean, "only from `from` to `to`", "false"});
    return s;
  }();
  return section;
}

const Section& cable_section() {
  static const Section section = [] {
    Section s = section_of("a cable of a declared topology, both ways", link_rows());
    s.keys.push_back({"a", KeyType::name, "a host, rack, zone, region or switch (any other name)", "", true});
    s.keys.push_back({"b", KeyType::name, "its other end", "", true});
    return s;
  }();
  return section;
}

void bind_overrides(const Value& v, NetworkOptions& network, const BindContext& context) {
  for (const Value& item : v.items) {
    models::LinkOverride link{item.find("from")->text, item.find("to")->text, false,
                              bind_link(item, network.base, context)};
    if (const Value* one_way = item.find("one_way")) link.one_way = one_way->boolean;
    network.overrides.push_back(std::move(link));
  }
}

void bind_cables(const Value& v, NetworkOptions& network, const BindContext& context) {
  for (const Value& item : v.items) {
    network.topology.push_back(
        {item.find("a")->text, item.find("b")->text, bind_link(item, network.base, context)});
  }
}

}  // namespace

const std::vector<Row<NetworkOptions>>& network_rows() {
  static const std::vector<Row<NetworkOptions>> rows = [] {
    std::vector<Row<NetworkOptions>> all;
    for (const Row<LinkOptions>& row : link_rows()) all.push_back({row.key, nullptr});
    all[0].bind = [](const Value& v, NetworkOptions& n, const BindContext& c) {
      link_rows()[0].bind(v, n.base, c);
    };
    all[1].bind = [](const Value& v, NetworkOptions& n, const BindContext& c) {
      link_rows()[1].bind(v, n.base, c);
    };
    all[2].bind = [](const Value& v, NetworkOptions& n, const BindContext& c) {
      link_rows()[2].bind(v, n.base, c);
    };
    all.push_back(tier<&NetworkOptions::same_host>(
        "same_host", "between programs of one host; as the network unless given"));
    all.push_back(tier<&NetworkOptions::same_rack>("same_rack", "between hosts of one rack"));
    all.push_back(tier<&NetworkOptions::same_zone>("same_zone", "between racks of one zone"));
    all.push_back(tier<&NetworkOptions::same_region>("same_region", "between zones of one region"));
    all.push_back(tier<&NetworkOptions::between_regions>("between_regions", "between regions"));
    all.push_back(
        {tables("links", "links of their own for pairs of ends", override_section()), bind_overrides});
    all.push_back({tables("cables", "a declared topology: messages take the path of least mean latency",
                          cable_section()),
                   bind_cables});
    all.push_back({{"retransmit_first", KeyType::duration, "first retransmission of a lost segment; doubles",
                    "\"200ms\""},
                   [](const Value& v, NetworkOptions& n, const BindContext&) {
                     n.retransmit_first = parse_duration(v.text);
                   }});
    all.push_back(
        {{"retransmit_longest", KeyType::duration, "longest distance of two retransmissions", "\"120s\""},
         [](const Value& v, NetworkOptions& n, const BindContext&) {
           n.retransmit_longest = parse_duration(v.text);
         }});
    all.push_back(
        {{"retransmits_before_reset", KeyType::integer, "then the connection is dead", "15", false, 1, 1000},
         [](const Value& v, NetworkOptions& n, const BindContext&) {
           n.retransmits_before_reset = whole<std::uint32_t>(v);
         }});
    all.push_back(
        {{"connect_retry", KeyType::duration, "first retry of a lost connection request; doubles", "\"1s\""},
         [](const Value& v, NetworkOptions& n, const BindContext&) {
           n.connect_retry = parse_duration(v.text);
         }});
    all.push_back({{"connect_timeout", KeyType::duration, "then connecting has failed", "\"10s\""},
                   [](const Value& v, NetworkOptions& n, const BindContext&) {
                     n.connect_timeout = parse_duration(v.text);
                   }});
    return all;
  }();
  return rows;
}

}  // namespace experiments
