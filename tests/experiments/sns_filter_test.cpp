// Filter policies of SNS as its documentation shows them.
#include <string>

#include "experiments/errors.hpp"
#include "experiments/scenario/sns_json.hpp"
#include "models/sns/filter_policy.hpp"
#include "tests/catch.hpp"

namespace experiments {
namespace {

using models::sns::FilterPolicy;
using models::sns::FilterPolicyError;
using models::sns::FilterPolicyScope;

models::sns::Json json(const std::string& text) {
  return parse_sns_json(text, Place::option("a test"), "filter_policy");
}

bool attributes_match(const std::string& policy, const std::string& attributes) {
  return FilterPolicy(json(policy), FilterPolicyScope::message_attributes).matches(json(attributes));
}

bool body_matches(const std::string& policy, const std::string& body) {
  return FilterPolicy(json(policy), FilterPolicyScope::message_body).matches(json(body));
}

std::string refusal(const std::string& policy, FilterPolicyScope scope = FilterPolicyScope::message_body) {
  try {
    const FilterPolicy kept(json(policy), scope);
  } catch (const FilterPolicyError& error) {
    return error.what();
  }
  return "";
}

const std::string kPurchase =
    R"({"customer_interests": ["soccer", "rugby", "hockey"], "store": "example_corp",
        "event": "order_placed", "price_usd": 210.75})";

TEST_CASE("the example message is accepted by the example policy that accepts it", "[sns]") {
  CHECK(attributes_match(
      R"({"store": ["example_corp"], "event": [{"anything-but": "order_cancelled"}],
          "customer_interests": ["rugby", "football", "baseball"], "price_usd": [{"numeric": [">=", 100]}]})",
      kPurchase));
}

TEST_CASE("the example message is rejected by the example policy that rejects it", "[sns]") {
  CHECK_FALSE(attributes_match(
      R"({"store": ["example_corp"], "event": ["order_cancelled"], "encrypted": [false],
          "customer_interests": ["basketball", "baseball"]})",
      kPurchase));
}

TEST_CASE("names are joined by and, values of a name by or", "[sns]") {
  const std::string both = R"({"customer_interests": ["rugby"], "price_usd": [{"numeric": [">", 100]}]})";
  CHECK(attributes_match(both, R"({"customer_interests": "rugby", "price_usd": 101})"));
  CHECK_FALSE(attributes_match(both, R"({"customer_interests": "rugby", "price_usd": 100})"));
  CHECK_FALSE(attributes_match(both, R"({"customer_interests": "tennis", "price_usd": 101})"));
  CHECK_FALSE(attributes_match(both, R"({"customer_interests": "rugby"})"));
  const std::string any = R"({"customer_interests": ["rugby", "football", "baseball"]})";
  CHECK(attributes_match(any, R"({"customer_interests": "football", "more": 1})"));
  CHECK_FALSE(attributes_match(any, R"({"customer_interests": "tennis"})"));
}

TEST_CASE("strings are matched exactly and with their case", "[sns]") {
  const std::string policy = R"({"customer_interests": ["rugby", "tennis"]})";
  CHECK(attributes_match(policy, R"({"customer_interests": "rugby"})"));
  CHECK(attributes_match(policy, R"({"customer_interests": ["rugby", "tennis"]})"));
  CHECK_FALSE(attributes_match(policy, R"({"customer_interests": "baseball"})"));
  CHECK_FALSE(attributes_match(policy, R"({"customer_interests": ["baseball"]})"));
  CHECK_FALSE(attributes_match(policy, R"({"customer_interests": "Rugby"})"));
}

TEST_CASE("anything-but wants one value that is not in its list", "[sns]") {
  const std::string policy = R"({"customer_interests": [{"anything-but": ["rugby", "tennis"]}]})";
  CHECK(attributes_match(policy, R"({"customer_interests": "baseball"})"));
  CHECK(attributes_match(policy, R"({"customer_interests": ["rugby", "baseball"]})"));
  CHECK_FALSE(attributes_match(policy, R"({"customer_interests": "rugby"})"));
  const std::string prices = R"({"price": [{"anything-but": [100, 500]}]})";
  CHECK(attributes_match(prices, R"({"price": 100.1})"));
  CHECK(attributes_match(prices, R"({"price": [100, 50]})"));
  CHECK_FALSE(attributes_match(prices, R"({"price": 100})"));
}

TEST_CASE("a message without the attribute is rejected by anything-but and by all others but exists false",
          "[sns]") {
  for (const char* const policy :
       {R"({"a": [{"anything-but": "x"}]})", R"({"a": ["x"]})", R"({"a": [{"prefix": ""}]})",
        R"({"a": [{"exists": true}]})", R"({"a": [{"numeric": ["<", 5]}]})"}) {
    INFO(policy);
    CHECK_FALSE(attributes_match(policy, R"({"b": "x"})"));
    CHECK_FALSE(attributes_match(policy, R"({"a": []})"));
  }
  CHECK(attributes_match(R"({"a": [{"exists": false}]})", R"({"b": "x"})"));
  CHECK_FALSE(attributes_match(R"({"a": [{"exists": false}]})", R"({"a": "x"})"));
  CHECK(attributes_match(R"({"a": [{"exists": true}]})", R"({"a": "x"})"));
  CHECK(attributes_match("{}", "{}"));
}

