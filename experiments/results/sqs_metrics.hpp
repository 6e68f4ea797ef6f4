// What CloudWatch shows of SQS, under the names that Prometheus' cloudwatch_exporter gives its metrics (namespace, metric and
// statistic in snake case: aws_sqs_approximate_age_of_oldest_message_maximum), in the OpenMetrics text format.
//
// Model: values are those of the moment of a scrape, and sums those since the scrape before; CloudWatch's are of whole minutes,
// and come late.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "models/sqs/service.hpp"

namespace experiments {

class SqsMetrics {
 public:
  /// Times only rise.
  void scrape(double time_s, models::sqs::Service& service);
  /// Everything that was scraped: one family after another, in it one queue after another; without the line that ends it all.
  std::string text() const;

 private:
  static constexpr std::size_t kFamilies = 8;
  std::array<std::map<std::string, std::string>, kFamilies> series_;  ///< lines by labels
  std::vector<models::sqs::QueueMetrics> before_;
};

}  // namespace experiments
