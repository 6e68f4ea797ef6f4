// A member of a share group: a KafkaShareConsumer and the application around it (ShareConsumerImpl.java).
//
//     while (running) {
//       records = poll();                     // accepts what the last one returned, and fetches
//       for (record : records) process(record);
//     }
//
// With share.acknowledgement.mode=implicit all that a poll returned is accepted by the next; with explicit the application says
// of each record whether it accepts, releases or rejects it (PoisonOptions), which the next poll tells. commit =
// "after-processing" tells it at once and waits for the answer (commitSync). An application may renew the locks of what it
// still has in hand.
//
// Model: renewals are sent while the application works; Kafka's are sent by poll(), between records.
//
// Partitions are shared: a member takes up a new assignment at once and gives nothing up for it; records of a partition that is
// no longer its own stay its own until they are acknowledged or their locks end. What a crash leaves behind the brokers give to
// others as soon as the connection is gone, or when the locks end.
#pragma once

#include <cstdint>
#include <vector>

#include "models/kafka/consumer/connections.hpp"
#include "models/kafka/consumer/consumer_membership.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/processor.hpp"
#include "models/kafka/consumer/recorder.hpp"
#include "models/kafka/consumer/share_fetcher.hpp"
#include "models/kafka/metadata.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class ShareConsumer final : public NodeProgram,
                            private MembershipOwner,
                            private ShareFetcherOwner,
                            private ProcessorOwner {
 public:
  /// On `node`, whose entity is the member's. Use ConsumerGroup::add_share_member().
  ShareConsumer(ConsumerGroup& group, Node& node);

  void start();
  /// A clean close: the work in hand is finished and acknowledged, sessions end, the member leaves the group.
  void stop();
  /// Nothing in hand or buffered, nothing to be acknowledged. A member that is down or closed is idle.
  bool idle() const;
  bool running() const { return phase_ != Phase::stopped; }
  const Node& node() const { return node_; }
  /// Of `p`'s records that are being worked on or are buffered; LogReader::kNoLowest: there are none.
  Offset lowest_in_hand(PartitionIndex p) const {
    return fetcher_.lowest(p, processor_.work().lowest(p, LogReader::kNoLowest));
  }
  const std::vector<PartitionIndex>& assigned() const { return assigned_; }

  /// What its application can process has changed.
  void reconsider() { processor_.reconsider(); }

  // NodeProgram
  void crashed() override;
  void restarted() override;
  void paused() override { processor_.paused(); }
  bool takes_time() const override { return group_.options().service.mean() > 0; }
  bool reads_wall_clock() const override { return true; }
  void slowed() override { processor_.slowed(); }
  void resumed() override { processor_.resumed(); }
  bool can_withdraw() const override { return true; }
  void take_part() override { start(); }
  void withdraw() override { stop(); }
  bool can_shut_down() const override { return true; }
  void shut_down() override { stop(); }
  void start_up() override { start(); }

 private:
  enum class Phase : std::uint8_t { stopped, polling, processing, committing, closing };

  void turn();
  void turn_once();
  void hand_over();
  void work();
  void back_to_poll();
  void acknowledge_given();
  void renew_given();
  void when_running(void (ShareConsumer::*next)());
  void begin_close();
  void go_on_closing();
  void finish_close();
  void forget();
  void own(PartitionIndex p, bool owned, OwnershipCode why);
  void report(MemberCode code);

  // ---- from the parts ----
  bool inside_poll() const override { return phase_ == Phase::polling; }
  void membership_changed() override;
  void describe(Subscription&) const override {}
  bool prepare_rejoin() override { return true; }
  Taken take_assignment() override { return Taken::as_it_was; }
  bool reconcile(const std::vector<PartitionIndex>& target) override;
  void lose_assignment() override;
  void fetched() override;
  void processed() override;
  void gave_up(PartitionIndex partition, Offset offset) override;

  ConsumerGroup& group_;
  const GroupOptions& options_;
  Cluster& cluster_;
  Context& context_;
  Node& node_;

  Phase phase_ = Phase::stopped;
  bool wanted_ = false;       // started and not stopped: it comes back after a crash
  bool start_again_ = false;  // told to take part while it closes
  bool close_asked_ = false;
  bool turning_ = false;
  bool turn_again_ = false;
  bool left_ = false;
  std::uint32_t lives_ = 0;
  std::vector<PartitionIndex> assigned_;  // ascending
  std::vector<ShareFetcher::Given> given_;
  struct Refused {
    PartitionIndex partition{};
    Offset offset = 0;
  };
  std::vector<Refused> refused_;  // of what is given: not accepted

  Connections connections_;
  Metadata metadata_;
  ConsumerMembership membership_;
  ShareFetcher fetcher_;
  Recorder recorder_;
  Processor processor_;
  NodeTimer<std::function<void()>> close_timer_;
  NodeTimer<std::function<void()>> renew_timer_;
};

}  // namespace models::kafka
