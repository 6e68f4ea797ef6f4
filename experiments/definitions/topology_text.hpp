// The exchanges, queues, bindings and policies of an export, as tables of [rabbitmq].
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/value.hpp"

namespace experiments {

/// The items of an array of the document; none where it is not there.
const std::vector<Value>& items_of(const Value& document, std::string_view section);
/// Throws BadScenario where it is no text.
const std::string& text_of(const Value& table, std::string_view key, const std::string& path);
/// As TOML writes a text.
std::string toml_text(std::string_view text);
/// Null: the section has none of that name.
const Key* find_key(const Section& section, std::string_view name);

class TopologyText {
 public:
  struct Exchange {
    std::string name;
    std::string type;
    bool internal = false;
  };
  struct Queue {
    std::string name;
    bool delays = false;  ///< what expires in it goes on elsewhere: nobody is to read it
  };
  struct Binding {
    std::string source;
    std::string destination;
    bool to_exchange = false;
    std::string routing_key;
    std::vector<std::string> headers;  ///< "name=value"
  };

  /// Adds to `left_out` what is not modelled. Throws BadScenario.
  TopologyText(const Value& document, const std::optional<std::string>& vhost,
               const std::string& default_queue_type, const Section& rabbitmq,
               std::vector<std::string>& left_out);

  const std::string& text() const { return text_; }
  const std::vector<Exchange>& exchanges() const { return exchanges_; }
  const std::vector<Queue>& queues() const { return queues_; }
  const std::vector<Binding>& bindings() const { return bindings_; }
  /// Something else sends messages there: a dead letter exchange, an alternate exchange.
  bool is_second_hand(const std::string& exchange) const;
  /// Dead letters come there by its name.
  bool takes_dead_letters(const std::string& queue) const;

 private:
  bool here(const Value& item, const std::string& path) const;
  void read_exchanges(const Value& document);
  void read_queues(const Value& document);
  void read_bindings(const Value& document);
  void read_policies(const Value& document);
  void policy(const Value& name, const Value& body, const std::string& tables, const std::string& path);
  void declare(const std::string& exchange, const std::string& type, const std::string& more);
  /// "x-message-ttl = 60000, …" of those keys that the section has.
  std::string settings(const Value* table, const Section& section, const std::string& whose,
                       const std::string& path);
  bool is_exchange(const std::string& name) const;
  bool is_queue(const std::string& name) const;

  std::optional<std::string> vhost_;
  std::string default_queue_type_;
  const Section& rabbitmq_;
  std::vector<std::string>& left_out_;
  std::string text_;
  std::vector<Exchange> exchanges_;
  std::vector<Queue> queues_;
  std::vector<Binding> bindings_;
  std::vector<std::string> second_hand_;
  std::vector<std::string> dead_letter_keys_;  // with the default exchange
};

}  // namespace experiments
