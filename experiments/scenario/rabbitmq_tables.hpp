// The tables of RabbitMQ: [rabbitmq], and what producers and groups say to it.
#pragma once

#include "experiments/scenario/keys.hpp"
#include "models/rabbitmq/options.hpp"

namespace experiments {

const std::vector<Row<models::rabbitmq::BrokerOptions>>& rabbitmq_rows();
const std::vector<Row<models::rabbitmq::PublisherOptions>>& publisher_rows();
const std::vector<Row<models::rabbitmq::SubscriberOptions>>& subscriber_rows();

/// The same as a key of [[producers]] and of [[groups]].
Row<models::ProducerOptions> publisher_row();
Row<models::GroupOptions> subscriber_row();

}  // namespace experiments
