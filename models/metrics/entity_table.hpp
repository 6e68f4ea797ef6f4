// Tables by entity, and by (partition, group): dense, grown as entities are first seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/ids.hpp"

namespace models {

template <class T>
class EntityTable {
 public:
  T& operator[](std::uint32_t entity) {
    if (entity >= rows_.size()) rows_.resize(entity + 1);
    return rows_[entity];
  }
  std::vector<T>& rows() { return rows_; }
  const std::vector<T>& rows() const { return rows_; }

 private:
  std::vector<T> rows_;
};

/// A partition as one group sees it.
struct Reading {
  EntityId place{};
  EntityId group{};
};

/// Numbers the readings of a run from 0, in order of first sight.
class Readings {
 public:
  std::size_t index(std::uint32_t place, std::uint32_t group) {
    std::vector<std::size_t>& here = by_place_[place];
    for (const std::size_t i : here) {
      if (readings_[i].group.value == group) return i;
    }
    here.push_back(readings_.size());
    readings_.push_back({EntityId{place}, EntityId{group}});
    return readings_.size() - 1;
  }
  const std::vector<std::size_t>& of_place(std::uint32_t place) { return by_place_[place]; }
  const Reading& operator[](std::size_t index) const { return readings_[index]; }
  std::size_t size() const { return readings_.size(); }

 private:
  EntityTable<std::vector<std::size_t>> by_place_;
  std::vector<Reading> readings_;
};

}  // namespace models
