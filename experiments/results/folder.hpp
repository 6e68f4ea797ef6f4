// Taking a folder for new results. What is finished in it, and what somebody else wrote into it, is dropped
// only when the user says so.
#pragma once

#include <string>

namespace experiments {

/// What to do about a folder that is not empty.
enum class Earlier {
  refuse,   ///< whatever it holds
  keep,     ///< results of the same sweep, and go on with them; refuse anything else
  replace,  ///< the store and the files that results consist of; others stay
};

/// Makes the folder where there is none, and leaves nothing in it that looks whole. A new folder, an empty
/// one, and one whose store holds no trial yet are always taken. Throws ResultsError; where that is because
/// of what the folder holds, the message ends in `advice`, and nothing has been touched.
void take_folder(const std::string& folder, const std::string& identity, Earlier earlier,
                 const std::string& advice);

/// Does the folder hold this one run and no other trial?
bool holds_only(const std::string& folder, const std::string& run_id);

}  // namespace experiments
