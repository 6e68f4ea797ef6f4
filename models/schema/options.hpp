// A schema registry and what its clients do, in plain data.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "models/schema/compatibility.hpp"
#include "models/schema/schema.hpp"
#include "sim/distributions.hpp"
#include "sim/time.hpp"

namespace models::schema {

struct VersionOptions {
  std::string name;
  Schema schema;
  /// An operator has registered it before the run begins, unchecked; others are registered by who writes with them.
  bool registered = false;
};

/// "TOPIC-value", as TopicNameStrategy names them.
struct SubjectOptions {
  std::string name;
  Compatibility compatibility = Compatibility::backward;
  std::vector<VersionOptions> versions;
};

struct RegistryOptions {
  sim::Distribution service = sim::Distribution::constant(0);  ///< ns a request
  sim::Duration latency{};  ///< beside the network's: of a proxy between it and its clients, one way
  sim::Duration timeout = std::chrono::seconds{60};  ///< http.read.timeout.ms of its clients
};

/// An application is deployed anew.
struct Upgrade {
  sim::Duration at{};
  std::string to;  ///< version
};

/// What an application does with a version that the registry refuses.
enum class WhenRefused : std::uint8_t {
  fail,  ///< it has been deployed: each send() of a producer throws
  keep,  ///< whoever deploys asks the registry first, and leaves the old one where it is
};

/// What a producer writes with, or a group reads with.
struct ClientOptions {
  std::string version;
  std::vector<Upgrade> upgrades{};  ///< in order of time
  WhenRefused when_refused = WhenRefused::fail;
  bool auto_register = true;  ///< of producers: auto.register.schemas
};

}  // namespace models::schema
