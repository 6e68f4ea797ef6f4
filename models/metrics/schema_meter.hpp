// Schemas: what was registered, what the registry refused or did not answer, and what could not be read.
#pragma once

#include <cstdint>
#include <vector>

#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"
#include "models/trace_kinds.hpp"
#include "sim/trace.hpp"

namespace models {

class SchemaMeter {
 public:
  /// Somebody writes or reads with a schema.
  void deployed() { used_ = true; }

  void answered(const sim::TraceRecord& r) {
    used_ = true;
    switch (static_cast<RegistryCode>(r.code)) {
      case RegistryCode::registered:
        ++registered_;
        return;
      case RegistryCode::incompatible:
        ++refused_;
        return;
      case RegistryCode::unreachable:
        ++unreachable_;
        return;
      default:
        return;
    }
  }

  void unreadable(const sim::TraceRecord& r) {
    ++unreadable_;
    ++by_group_[r.peer];
  }

  void report(MetricValues& values, std::vector<Labelled>& labelled) const {
    if (!used_) return;
    values[Metric::registrations] = static_cast<double>(registered_);
    values[Metric::registrations_refused] = static_cast<double>(refused_);
    values[Metric::registry_unreachable] = static_cast<double>(unreachable_);
    values[Metric::unreadable] = static_cast<double>(unreadable_);
    for (std::uint32_t group = 0; group < by_group_.rows().size(); ++group) {
      const auto records = static_cast<double>(by_group_.rows()[group]);
      if (records > 0) labelled.push_back({Metric::unreadable, EntityId{group}, {}, records});
    }
  }

 private:
  bool used_ = false;
  std::uint64_t registered_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t unreachable_ = 0;
  std::uint64_t unreadable_ = 0;
  EntityTable<std::uint64_t> by_group_;
};

}  // namespace models
