#include "experiments/interrupt.hpp"

namespace experiments {

std::atomic<bool> interrupted{false};

}  // namespace experiments
