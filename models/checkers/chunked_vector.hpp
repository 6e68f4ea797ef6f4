// A vector that grows by chunks: elements never move, and growing never holds two copies.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace models {

template <class T, std::size_t kChunk = 256>
class ChunkedVector {
 public:
  void push_back(const T& value) {
    if (size_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<T[]>(kChunk));
    chunks_[size_ / kChunk][size_ % kChunk] = value;
    ++size_;
  }
  void pop_back() { --size_; }

  T& operator[](std::size_t i) { return chunks_[i / kChunk][i % kChunk]; }
  const T& operator[](std::size_t i) const { return chunks_[i / kChunk][i % kChunk]; }
  const T& back() const { return (*this)[size_ - 1]; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace models
