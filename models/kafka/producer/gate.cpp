// Who is let in to an application that sends, and what waits before send() (ProducerOptions::admission).
//
// Messages are judged one by one as they arise. Those that are let in wait at the source's head until send() takes them, which
// it does at once unless it blocks.
#include <algorithm>

#include "models/kafka/producer/producer.hpp"
#include "sim/assert.hpp"

namespace models::kafka {

void Producer::let_in(sim::Time now) {
  send_arisen(now);
  while (let_in_next(now)) {
    send_arisen(now);
    make_room(now);
  }
}

/// The next message that has arisen is judged. False when there is none, or it has to wait outside.
bool Producer::let_in_next(sim::Time now) {
  if (next_at_gate() > now) return false;
  const sim::Time arisen = source_.times()[let_in_];
  const RefusedCode code = admission_->judge(arisen);
  if (code == RefusedCode::none) {
    ++let_in_;
    return true;
  }
  source_.remove(let_in_);
  accumulator_.report().refused(code, {sim::nanoseconds(arisen)});
  return true;
}

/// When the first message that was not judged arises; kNever when a full buffer keeps it outside.
sim::Time Producer::next_at_gate() {
  const auto& buffer = options_.admission->buffer;
  using Overflow = AdmissionOptions::Buffer::Overflow;
  if (buffer && buffer->overflow == Overflow::block && let_in_ >= buffer->messages) return sim::kNever;
  if (source_.look_ahead(let_in_ + 1) <= let_in_) return sim::kNever;
  // What waited outside may have arisen earlier.
  return std::max(source_.times()[let_in_], context_.now());
}

/// One message more waits than the buffer holds: something goes.
void Producer::make_room(sim::Time now) {
  if (!options_.admission->buffer) return;
  const AdmissionOptions::Buffer& buffer = *options_.admission->buffer;
  using Overflow = AdmissionOptions::Buffer::Overflow;
  if (let_in_ > buffer.messages) {
    if (buffer.overflow == Overflow::drop_oldest) {
      refuse_head(RefusedCode::dropped, now);
      send_arisen(now);
    } else {
      --let_in_;
      const sim::Time arisen = source_.times()[let_in_];
      source_.remove(let_in_);
      const bool thrown = buffer.overflow == Overflow::fail;
      accumulator_.report().refused(thrown ? RefusedCode::buffer_full : RefusedCode::dropped,
                                    {sim::nanoseconds(arisen)});
    }
  }
  MQLAB_ASSERT(let_in_ <= buffer.messages, "a bounded buffer never holds more");
  if (let_in_ <= most_waited_) return;
  most_waited_ = let_in_;
  context_.emit(Kind::buffered, {.actor = node_.entity().value, .a = static_cast<std::int64_t>(let_in_)});
}

}  // namespace models::kafka
