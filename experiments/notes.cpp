#include "experiments/notes.hpp"

#include <ostream>
#include <set>

#include "experiments/scenario/bind.hpp"
#include "experiments/scenario/paths.hpp"

namespace experiments {

std::vector<std::string> notes_on(const Resolved& resolved) {
  std::vector<std::string> notes;
  for (std::size_t i = 0; i < resolved.scenario.producers.size(); ++i) {
    const models::ProducerOptions& producer = resolved.scenario.producers[i];
    const Value& table = resolved.checked.find("producers")->items[i];
    if (producer.config.enable_idempotence || asks_for_idempotence(table)) continue;
    const std::string reason = producer.config.acks != -1
                                   ? "acks = " + std::to_string(producer.config.acks)
                                   : "retries = " + std::to_string(producer.config.retries);
    notes.push_back(join_path("producers", producer.name) + ".config." + reason +
                    " turns enable.idempotence off, as in Kafka's own producer; give it to say so yourself");
  }
  return notes;
}

void print_notes(std::span<const Resolved* const> cells, std::ostream& err) {
  std::set<std::string> said;
  for (const Resolved* const cell : cells) {
    for (const std::string& note : notes_on(*cell)) {
      if (said.insert(note).second) err << "mqlab: note: " << note << '\n';
    }
  }
}

}  // namespace experiments
