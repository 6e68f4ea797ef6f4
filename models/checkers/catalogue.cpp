#include "models/checkers/catalogue.hpp"

#include <array>

#include "models/checkers/commitment.hpp"
#include "models/checkers/duplicate.hpp"
#include "models/checkers/facts.hpp"
#include "models/checkers/inconsistent_offsets.hpp"
#include "models/checkers/lost_write.hpp"
#include "models/checkers/outputs.hpp"
#include "models/checkers/poll_order.hpp"
#include "models/checkers/requests.hpp"
#include "models/checkers/sagas.hpp"
#include "models/checkers/send_order.hpp"
#include "models/checkers/tables.hpp"
#include "models/checkers/transaction_reads.hpp"
#include "models/checkers/unseen.hpp"
#include "models/checkers/views.hpp"

namespace models {

namespace {
template <class T>
std::unique_ptr<Checker> make(const Ledger& ledger, Anomalies& anomalies) {
  return std::make_unique<T>(ledger, anomalies);
}
}  // namespace

std::span<const CheckerInfo> checker_catalogue() {
  static constexpr std::array kRows{
      CheckerInfo{"lost_write", "acknowledged records below the highest offset read that nobody read",
                  make<LostWrite>},
      CheckerInfo{"unseen", "acknowledged records that nobody had read at the end", make<Unseen>},
      CheckerInfo{"duplicate", "one record at two offsets", make<Duplicate>},
      CheckerInfo{"inconsistent_offsets", "one offset that held two records which were seen",
                  make<InconsistentOffsets>},
      CheckerInfo{"poll_order", "skips and steps back within and between polls of one consumer",
                  make<PollOrder>},
      CheckerInfo{"send_order", "skips and steps back within and between sends of one producer",
                  make<SendOrder>},
      CheckerInfo{"transaction_reads",
                  "records read of transactions that were aborted, or were one's own and open",
                  make<TransactionReads>},
      CheckerInfo{"outputs", "whether each input of a group that transforms has one output that counts",
                  make<Outputs>},
      CheckerInfo{"tables", "whether the tables that groups keep hold the last value of each key",
                  make<Tables>},
      CheckerInfo{"facts", "whether the events in logs are the facts in databases", make<Facts>},
      CheckerInfo{"sagas", "whether every saga comes to an end that is consistent", make<Sagas>},
      CheckerInfo{"requests", "how many requests services answer, and after how long", make<Requests>},
      CheckerInfo{"views", "whether views hold the last fact of each aggregate, and how far they are behind",
                  make<Views>},
      CheckerInfo{"commitment", "whether participants of a transaction end it alike, and how long they wait",
                  make<Commitment>},
  };
  return kRows;
}

}  // namespace models
