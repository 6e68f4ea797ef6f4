#include "experiments/results/sns_metrics.hpp"

#include <fmt/format.h>

#include <string_view>

namespace experiments {
namespace {

using models::sns::TopicMetrics;

struct Family {
  std::string_view name;
  std::string_view help;
};
constexpr std::array<Family, 5> kFamily{{
    {"aws_sns_number_of_messages_published_sum", "CloudWatch metric AWS/SNS NumberOfMessagesPublished"},
    {"aws_sns_number_of_notifications_delivered_sum",
     "CloudWatch metric AWS/SNS NumberOfNotificationsDelivered"},
    {"aws_sns_number_of_notifications_failed_sum", "CloudWatch metric AWS/SNS NumberOfNotificationsFailed"},
    {"aws_sns_number_of_notifications_filtered_out_sum",
     "CloudWatch metric AWS/SNS NumberOfNotificationsFilteredOut"},
    {"aws_sns_number_of_notifications_redriven_to_dlq_sum",
     "CloudWatch metric AWS/SNS NumberOfNotificationsRedrivenToDlq"},
}};

}  // namespace

void SnsMetrics::scrape(double time_s, models::sns::Service& service) {
  before_.resize(service.topics());
  for (std::size_t i = 0; i < service.topics(); ++i) {
    const models::sns::TopicIndex topic{static_cast<std::uint16_t>(i)};
    const TopicMetrics now = service.metrics(topic);
    const TopicMetrics& before = before_[i];
    const std::array<std::uint64_t, kFamilies> values{
        now.published - before.published, now.delivered - before.delivered, now.failed - before.failed,
        now.filtered_out - before.filtered_out, now.redriven - before.redriven};
    // Of the characters that a topic's name may have none needs to be escaped.
    const std::string labels = fmt::format("job=\"aws_sns\",topic_name=\"{}\"", service.topic(topic).name);
    for (std::size_t f = 0; f < kFamilies; ++f)
      series_[f][labels] += fmt::format("{}{{{}}} {} {}\n", kFamily[f].name, labels, values[f], time_s);
    before_[i] = now;
  }
}

std::string SnsMetrics::text() const {
  std::string text;
  for (std::size_t f = 0; f < kFamilies; ++f) {
    text += fmt::format("# TYPE {0} gauge\n# HELP {0} {1}\n", kFamily[f].name, kFamily[f].help);
    for (const auto& [labels, lines] : series_[f]) text += lines;
  }
  return text;
}

}  // namespace experiments
