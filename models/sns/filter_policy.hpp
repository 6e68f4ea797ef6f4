// A subscription's filter policy: which messages it accepts. Pure.
//
// Every property that the policy names has to be matched by the message, by at least one of the values that the policy gives for
// it (AND over names, OR over values); with "$or" one of several such sets has to be. A message without the property is not
// matched, whatever the operator (anything-but included), unless the operator is {"exists": false}. Of an array each element is a
// value: one that matches is enough.
//
// With the scope MessageAttributes names are those of message attributes and policies have one level; with MessageBody they are
// properties of the body, which is a JSON object then, and policies nest as it does. What is not in the policy is ignored.
//
// Rules and limits: Amazon SNS developer guide, "subscription filter policies", "filter policy constraints", "string value
// matching", "numeric value matching", "key matching", "AND/OR logic"; what of a nested policy counts how often, and the words of
// errors, as SNS gave them to the tests of localstack (services/sns/filter.py).
//
// Model: a path of several names is found in a body through arrays too, and an element's other properties do not count with it:
// {"a": [{"b": 1, "c": 2}, {"b": 3, "c": 4}]} matches {"a": {"b": [1], "c": [4]}}, as in localstack.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/sns/json.hpp"

namespace models::sns {

enum class FilterPolicyScope : std::uint8_t { message_attributes, message_body };

/// InvalidParameter, in the words of SNS.
class FilterPolicyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class FilterPolicy {
 public:
  static constexpr std::size_t kKeysMost = 5;
  static constexpr std::size_t kCombinationsMost = 150;

  /// Throws FilterPolicyError.
  FilterPolicy(const Json& policy, FilterPolicyScope scope);

  /// `message`: an object, of its attributes (a list of strings is a String.Array) or its body; anything else is matched by the
  /// empty policy alone.
  bool matches(const Json& message) const;

  /// What the limit is about: values of each array, multiplied; times the level at which it is.
  static std::size_t combinations(const Json& policy);

 private:
  /// One of the values of a property.
  struct Condition {
    enum class Operator : std::uint8_t {
      equals,
      equals_ignore_case,
      prefix,
      suffix,
      anything_but,
      anything_but_prefix,
      numeric,
      exists,
      cidr
    };
    struct Bound {
      std::string comparison;
      std::int64_t value = 0;
    };
    Operator op = Operator::equals;
    std::string text{};           ///< of prefix and suffix, equals_ignore_case
    std::vector<Json> values{};   ///< of equals (one), anything_but
    std::vector<Bound> bounds{};  ///< of numeric
    bool exists = true;
    std::uint32_t network = 0, mask = 0;  ///< of cidr
    bool accepts(const Json& value) const;
  };
  struct Property {
    std::string path;  ///< names with dots between them, as SNS takes them
    std::vector<Condition> any;
  };
  using Properties = std::vector<Property>;

  static std::vector<Properties> flatten(const Json& policy, std::vector<Properties> before,
                                         const std::string& path);
  static Condition condition(const Json& value);
  static Condition operation(const std::string& op, const Json& operand);
  static Condition anything_but(const Json& operand);
  static Condition numeric(const Json& operand);
  static Condition cidr(const std::string& text);

  std::vector<Properties> alternatives_;  // one has to match altogether
};

}  // namespace models::sns
