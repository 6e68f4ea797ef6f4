// Where a controller's changes go to take effect: a quorum's log, or ZooKeeper.
#pragma once

#include <cstddef>
#include <cstdint>

namespace models::kafka {

struct MetadataChange;

class MetadataWriter {
 public:
  virtual ~MetadataWriter() = default;
  /// Writes behind what is there. Requires: claimed().
  virtual void append(const MetadataChange& change) = 0;
  /// What has been written, and how much of it has taken effect.
  virtual std::size_t end() const = 0;
  virtual std::size_t done() const = 0;
  /// The controller is in office, as far as it knows, and in which epoch.
  virtual bool claimed() const = 0;
  virtual std::int32_t epoch() const = 0;
};

}  // namespace models::kafka
