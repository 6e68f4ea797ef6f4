// "Did you mean …": the nearest of the allowed words, for errors that help.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace models {

/// The allowed word nearest to `word` by edit distance, or empty when none is near (more than a third of it wrong).
std::string_view nearest(std::string_view word, std::span<const std::string_view> allowed);

/// "; did you mean 'x'?", or where nothing is near and they are few "; allowed: x, y", or empty.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> allowed);

}  // namespace models
