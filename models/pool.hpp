// Reference-counted objects from a free list: a request keeps its vectors' capacity from one use to the next, so that
// steady state allocates nothing. A Ref is 8 bytes, so that closures that carry one stay small. A Ref may outlive its Pool:
// what is on its way when a world is taken down is still counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace models {

/// Where the objects of a Pool live. Goes when both the Pool and the last Ref have gone. A T counts its references (`refs`),
/// knows its shelf (`home`) and provides clear(), which forgets the contents but keeps capacity.
template <class T>
class Shelf {
 public:
  T* take() {
    ++out_;
    if (free_.empty()) {
      objects_.emplace_back();
      objects_.back().home = this;
      return &objects_.back();
    }
    T* object = free_.back();
    free_.pop_back();
    return object;
  }
  /// What it carried goes with its last reference: that may be what others wait for.
  void put_back(T* object) {
    object->clear();
    free_.push_back(object);
    if (--out_ == 0 && abandoned_) delete this;
  }
  std::size_t out() const { return out_; }
  void abandon() {
    abandoned_ = true;
    if (out_ == 0) delete this;
  }

 private:
  std::deque<T> objects_;  // never moves what it holds
  std::vector<T*> free_;
  std::size_t out_ = 0;
  bool abandoned_ = false;
};

template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_ != nullptr) ++object_->refs;
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr && --object_->refs == 0) object_->home->put_back(object_);
  }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* get() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

  /// Hands its reference over to who calls this …
  T* release() noexcept { return std::exchange(object_, nullptr); }
  /// … and takes it over.
  static Ref adopt(T* object) noexcept {
    Ref ref;
    ref.object_ = object;
    return ref;
  }

 private:
  T* object_ = nullptr;
};

template <class T>
class Pool {
 public:
  Pool() : shelf_(new Shelf<T>) {}
  ~Pool() { shelf_->abandon(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  Ref<T> take() { return Ref<T>(shelf_->take()); }
  /// How many are in use.
  std::size_t out() const { return shelf_->out(); }

 private:
  Shelf<T>* shelf_;
};

}  // namespace models
