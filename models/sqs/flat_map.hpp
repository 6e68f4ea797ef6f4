// From keys to values, in one array: open addressing, linear probing, deletion by shifting back. Allocates when it grows only,
// and is never iterated over: what is in it has no order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace models::sqs {

/// Key: equality, and hash(). Value: any.
template <class Key, class Value>
class FlatMap {
 public:
  std::size_t size() const { return size_; }
  /// Null where there is none.
  Value* find(const Key& key) {
    if (cells_.empty()) return nullptr;
    for (std::size_t i = home(key);; i = next(i)) {
      if (!cells_[i].used) return nullptr;
      if (cells_[i].key == key) return &cells_[i].value;
    }
  }
  /// Requires: it is not there.
  Value& add(const Key& key, Value value) {
    if (2 * (size_ + 1) > cells_.size()) grow();
    ++size_;
    return put({key, std::move(value), true});
  }
  /// No effect when it is not there.
  void remove(const Key& key) {
    if (cells_.empty()) return;
    std::size_t hole = home(key);
    while (cells_[hole].used && !(cells_[hole].key == key)) hole = next(hole);
    if (!cells_[hole].used) return;
    --size_;
    for (std::size_t i = next(hole); cells_[i].used; i = next(i)) {
      // It may move into the hole unless its home lies behind that.
      const std::size_t mask = cells_.size() - 1;
      if (((i - home(cells_[i].key)) & mask) < ((i - hole) & mask)) continue;
      cells_[hole] = std::move(cells_[i]);
      hole = i;
    }
    cells_[hole].used = false;
  }

 private:
  struct Cell {
    Key key{};
    Value value{};
    bool used = false;
  };
  std::size_t home(const Key& key) const { return key.hash() & (cells_.size() - 1); }
  std::size_t next(std::size_t i) const { return (i + 1) & (cells_.size() - 1); }
  Value& put(Cell cell) {
    std::size_t i = home(cell.key);
    while (cells_[i].used) i = next(i);
    cells_[i] = std::move(cell);
    return cells_[i].value;
  }
  void grow() {
    std::vector<Cell> old(cells_.empty() ? 16 : 2 * cells_.size());
    std::swap(old, cells_);
    for (Cell& cell : old) {
      if (cell.used) put(std::move(cell));
    }
  }

  std::vector<Cell> cells_;
  std::size_t size_ = 0;
};

/// Mixes all bits of a number (the finaliser of SplitMix64).
constexpr std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

}  // namespace models::sqs