TEST_CASE("prefix and suffix and anything-but with a prefix and equals-ignore-case look at texts", "[sns]") {
  const std::string bas = R"({"customer_interests": [{"prefix": "bas"}]})";
  CHECK(attributes_match(bas, R"({"customer_interests": "baseball"})"));
  CHECK(attributes_match(bas, R"({"customer_interests": "basketball"})"));
  CHECK_FALSE(attributes_match(bas, R"({"customer_interests": "rugby"})"));
  const std::string ball = R"({"customer_interests": [{"suffix": "ball"}]})";
  CHECK(attributes_match(ball, R"({"customer_interests": "baseball"})"));
  CHECK_FALSE(attributes_match(ball, R"({"customer_interests": "rugby"})"));
  CHECK_FALSE(attributes_match(ball, R"({"customer_interests": "all"})"));
  const std::string denied = R"({"event": [{"anything-but": {"prefix": "order-"}}]})";
  CHECK(attributes_match(denied, R"({"event": "data-entry"})"));
  CHECK(attributes_match(denied, R"({"event": "order_number"})"));
  CHECK_FALSE(attributes_match(denied, R"({"event": "order-cancelled"})"));
  const std::string tennis = R"({"customer_interests": [{"equals-ignore-case": "tennis"}]})";
  CHECK(attributes_match(tennis, R"({"customer_interests": "TENNIS"})"));
  CHECK(attributes_match(tennis, R"({"customer_interests": "Tennis"})"));
  CHECK_FALSE(attributes_match(tennis, R"({"customer_interests": "tennis "})"));
}

TEST_CASE("addresses are matched by their network", "[sns]") {
  const std::string policy = R"({"source_ip": [{"cidr": "203.0.113.0/24"}]})";
  CHECK(attributes_match(policy, R"({"source_ip": "203.0.113.0"})"));
  CHECK(attributes_match(policy, R"({"source_ip": "203.0.113.255"})"));
  CHECK_FALSE(attributes_match(policy, R"({"source_ip": "203.0.114.0"})"));
  CHECK_FALSE(attributes_match(policy, R"({"source_ip": "203.0.113"})"));
  CHECK(attributes_match(R"({"source_ip": [{"cidr": "0.0.0.0/0"}]})", R"({"source_ip": "198.51.100.7"})"));
}

TEST_CASE("numbers are compared with five digits after the point", "[sns]") {
  const std::string exact = R"({"price_usd": [{"numeric": ["=", 301.5]}]})";
  CHECK(attributes_match(exact, R"({"price_usd": 301.5})"));
  CHECK(attributes_match(exact, R"({"price_usd": 3.015e2})"));
  CHECK(attributes_match(exact, R"({"price_usd": 301.500001})"));
  CHECK_FALSE(attributes_match(exact, R"({"price_usd": 301.50001})"));
  CHECK_FALSE(attributes_match(exact, R"({"price_usd": "301.5"})"));
  CHECK(attributes_match(R"({"price_usd": [{"numeric": ["<", 0]}]})", R"({"price_usd": -1})"));
  const std::string range = R"({"price_usd": [{"numeric": [">", 0, "<=", 150]}]})";
  CHECK(attributes_match(range, R"({"price_usd": 150})"));
  CHECK_FALSE(attributes_match(range, R"({"price_usd": 0})"));
  CHECK_FALSE(attributes_match(range, R"({"price_usd": 150.1})"));
}

TEST_CASE("or over several names is an operator only where its conditions are met", "[sns]") {
  const std::string policy =
      R"({"source": ["aws.cloudwatch"],
          "$or": [{"metricName": ["CPUUtilization", "ReadLatency"]}, {"namespace": ["AWS/EC2", "AWS/ES"]}]})";
  CHECK(attributes_match(policy, R"({"source": "aws.cloudwatch", "metricName": "CPUUtilization"})"));
  CHECK(attributes_match(policy, R"({"source": "aws.cloudwatch", "namespace": "AWS/ES"})"));
  CHECK_FALSE(attributes_match(policy, R"({"source": "aws.cloudwatch", "namespace": "AWS/S3"})"));
  CHECK_FALSE(attributes_match(policy, R"({"metricName": "CPUUtilization"})"));
  // One object alone, or one with an operator's name: an attribute called $or.
  CHECK_FALSE(attributes_match(R"({"$or": ["a", "b"]})", R"({"a": "x"})"));
  CHECK(attributes_match(R"({"$or": ["a", "b"]})", R"({"$or": "b"})"));
  CHECK(attributes_match(R"({"$or": [{"prefix": "a"}, {"prefix": "b"}]})", R"({"$or": "bc"})"));
}

