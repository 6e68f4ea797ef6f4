// The trace of a run: small typed records in order of emission, handed to sinks in blocks.
//
// Models say what happened; they compute no statistics and judge nothing. A record is 56 bytes of fields and, where a
// sink asked for it, the number of the record that caused it. What a field means is fixed by the record's kind
// (models/trace_kinds.hpp); a kind that covers a range of messages may carry one word per message in its payload.
//
// Guarantees: sinks see every record once, in order, with its payload. The digest is made of the fields and the payload of
// every record, in order of emission, and of nothing else: neither sinks nor causes nor the size of a block move it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/digest.hpp"
#include "sim/time.hpp"

namespace sim {

/// The number of a record within its run, from 1; 0 means "none".
using RecordNumber = std::uint64_t;

struct TraceRecord {
  Time time{};              ///< when it was emitted; never decreases within a run
  std::uint16_t kind = 0;   ///< models::Kind
  std::uint16_t code = 0;   ///< reason, state or flags, by kind
  std::uint32_t actor = 0;  ///< entity that acted
  std::uint32_t place = 0;  ///< entity it happened at: partition, queue, link
  std::uint32_t peer = 0;   ///< lane, group or other party, by kind
  std::int64_t a = 0;
  std::int64_t b = 0;
  std::int64_t c = 0;
  std::uint32_t payload = 0;  ///< index of the first payload word inside the block
  std::uint32_t words = 0;    ///< payload words
};
static_assert(sizeof(TraceRecord) == 56);

/// A run of consecutive records. Valid only during the call that receives it.
struct TraceBlock {
  RecordNumber first = 1;  ///< number of records[0]
  std::span<const TraceRecord> records;
  std::span<const std::int64_t> words;   ///< payload of all records
  std::span<const RecordNumber> causes;  ///< as long as records, or empty when no sink asked

  std::span<const std::int64_t> payload(const TraceRecord& r) const {
    return words.subspan(r.payload, r.words);
  }
};

class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void consume(const TraceBlock& block) = 0;
  /// Called once, after the last block.
  virtual void finish(Time end) { static_cast<void>(end); }
  /// True for a sink that reads TraceBlock::causes.
  virtual bool wants_causes() const { return false; }
};

/// Partial digests at even distances through a run, never more than `kMost`: the distance doubles as the run grows.
struct DigestChain {
  static constexpr std::size_t kMost = 256;
  std::uint64_t records_per_partial = 64;
  std::vector<std::array<std::uint64_t, 2>> partials;
};

class Trace {
 public:
  static constexpr std::size_t kBlockRecords = 512;
  static constexpr std::size_t kBlockWords = 16384;

  Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// Sinks are called in the order they were added and must outlive the trace. Add them before the first record.
  void add_sink(TraceSink& sink);

  /// Appends a record (its payload fields are set here) and returns its number. `time` must not decrease.
  RecordNumber emit(TraceRecord record, std::span<const std::int64_t> payload = {}, RecordNumber cause = 0);

  /// Records emitted without a cause of their own inherit this one: set around the handling of an event that a record named.
  void set_cause(RecordNumber cause) noexcept { cause_ = cause; }
  RecordNumber cause() const noexcept { return cause_; }

  /// Hands what is buffered to the sinks.
  void flush();
  /// Flushes, then tells each sink that the run is over.
  void finish(Time end);

  RecordNumber emitted() const noexcept { return next_ - 1; }
  /// Digest of everything emitted so far; call after flush().
  std::string digest() const { return digest_.hex(); }
  const DigestChain& chain() const noexcept { return chain_; }

 private:
  void digest_block();
  void note_partial();

  std::vector<TraceSink*> sinks_;
  std::vector<TraceRecord> records_;
  std::vector<std::int64_t> words_;
  std::vector<RecordNumber> causes_;
  Digest digest_;
  DigestChain chain_;
  std::uint64_t digested_ = 0;
  RecordNumber next_ = 1;
  RecordNumber cause_ = 0;
  Time last_{};
  bool causes_wanted_ = false;
};

}  // namespace sim
