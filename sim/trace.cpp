#include "sim/trace.hpp"

#include "sim/assert.hpp"

namespace sim {

Trace::Trace() {
  records_.reserve(kBlockRecords);
  words_.reserve(kBlockWords);
  chain_.partials.reserve(DigestChain::kMost);
}

void Trace::add_sink(TraceSink& sink) {
  MQLAB_ASSERT(next_ == 1, "sinks are added before the first record");
  sinks_.push_back(&sink);
  causes_wanted_ = causes_wanted_ || sink.wants_causes();
}

RecordNumber Trace::emit(TraceRecord record, std::span<const std::int64_t> payload, RecordNumber cause) {
  MQLAB_ASSERT(record.time >= last_, "records are emitted in order of time");
  if (records_.size() == kBlockRecords || words_.size() + payload.size() > kBlockWords) flush();
  last_ = record.time;
  records_.push_back(record);
  // Set where it stays: a wide copy right behind narrow stores waits until they have left the store buffer.
  TraceRecord& kept = records_.back();
  kept.payload = static_cast<std::uint32_t>(words_.size());
  kept.words = static_cast<std::uint32_t>(payload.size());
  for (const std::int64_t word : payload) words_.push_back(word);
  if (causes_wanted_) causes_.push_back(cause != 0 ? cause : cause_);
  return next_++;
}

void Trace::flush() {
  if (records_.empty()) return;
  digest_block();
  const TraceBlock block{next_ - records_.size(), records_, words_, causes_};
  for (TraceSink* sink : sinks_) sink->consume(block);
  records_.clear();
  words_.clear();
  causes_.clear();
}

void Trace::finish(Time end) {
  flush();
  for (TraceSink* sink : sinks_) sink->finish(end);
}

void Trace::digest_block() {
  const auto to_next_partial = [this] {
    return chain_.records_per_partial - digested_ % chain_.records_per_partial;
  };
  std::uint64_t left = to_next_partial();
  for (const TraceRecord& r : records_) {
    const auto low = static_cast<std::uint64_t>(r.actor);
    digest_.add(static_cast<std::uint64_t>(nanoseconds(r.time)));
    digest_.add(static_cast<std::uint64_t>(r.kind) | static_cast<std::uint64_t>(r.code) << 16 | low << 32);
    digest_.add(static_cast<std::uint64_t>(r.place) | static_cast<std::uint64_t>(r.peer) << 32);
    digest_.add(static_cast<std::uint64_t>(r.a));
    digest_.add(static_cast<std::uint64_t>(r.b));
    digest_.add(static_cast<std::uint64_t>(r.c));
    digest_.add(r.words);
    for (std::uint32_t i = 0; i < r.words; ++i) {
      digest_.add(static_cast<std::uint64_t>(words_[r.payload + i]));
    }
    ++digested_;
    if (--left > 0) continue;
    note_partial();
    left = to_next_partial();
  }
}

void Trace::note_partial() {
  if (chain_.partials.size() == DigestChain::kMost) {
    std::vector<std::array<std::uint64_t, 2>>& p = chain_.partials;
    for (std::size_t i = 0; i < p.size() / 2; ++i) p[i] = p[2 * i + 1];
    p.resize(p.size() / 2);
    chain_.records_per_partial *= 2;
    if (digested_ % chain_.records_per_partial != 0) return;
  }
  chain_.partials.push_back(digest_.value());
}

}  // namespace sim
