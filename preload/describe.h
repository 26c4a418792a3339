// The tables of an image that tell people what was checkpointed.
#pragma once

#include <string>

#include "preload/plan.h"

namespace sckpt {

void describe_process(Plan &plan, std::uint32_t generation, const std::string &cause);
void describe_objects(Plan &plan);

}  // namespace sckpt
