// The tables of SQS: [sqs], and what producers and groups say to it.
#pragma once

#include "experiments/scenario/keys.hpp"
#include "models/sqs/options.hpp"

namespace experiments {

const std::vector<Row<models::sqs::ServiceOptions>>& sqs_rows();
const std::vector<Row<models::sqs::SenderOptions>>& sqs_sender_rows();
const std::vector<Row<models::sqs::ReceiverOptions>>& sqs_receiver_rows();

/// The same as a key of [[producers]] and of [[groups]].
Row<models::ProducerOptions> sqs_sender_row();
Row<models::GroupOptions> sqs_receiver_row();

}  // namespace experiments