TEST_CASE("policies of bodies nest as bodies do", "[sns]") {
  const std::string policy =
      R"({"order": {"customer": {"country": ["DE", "FR"]}}, "total": [{"numeric": [">", 10]}]})";
  CHECK(body_matches(policy, R"({"order": {"customer": {"country": "DE", "name": "x"}}, "total": 11})"));
  CHECK_FALSE(body_matches(policy, R"({"order": {"customer": {"country": "IT"}}, "total": 11})"));
  CHECK_FALSE(body_matches(policy, R"({"order": {"country": "DE"}, "total": 11})"));
  CHECK(body_matches(R"({"items": {"sku": ["b"]}})", R"({"items": [{"sku": "a"}, {"sku": "b"}]})"));
  CHECK_FALSE(body_matches(R"({"items": {"sku": ["c"]}})", R"({"items": [{"sku": "a"}, {"sku": "b"}]})"));
  CHECK(body_matches(R"({"a": [true], "b": [null]})", R"({"a": true, "b": null})"));
  CHECK(refusal(policy, FilterPolicyScope::message_attributes).find("does not support nested") !=
        std::string::npos);
  // What is no object meets no property.
  models::sns::Json text;
  text.type = models::sns::Json::Type::string;
  CHECK_FALSE(FilterPolicy(json(policy), FilterPolicyScope::message_body).matches(text));
}

TEST_CASE("a policy's values are multiplied and may come to 150", "[sns]") {
  CHECK(FilterPolicy::combinations(
            json(R"({"key_a": ["one", "two", "three"], "key_b": ["one"], "key_c": ["one", "two"]})")) == 6);
  // 4 values in a key of the third level, 3 in one of the second: 3 x 4 x 2 x 3.
  CHECK(
      FilterPolicy::combinations(json(
          R"({"key_a": {"key_b": {"key_c": ["1", "2", "3", "4"]}}, "key_d": {"key_e": ["1", "2", "3"]}})")) ==
      72);
  // Of alternatives the sum.
  CHECK(FilterPolicy::combinations(
            json(R"({"source": ["x"], "$or": [{"a": ["1", "2"]}, {"b": ["1", "2"]}]})")) == 4);
  CHECK(refusal(R"({"a": ["1","2","3","4","5","6","7","8","9","10"],
                    "b": ["1","2","3","4","5","6","7","8","9","10"], "c": ["1", "2"]})")
            .find("too complex") != std::string::npos);
  CHECK(refusal(R"({"a": ["x"], "b": ["x"], "c": ["x"], "d": ["x"], "e": ["x"], "f": ["x"]})")
            .find("more than 5 keys") != std::string::npos);
  CHECK(refusal(R"({"a": ["x"], "b": ["x"], "c": ["x"], "d": ["x"], "e": ["x"]})").empty());
}

TEST_CASE("a policy that makes no sense is refused in the words of SNS", "[sns]") {
  const auto says = [](const std::string& policy, const std::string& what) {
    INFO(policy);
    CHECK(refusal(policy).find(what) != std::string::npos);
  };
  says(R"({"a": []})", "Empty arrays are not allowed");
  says(R"({"a": "x"})", "must be an object or an array");
  says(R"({"a": [["x"]]})", "Match value must be");
  says(R"({"a": [{"prefix": 1}]})", "prefix match pattern must be a string");
  says(R"({"a": [{"exists": "yes"}]})", "must be either true or false");
  says(R"({"a": [{"contains": "x"}]})", "Unrecognized match type contains");
  says(R"({"a": [{"prefix": "x", "suffix": "y"}]})", "Only one key allowed");
  says(R"({"a": [{"anything-but": {"suffix": "y"}}]})", "Unsupported anything-but pattern: suffix");
  says(R"({"a": [{"numeric": []}]})", "Invalid member in numeric match");
  says(R"({"a": [{"numeric": ["<>", 1]}]})", "Unrecognized numeric range operator: <>");
  says(R"({"a": [{"numeric": ["=", "1"]}]})", "Value of equals must be numeric");
  says(R"({"a": [{"numeric": ["<", 1, ">", 0]}]})", "Too many elements in numeric expression");
  says(R"({"a": [{"numeric": [">", 1, "<", 1]}]})", "Bottom must be less than top");
  says(R"({"a": [{"numeric": [">", 2e9]}]})", "from -10^9 to 10^9");
  says(R"({"a": [{"cidr": "203.0.113.0"}]})", "one '/' required");
  says(R"({"a": [{"cidr": "203.0.113.0/33"}]})", "mask bits");
  says(R"({"a": [{"cidr": "203.0.113/24"}]})", "Nonstandard IP address: 203.0.113");
  CHECK_THROWS_AS(json("[1]"), BadScenario);
  CHECK_THROWS_AS(json("{"), BadScenario);
}

}  // namespace
}  // namespace experiments
