// Canonical targets.
#include "server/core/canonical_spec.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

bool IsFeature(const std::string& feature) {
  return feature.size() > 1 && (feature[0] == '+' || feature[0] == '-');
}

absl::Status CanonicaliseFeatures(std::vector<std::string>& features) {
  std::sort(features.begin(), features.end());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  for (const std::string& feature : features) {
    if (!IsFeature(feature)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the target's feature '", feature, "' does not begin with + or -"));
    }
    // Signs sort apart, so that the opposite is found by its own name.
    if (feature[0] == '+' &&
        std::binary_search(features.begin(), features.end(),
                           "-" + feature.substr(1))) {
      return absl::InvalidArgumentError(
          absl::StrCat("the target both has and lacks the feature '",
                       feature.substr(1), "'"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CompileSpec> Canonicalise(CompileSpec spec,
                                         const TargetSpec& host) {
  if (spec.target.IsHost()) {
    if (!spec.target.cpu.empty() || !spec.target.features.empty()) {
      return absl::InvalidArgumentError(
          "a target with a CPU or features needs a triple");
    }
    spec.target = host;
    return spec;
  }
  QUERN_RETURN_IF_ERROR(CanonicaliseFeatures(spec.target.features));
  return spec;
}

std::string TargetText(const TargetSpec& target) {
  return absl::StrCat(target.triple, ":", target.cpu);
}

}  // namespace quern
