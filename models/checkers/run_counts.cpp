#include "models/checkers/run_counts.hpp"

#include <limits>

namespace models {

std::size_t RunCounts::run_behind(std::uint64_t number) const {
  // Disorder lives near the end: widen the search from there.
  std::size_t high = runs_.size();
  std::size_t low = high;
  for (std::size_t step = 1; low > 0 && runs_[low - 1].end > number; step *= 2) {
    high = low;
    low = low > step ? low - step : 0;
  }
  const auto begin = runs_.begin();
  const auto found = std::partition_point(begin + static_cast<std::ptrdiff_t>(low),
                                          begin + static_cast<std::ptrdiff_t>(high),
                                          [number](const Run& run) { return run.end <= number; });
  return static_cast<std::size_t>(found - begin);
}

void RunCounts::open_tail(std::uint64_t first) {
  if (tail_.end > tail_.first) runs_.push_back(tail_);
  tail_ = {first, first, 1};
}

void RunCounts::raise(std::uint64_t first, std::uint64_t end) {
  if (tail_.end > tail_.first) runs_.push_back(tail_);
  const std::size_t from = run_behind(first);
  std::vector<Run> rebuilt;
  const auto push = [&rebuilt](std::uint64_t a, std::uint64_t b, std::uint32_t count) {
    if (a == b) return;
    if (!rebuilt.empty() && rebuilt.back().end == a && rebuilt.back().count == count) {
      rebuilt.back().end = b;
    } else {
      rebuilt.push_back({a, b, count});
    }
  };
  // The neighbours are rebuilt too, so that equal counts merge.
  std::size_t begin = from;
  if (from > 0) {
    --begin;
    push(runs_[begin].first, runs_[begin].end, runs_[begin].count);
  }
  std::size_t i = from;
  std::uint64_t place = first;
  for (; i < runs_.size() && runs_[i].first < end; ++i) {
    const Run& run = runs_[i];
    push(run.first, std::max(run.first, std::min(run.end, place)), run.count);
    if (run.first > place) {
      push(place, run.first, 1);
      place = run.first;
    }
    const std::uint64_t until = std::min(run.end, end);
    push(place, until, run.count + 1);
    place = until;
    push(until, run.end, run.count);
  }
  if (place < end) push(place, end, 1);
  if (i < runs_.size()) {
    push(runs_[i].first, runs_[i].end, runs_[i].count);
    ++i;
  }
  const auto at = runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(begin),
                              runs_.begin() + static_cast<std::ptrdiff_t>(i));
  runs_.insert(at, rebuilt.begin(), rebuilt.end());
  reopen_tail();
}

void RunCounts::reopen_tail() {
  if (runs_.empty()) {
    tail_ = {0, 0, 1};
  } else if (runs_.back().count == 1) {
    tail_ = runs_.back();
    runs_.pop_back();
  } else {
    tail_ = {runs_.back().end, runs_.back().end, 1};
  }
}

void RunCounts::erase_from(std::uint64_t first) {
  if (tail_.end > tail_.first) runs_.push_back(tail_);
  while (!runs_.empty() && runs_.back().end > first) {
    if (runs_.back().first >= first) {
      runs_.pop_back();
    } else {
      runs_.back().end = first;
    }
  }
  reopen_tail();
}

RunCounts::Reader::Step RunCounts::Reader::at(std::uint64_t number) {
  const std::vector<Run>& runs = counts_->runs_;
  while (next_ < runs.size() && runs[next_].end <= number) ++next_;
  const Run& run = next_ < runs.size() ? runs[next_] : counts_->tail_;
  if (number < run.first) return {0, run.first};
  if (number < run.end) return {run.count, run.end};
  return {0, std::numeric_limits<std::uint64_t>::max()};
}

}  // namespace models
