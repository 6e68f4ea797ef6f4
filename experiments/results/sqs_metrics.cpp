#include "experiments/results/sqs_metrics.hpp"

#include <fmt/format.h>

#include <string_view>

namespace experiments {
namespace {

using models::sqs::QueueMetrics;

struct Family {
  std::string_view name;
  std::string_view help;
};
constexpr std::array<Family, 8> kFamily{{
    {"aws_sqs_approximate_number_of_messages_visible_average",
     "CloudWatch metric AWS/SQS ApproximateNumberOfMessagesVisible"},
    {"aws_sqs_approximate_number_of_messages_not_visible_average",
     "CloudWatch metric AWS/SQS ApproximateNumberOfMessagesNotVisible"},
    {"aws_sqs_approximate_number_of_messages_delayed_average",
     "CloudWatch metric AWS/SQS ApproximateNumberOfMessagesDelayed"},
    {"aws_sqs_approximate_age_of_oldest_message_maximum",
     "CloudWatch metric AWS/SQS ApproximateAgeOfOldestMessage, seconds"},
    {"aws_sqs_number_of_messages_sent_sum", "CloudWatch metric AWS/SQS NumberOfMessagesSent"},
    {"aws_sqs_number_of_messages_received_sum", "CloudWatch metric AWS/SQS NumberOfMessagesReceived"},
    {"aws_sqs_number_of_messages_deleted_sum", "CloudWatch metric AWS/SQS NumberOfMessagesDeleted"},
    {"aws_sqs_number_of_empty_receives_sum", "CloudWatch metric AWS/SQS NumberOfEmptyReceives"},
}};

}  // namespace

void SqsMetrics::scrape(double time_s, models::sqs::Service& service) {
  before_.resize(service.queues());
  for (std::size_t i = 0; i < service.queues(); ++i) {
    const models::sqs::QueueIndex q{static_cast<std::uint16_t>(i)};
    const QueueMetrics now = service.metrics(q);
    const QueueMetrics& before = before_[i];
    const std::array<double, kFamilies> values{
        static_cast<double>(now.visible),
        static_cast<double>(now.not_visible),
        static_cast<double>(now.delayed),
        sim::seconds(now.oldest),
        static_cast<double>(now.sent - before.sent),
        static_cast<double>(now.received - before.received),
        static_cast<double>(now.deleted - before.deleted),
        static_cast<double>(now.empty_receives - before.empty_receives),
    };
    // Of the characters that a queue's name may have none needs to be escaped.
    const std::string labels =
        fmt::format("job=\"aws_sqs\",queue_name=\"{}\"", service.queue(q).options().name);
    for (std::size_t f = 0; f < kFamilies; ++f)
      series_[f][labels] += fmt::format("{}{{{}}} {} {}\n", kFamily[f].name, labels, values[f], time_s);
    before_[i] = now;
  }
}

std::string SqsMetrics::text() const {
  std::string text;
  for (std::size_t f = 0; f < kFamilies; ++f) {
    text += fmt::format("# TYPE {0} gauge\n# HELP {0} {1}\n", kFamily[f].name, kFamily[f].help);
    for (const auto& [labels, lines] : series_[f]) text += lines;
  }
  return text;
}

}  // namespace experiments
