// Everything a process needs: Process and delay, Mailbox, Condition, first_of.
#pragma once

#include "sim/condition.hpp"
#include "sim/first_of.hpp"
#include "sim/mailbox.hpp"
#include "sim/process_core.hpp"
