// Waiting for the first of several sources:
//
//     auto first = co_await sim::first_of(jobs.receive(), sim::delay(simulation, 5s));
//     if (first.index() == 0) handle(first.get<0>());
//
// The sources that did not come first are withdrawn at the moment the first completes: a mailbox among them keeps its value.
// Of several that are ready at once the one named first wins.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "sim/process_core.hpp"

namespace sim {

/// Which source came first, and what it gave. Converts to the index.
template <class... Results>
class First {
 public:
  std::size_t index() const noexcept { return value_.index(); }
  operator std::size_t() const noexcept { return index(); }
  /// The result of source I. Requires: index() == I.
  template <std::size_t I>
  auto& get() {
    MQLAB_ASSERT(index() == I, "the result of a source that did not come first");
    return std::get<I>(value_);
  }

 private:
  template <class... Sources>
  friend class FirstOf;
  using Value = std::variant<std::conditional_t<std::is_void_v<Results>, std::monostate, Results>...>;
  explicit First(Value&& value) : value_(std::move(value)) {}
  Value value_;
};

/// The source that first_of() returns.
template <class... Sources>
class FirstOf final : private detail::WaitingGroup {
  static constexpr std::size_t kCount = sizeof...(Sources);
  using Result = First<decltype(std::declval<Sources&>().take())...>;

 public:
  explicit FirstOf(Sources&&... sources) : sources_(std::move(sources)...) {}
  FirstOf(FirstOf&& other) : sources_(std::move(other.sources_)) {
    MQLAB_ASSERT(other.parent_ == nullptr, "an awaitable was moved while in use");
  }

  bool ready() {
    for_each([this](auto& source, std::size_t index) {
      if (winner_ == kCount && source.ready()) winner_ = index;
    });
    return winner_ != kCount;
  }
  void arm(Waiter& waiter) {
    parent_ = &waiter;
    detail::WaitingGroup& group = *this;
    for_each([&](auto& source, std::size_t index) { source.arm(children_[index].emplace(group, index)); });
  }
  void disarm() {
    for_each([](auto& source, std::size_t) { source.disarm(); });
  }
  Result take() { return take_from(std::make_index_sequence<kCount>()); }

 private:
  void woken(std::size_t winner) override {
    winner_ = winner;
    for_each([winner](auto& source, std::size_t index) {
      if (index != winner) source.disarm();
    });
    parent_->wake();
  }

  template <class Visit>
  void for_each(Visit visit) {
    std::apply(
        [&visit](auto&... sources) {
          std::size_t index = 0;
          (visit(sources, index++), ...);
        },
        sources_);
  }

  template <std::size_t... I>
  Result take_from(std::index_sequence<I...>) {
    using Value = typename Result::Value;
    std::optional<Value> value;
    const auto take_one = [this, &value](auto position) {
      constexpr std::size_t kIndex = decltype(position)::value;
      if (winner_ != kIndex) return;
      auto& source = std::get<kIndex>(sources_);
      if constexpr (std::is_void_v<decltype(source.take())>) {
        source.take();
        value.emplace(std::in_place_index<kIndex>);
      } else {
        value.emplace(std::in_place_index<kIndex>, source.take());
      }
    };
    (take_one(std::integral_constant<std::size_t, I>()), ...);
    return Result(std::move(*value));
  }

  std::tuple<Sources...> sources_;
  std::array<std::optional<Waiter>, kCount> children_;
  Waiter* parent_ = nullptr;
  std::size_t winner_ = kCount;
};

template <class... Sources>
FirstOf<Sources...> first_of(Sources... sources) {
  static_assert(sizeof...(Sources) > 0, "first_of() needs something to wait for");
  return FirstOf<Sources...>(std::move(sources)...);
}

}  // namespace sim
