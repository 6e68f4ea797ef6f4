// How far the application may run ahead: the first instant at which an arrival that is already known makes
// something happen.
//
// Between such instants arrivals only fill open batches, which nobody sees; they are appended when somebody
// looks. What can happen: a batch gets full or must be closed, a batch is opened that has to be sent (or
// whose linger.ms then ends), memory runs out, a message is refused, the sticky partitioner draws, a message
// goes to a partition for the first time.
//
// Guarantee: next() is never later than the true instant; when it is earlier, looking there changes nothing.
// It works out with the same arithmetic (BatchFill) what Accumulator will do, and changes nothing itself.
#pragma once

#include <cstdint>
#include <vector>

#include "models/clients/message_source.hpp"
#include "models/kafka/producer/router.hpp"

namespace models::kafka {

class Forecast {
 public:
  Forecast(const ProducerConfig& config, const Accumulator& accumulator, Router& router,
           MessageSource& source, const RecordSizer& sizer)
      : config_(config),
        accumulator_(accumulator),
        router_(router),
        source_(source),
        sizer_(sizer),
        ahead_(accumulator.size()) {}

  /// The first such instant, or `horizon` when that is not later. Messages are stamped no earlier than
  /// `free`. Requires an application that is not blocked and whose messages of the past have been appended.
  sim::Time next(sim::Time free, sim::Time horizon);

 private:
  struct Ahead {
    std::uint64_t look = 0;  ///< which call of next() this belongs to
    bool open = false;
    BatchFill fill;
  };

  sim::Time next_sticky(sim::Time free, sim::Time horizon);
  sim::Time next_routed(sim::Time free, sim::Time horizon);
  bool opening_matters(const PartitionQueue& queue, std::int64_t memory) const {
    return config_.linger <= sim::Duration{} || queue.lane == LaneId{} || queue.leader.leader == kNoBroker ||
           memory > accumulator_.available_memory();
  }
  std::int32_t fixed(std::size_t i) const { return sizer_.fixed_bytes(source_.size(i), source_.key(i)); }

  const ProducerConfig& config_;
  const Accumulator& accumulator_;
  Router& router_;
  MessageSource& source_;
  const RecordSizer& sizer_;
  std::vector<Ahead> ahead_;
  std::uint64_t look_ = 0;
};

}  // namespace models::kafka
