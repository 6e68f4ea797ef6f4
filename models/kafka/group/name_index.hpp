// Finds things by their names: a hash table of pointers, with open addresses. Nothing can iterate over it, so no order depends
// on the hash. A search tree of a thousand names reads twenty cold lines for each search; this reads three.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace models::kafka {

/// `T::id` is the name. What is put in must not move, nor change its name, until it is taken out.
template <class T>
class NameIndex {
 public:
  T* find(std::string_view name) const {
    if (entries_.empty()) return nullptr;
    const std::uint64_t hash = hash_of(name);
    for (std::size_t at = home(hash); entries_[at].thing != nullptr; at = after(at)) {
      if (entries_[at].hash == hash && entries_[at].thing->id == name) return entries_[at].thing;
    }
    return nullptr;
  }

  /// Requires that there is none of that name.
  void insert(T& thing) {
    if (2 * (size_ + 1) > entries_.size()) grow();
    put({hash_of(thing.id), &thing});
    ++size_;
  }

  /// Requires that it is there.
  void erase(const T& thing) {
    std::size_t at = home(hash_of(thing.id));
    while (entries_[at].thing != &thing) at = after(at);
    // Those behind that would have stood here close the gap.
    for (std::size_t next = after(at); entries_[next].thing != nullptr; next = after(next)) {
      const std::size_t wanted = home(entries_[next].hash);
      if (((next - wanted) & mask()) < ((next - at) & mask())) continue;
      entries_[at] = entries_[next];
      at = next;
    }
    entries_[at] = {};
    --size_;
  }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    T* thing = nullptr;
  };

  /// Eight characters at a time: names are as long as a UUID and more.
  static std::uint64_t hash_of(std::string_view name) {
    std::uint64_t hash = name.size();
    for (; name.size() >= sizeof hash; name.remove_prefix(sizeof hash)) {
      std::uint64_t word = 0;
      std::memcpy(&word, name.data(), sizeof word);
      hash = mix(hash ^ word);
    }
    std::uint64_t rest = 0;
    std::memcpy(&rest, name.data(), name.size());
    return mix(hash ^ rest);
  }
  static std::uint64_t mix(std::uint64_t value) {
    value *= 0x9e3779b97f4a7c15u;
    return value ^ value >> 32;
  }
  std::size_t mask() const { return entries_.size() - 1; }
  std::size_t home(std::uint64_t hash) const { return static_cast<std::size_t>(hash >> 32) & mask(); }
  std::size_t after(std::size_t at) const { return (at + 1) & mask(); }
  void put(Entry entry) {
    std::size_t at = home(entry.hash);
    while (entries_[at].thing != nullptr) at = after(at);
    entries_[at] = entry;
  }
  void grow() {
    std::vector<Entry> old(entries_.empty() ? 16 : 2 * entries_.size());
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.thing != nullptr) put(entry);
    }
  }

  std::vector<Entry> entries_;
  std::size_t size_ = 0;
};

}  // namespace models::kafka
