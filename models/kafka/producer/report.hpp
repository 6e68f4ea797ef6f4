// What a producer says in the trace: offered, refused, acknowledged, failed, resent (models/trace_kinds.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "models/apps/facts.hpp"
#include "models/context.hpp"
#include "models/kafka/producer/batch.hpp"

namespace models::kafka {

class ProducerReport {
 public:
  ProducerReport(const Context& context, EntityId producer) : context_(context), producer_(producer) {}

  /// The batch takes no more messages: they are offered, and those that are an application's resend named as
  /// such.
  void offered(EntityId place, LaneId lane, Batch& batch);
  /// Its messages are made of others: a batch's ranges name those.
  void derives(EntityId group) { group_ = group; }
  /// Its messages say facts: a batch's ranges name those.
  void says(FactBook& facts) { facts_ = &facts; }
  /// What a batch's ranges name is not told.
  void keeps_names() { names_kept_ = true; }
  /// What its batches keep as keys is something else.
  void has_no_keys() { keyed_ = false; }
  /// Messages may be tombstones.
  void look_for_tombstones() { tombstones_ = true; }
  void refused(RefusedCode code, const std::vector<std::int64_t>& created_at);
  void acknowledged(EntityId place, LaneId lane, std::int64_t first_seq, std::int64_t count,
                    Offset base_offset);
  void failed(EntityId place, LaneId lane, const Batch& batch, ErrorCode error);

 private:
  /// Longer batches are offered in parts, so that a record's payload stays well below a block of the trace.
  static constexpr std::int32_t kMostInOne = 4096;

  const Context& context_;
  EntityId producer_;
  void tombstones(EntityId place, LaneId lane, const Batch& batch, std::int32_t at, std::int32_t n);

  FactBook* facts_ = nullptr;
  EntityId group_{};  ///< whose output the messages are
  bool tombstones_ = false;
  bool names_kept_ = false;
  bool keyed_ = true;
  std::vector<std::int64_t> words_;
};

}  // namespace models::kafka
