// What CloudWatch shows of SNS, under the names that Prometheus' cloudwatch_exporter gives its metrics (namespace, metric and
// statistic in snake case: aws_sns_number_of_notifications_failed_sum), in the OpenMetrics text format.
//
// Model: sums are those since the scrape before; CloudWatch's are of whole minutes, and come late.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "models/sns/service.hpp"

namespace experiments {

class SnsMetrics {
 public:
  /// Times only rise.
  void scrape(double time_s, models::sns::Service& service);
  /// Everything that was scraped: one family after another, in it one topic after another; without the line that ends it all.
  std::string text() const;

 private:
  static constexpr std::size_t kFamilies = 5;
  std::array<std::map<std::string, std::string>, kFamilies> series_;  ///< lines by labels
  std::vector<models::sns::TopicMetrics> before_;
};

}  // namespace experiments
