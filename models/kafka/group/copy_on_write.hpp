// A value that copies share until one of them is changed. Images of a group are written to its log at every change, and most
// of their thousand members are those of the image before.
#pragma once

#include <boost/smart_ptr/make_local_shared.hpp>
#include <utility>

namespace models::kafka {

template <class T>
class CopyOnWrite {
 public:
  explicit CopyOnWrite(T value) : value_(boost::make_local_shared<T>(std::move(value))) {}

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  operator const T&() const { return *value_; }
  /// To change this copy alone.
  T& edit() {
    if (value_.local_use_count() > 1) value_ = boost::make_local_shared<T>(*value_);
    return *value_;
  }
  bool shares(const CopyOnWrite& other) const { return value_ == other.value_; }
  friend bool operator==(const CopyOnWrite& a, const CopyOnWrite& b) {
    return a.shares(b) || *a.value_ == *b.value_;
  }

 private:
  boost::local_shared_ptr<T> value_;  // a world has one thread: nothing atomic
};

}  // namespace models::kafka
