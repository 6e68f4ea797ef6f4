// A producer whose values have a schema: send() serialises once it has metadata, and waits for the registry meanwhile
// (KafkaProducer.doSend).
#include "models/kafka/producer/producer.hpp"

namespace models::kafka {

std::unique_ptr<Serializer> Producer::make_serializer(schema::Schemas& schemas) {
  return std::make_unique<Serializer>(
      schemas, context_, node_, options_, accumulator_,
      Serializer::Owner{[this](bool ready) { schema_answered(ready); },
                        [this](std::uint32_t version) { schema_deployed(version); }});
}

/// The registry's client has a time-out of its own; max.block.ms does not count here.
void Producer::wait_for_schema() {
  blocked_ = Blocked::on_schema;
  block_deadline_ = sim::kNever;
  serializer_->ask();
}

void Producer::schema_answered(bool ready) {
  if (blocked_ != Blocked::on_schema) return;
  const Busy busy(*this);
  if (ready) {
    blocked_ = Blocked::no;
    free_ = context_.now();
    ++disturbances_;
  } else {
    refuse_head(RefusedCode::not_serialised, context_.now());
  }
  wake_sender_ = true;
  advance();
}

void Producer::schema_deployed(std::uint32_t version) {
  if (!node_.up()) return serializer_->use(version);
  if (node_.paused()) return node_.run_or_hold([this, version] { schema_deployed(version); });
  const Busy busy(*this);
  catch_up(context_.now());
  serializer_->use(version);
  ++disturbances_;
  wake_sender_ = true;
  advance();
}

bool Producer::write_wrong(const std::string& version, std::int64_t messages) {
  if (!serializer_) return false;
  if (node_.up() && !paused_) {
    const Busy busy(*this);
    catch_up(context_.now());
  }
  return serializer_->write_wrong(version, messages);
}

}  // namespace models::kafka
