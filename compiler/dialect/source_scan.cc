// The scan of a source's text before MLIR's parser sees it.
#include "compiler/dialect/source_scan.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace quern {
namespace {

constexpr std::string_view kAssume = "llvm.intr.assume %";

bool StartsAt(std::string_view text, size_t at, std::string_view prefix) {
  return text.compare(at, prefix.size(), prefix) == 0;
}

// Walks the text once, outside strings and comments.
class Scanner {
 public:
  Scanner(std::string_view source, uint32_t nesting_max)
      : source_(source), nesting_max_(nesting_max) {
    result_.reserve(source.size() + 64);
  }

  absl::StatusOr<std::string> Run() {
    while (at_ < source_.size()) {
      absl::Status status = Step();
      if (!status.ok()) return status;
    }
    return std::move(result_);
  }

 private:
  absl::Status Error(std::string_view text) const {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at_; ++i) {
      column = source_[i] == '\n' ? 1 : column + 1;
      line += source_[i] == '\n';
    }
    return absl::InvalidArgumentError(absl::StrCat(
        line, ":", column, ": ", absl::string_view(text.data(), text.size())));
  }

  void Copy(size_t end) {
    result_.append(source_.substr(at_, end - at_));
    at_ = end;
  }

  void CopyString() {
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != '"' &&
           source_[end] != '\n') {
      end += source_[end] == '\\' ? 2 : 1;
    }
    Copy(std::min(end + 1, source_.size()));
  }

  void CopyComment() {
    const size_t end = source_.find('\n', at_);
    Copy(end == std::string_view::npos ? source_.size() : end);
  }

  // `llvm.intr.assume %c : i1` has no such form in MLIR 19.
  void RewriteAssume() {
    const size_t name = at_ + kAssume.size() - 1;
    size_t end = name + 1;
    while (end < source_.size() && source_[end] != ' ' && source_[end] != ':' &&
           source_[end] != '\n') {
      ++end;
    }
    const std::string_view rest = source_.substr(end, 5);
    if (rest != " : i1") return Copy(end);
    result_.append("\"llvm.intr.assume\"(");
    result_.append(source_.substr(name, end - name));
    result_.append(") : (i1) -> ()");
    at_ = end + rest.size();
  }

  absl::Status Step() {
    switch (source_[at_]) {
      case '"':
        CopyString();
        return absl::OkStatus();
      case '/':
        if (StartsAt(source_, at_, "//")) {
          CopyComment();
          return absl::OkStatus();
        }
        break;
      case '(':
      case '[':
      case '{':
      case '<':
        if (++depth_ > nesting_max_) {
          return Error(
              absl::StrCat("brackets nest deeper than ", nesting_max_));
        }
        break;
      case ')':
      case ']':
      case '}':
      case '>':
        // The arrow closes nothing. A bracket too many is the parser's to
        // report.
        if (depth_ > 0 &&
            !(source_[at_] == '>' && at_ > 0 && source_[at_ - 1] == '-')) {
          --depth_;
        }
        break;
      case 'a':
        if (StartsAt(source_, at_, "affine_map<") ||
            StartsAt(source_, at_, "affine_set<")) {
          return Error("affine maps and sets are no part of Triton IR");
        }
        break;
      case 'l':
        if (StartsAt(source_, at_, kAssume)) {
          RewriteAssume();
          return absl::OkStatus();
        }
        break;
      default:
        break;
    }
    result_.push_back(source_[at_++]);
    return absl::OkStatus();
  }

  const std::string_view source_;
  const uint32_t nesting_max_;
  size_t at_ = 0;
  uint32_t depth_ = 0;
  std::string result_;
};

}  // namespace

absl::StatusOr<std::string> ScanSource(std::string_view source,
                                       uint32_t nesting_max) {
  return Scanner(source, nesting_max).Run();
}

}  // namespace quern
