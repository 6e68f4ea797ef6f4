// RangeAssignor.java: per topic each subscriber an equal run of neighbouring partitions, the first few one more. Where racks
// count, what matches a member's rack is given first, in the same order and to the same number; the rest as without racks.
#include <algorithm>
#include <vector>

#include "models/kafka/group/assignment_problem.hpp"

namespace models::kafka {
namespace {

/// A topic while it is dealt with (TopicAssignmentState).
class TopicState {
 public:
  TopicState(const AssignmentProblem& problem, const std::vector<std::uint32_t>& order, std::uint32_t topic)
      : problem_(problem), topic_(topic), taken_(problem.count(topic), false) {
    for (const std::uint32_t member : order) {
      if (problem.subscribed(member, topic)) consumers_.push_back(member);
    }
    assigned_.assign(consumers_.size(), 0);
    each_ = problem.count(topic) / static_cast<std::uint32_t>(consumers_.size());
    with_one_more_ = problem.count(topic) % static_cast<std::uint32_t>(consumers_.size());
    rack_aware_ = problem.racks_count(consumers_, problem.first(topic), problem.count(topic));
  }

  const std::vector<std::uint32_t>& consumers() const { return consumers_; }
  std::uint32_t partitions() const { return problem_.count(topic_); }
  bool rack_aware() const { return rack_aware_; }

  bool matches(std::size_t consumer, std::uint32_t number) const {
    return problem_.rack_matches(consumers_[consumer], problem_.first(topic_) + number);
  }
  std::uint32_t assignable(std::size_t consumer) const {
    const std::uint32_t most = each_ + (with_one_more_ > 0 ? 1 : 0);
    return most > assigned_[consumer] ? most - assigned_[consumer] : 0;
  }
  void give(std::size_t consumer, std::uint32_t number, RankedAssignment& result) {
    taken_[number] = true;
    result[consumers_[consumer]].push_back(problem_.first(topic_) + number);
    if (++assigned_[consumer] == each_ + 1) --with_one_more_;
  }
  /// assignRanges: the first free ones for each in turn.
  void give_ranges(bool matching, RankedAssignment& result) {
    for (std::size_t consumer = 0; consumer < consumers_.size(); ++consumer) {
      std::uint32_t left = assignable(consumer);
      for (std::uint32_t number = 0; number < partitions() && left > 0; ++number) {
        if (taken_[number] || (matching && !matches(consumer, number))) continue;
        give(consumer, number, result);
        --left;
      }
    }
  }

 private:
  const AssignmentProblem& problem_;
  std::uint32_t topic_;
  std::vector<std::uint32_t> consumers_;  // ranks, in order
  std::vector<std::uint32_t> assigned_;   // by place in consumers_
  std::vector<bool> taken_;
  std::uint32_t each_ = 0;
  std::uint32_t with_one_more_ = 0;
  bool rack_aware_ = false;
};

/// assignCoPartitionedWithRackMatching: partitions of one number go together, to a member in a rack of all of them.
void give_together(std::vector<TopicState*>& topics, RankedAssignment& result) {
  for (std::uint32_t number = 0; number < topics.front()->partitions(); ++number) {
    for (std::size_t consumer = 0; consumer < topics.front()->consumers().size(); ++consumer) {
      const bool fits = std::all_of(topics.begin(), topics.end(), [&](const TopicState* t) {
        return t->assignable(consumer) > 0 && t->matches(consumer, number);
      });
      if (!fits) continue;
      for (TopicState* const topic : topics) topic->give(consumer, number, result);
      break;
    }
  }
}

void give_matching(std::vector<TopicState>& states, RankedAssignment& result) {
  std::vector<bool> done(states.size(), false);
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (done[i]) continue;
    std::vector<TopicState*> alike;
    for (std::size_t j = i; j < states.size(); ++j) {
      if (states[j].consumers() != states[i].consumers() || states[j].partitions() != states[i].partitions())
        continue;
      alike.push_back(&states[j]);
      done[j] = true;
    }
    if (alike.size() > 1)
      give_together(alike, result);
    else if (states[i].rack_aware())
      states[i].give_ranges(true, result);
  }
}

}  // namespace

RankedAssignment assign_range(const AssignmentProblem& problem) {
  RankedAssignment result(problem.members());
  const std::vector<std::uint32_t> order = problem.static_first();
  std::vector<TopicState> states;
  for (std::uint32_t topic = 0; topic < problem.topics(); ++topic) states.emplace_back(problem, order, topic);
  if (std::any_of(states.begin(), states.end(), [](const TopicState& t) { return t.rack_aware(); }))
    give_matching(states, result);
  for (TopicState& state : states) state.give_ranges(false, result);
  return result;
}

}  // namespace models::kafka
