// Keys of schemas: the registry, its subjects and their versions, and what producers and groups use of them.
#pragma once

#include <vector>

#include "experiments/scenario/keys.hpp"

namespace experiments {

const std::vector<Row<models::schema::RegistryOptions>>& registry_rows();  ///< [registry]
const std::vector<Row<models::schema::SubjectOptions>>& subject_rows();    ///< [[subjects]]
const std::vector<Row<models::schema::ClientOptions>>& writer_rows();      ///< producers.schema
const std::vector<Row<models::schema::ClientOptions>>& reader_rows();      ///< groups.schema

}  // namespace experiments
