// What a run with schemas has of them: the registry, and what was written with which.
#pragma once

#include "models/schema/registry.hpp"
#include "models/schema/written.hpp"

namespace models::schema {

struct Schemas {
  Schemas(Context& context, Node& node, const RegistryOptions& options,
          const std::vector<SubjectOptions>& subjects)
      : registry(context, node, options, subjects), written(context.entities) {}

  Registry registry;
  WrittenSchemas written;
};

}  // namespace models::schema
