// The launch signature against the IR.
#include "compiler/api/signature.h"

#include <bit>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "proto/wire/kernel_abi.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr char kDivisibility[] = "tt.divisibility";

std::string FloatSpelling(mlir::Type type) {
  if (type.isFloat8E5M2()) return "fp8e5";
  if (type.isFloat8E4M3FN()) return "fp8e4nv";
  if (type.isFloat8E5M2FNUZ()) return "fp8e5b16";
  if (type.isFloat8E4M3FNUZ()) return "fp8e4b8";
  if (type.isBF16()) return "bf16";
  if (type.isF16()) return "fp16";
  if (type.isF32()) return "fp32";
  if (type.isF64()) return "fp64";
  return "";
}

// Triton distinguishes what the IR does not: "u32" is i32 there, "*k" points
// to constant data, and fp8e4b15 has no type of its own.
std::string Canonical(std::string spelling) {
  std::string pointer;
  if (absl::StartsWith(spelling, "*")) {
    pointer = "*";
    spelling.erase(0, absl::StartsWith(spelling, "*k") ? 2 : 1);
  }
  if (spelling.size() > 1 && spelling[0] == 'u') spelling[0] = 'i';
  if (spelling == "fp8e4b15") spelling = "i8";
  return pointer + spelling;
}

absl::Status Contradiction(unsigned index, const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat("argument ", index, " of the signature: ", what));
}

absl::Status ApplyDivisibility(tt::FuncOp function, unsigned index,
                               uint32_t divisibility) {
  if (divisibility <= 1) return absl::OkStatus();
  if (!std::has_single_bit(divisibility) || divisibility > (1u << 30)) {
    return Contradiction(index, absl::StrCat("divisibility ", divisibility,
                                             " is no power of two to 2^30"));
  }
  int64_t known = 1;
  if (auto attribute =
          function.getArgAttrOfType<mlir::IntegerAttr>(index, kDivisibility)) {
    known = attribute.getInt();
  }
  if (known < divisibility) {
    mlir::OpBuilder builder(function.getContext());
    function.setArgAttr(index, kDivisibility,
                        builder.getI32IntegerAttr(divisibility));
  }
  return absl::OkStatus();
}

// The bits above `width` only repeat zeros or the sign.
bool Fits(uint64_t value, unsigned width, bool is_integer) {
  if (width >= 64) return true;
  const uint64_t high = value >> width;
  if (high == 0) return true;
  const bool negative = (value >> (width - 1) & 1) != 0;
  return is_integer && width > 1 && negative && high == ~uint64_t{0} >> width;
}

absl::StatusOr<mlir::TypedAttr> ConstantOf(mlir::Type type, unsigned index,
                                           uint64_t value) {
  if (!type.isIntOrFloat()) {
    return Contradiction(index, "only a number can be constant");
  }
  const unsigned width = type.getIntOrFloatBitWidth();
  const bool is_integer = llvm::isa<mlir::IntegerType>(type);
  if (!Fits(value, width, is_integer)) {
    return Contradiction(
        index, absl::StrCat("the constant ", value, " does not fit its type"));
  }
  const llvm::APInt bits =
      llvm::APInt(64, value).trunc(width < 64 ? width : 64);
  if (is_integer) {
    return mlir::TypedAttr(mlir::IntegerAttr::get(type, bits));
  }
  const llvm::fltSemantics& semantics =
      llvm::cast<mlir::FloatType>(type).getFloatSemantics();
  return mlir::TypedAttr(
      mlir::FloatAttr::get(type, llvm::APFloat(semantics, bits)));
}

absl::Status ApplyConstant(tt::FuncOp function, unsigned index,
                           uint64_t value) {
  const mlir::BlockArgument argument = function.getArgument(index);
  absl::StatusOr<mlir::TypedAttr> constant =
      ConstantOf(argument.getType(), index, value);
  if (!constant.ok()) return constant.status();
  if (auto attribute =
          function.getArgAttrOfType<mlir::IntegerAttr>(index, kDivisibility)) {
    const int64_t divisor = attribute.getInt();
    if (divisor > 1 && value % static_cast<uint64_t>(divisor) != 0) {
      return Contradiction(index, absl::StrCat("the constant ", value,
                                               " is no multiple of ", divisor));
    }
  }
  mlir::OpBuilder builder = mlir::OpBuilder::atBlockBegin(&function.front());
  mlir::Value replacement =
      builder.create<mlir::arith::ConstantOp>(function.getLoc(), *constant);
  mlir::Value(argument).replaceAllUsesWith(replacement);
  return absl::OkStatus();
}

absl::Status CheckEntry(tt::FuncOp function) {
  const std::string name = function.getSymName().str();
  if (mlir::SymbolTable::getSymbolVisibility(function) !=
      mlir::SymbolTable::Visibility::Public) {
    return absl::InvalidArgumentError(
        absl::StrCat("function '", name, "' is not public"));
  }
  if (function.isExternal() || function.getNumResults() != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "function '", name, "' is no kernel: it has results or no body"));
  }
  if (function.getNumArguments() > QUERN_ARGUMENTS_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("kernel '", name, "' has ", function.getNumArguments(),
                     " arguments; the limit is ", QUERN_ARGUMENTS_MAX));
  }
  return absl::OkStatus();
}

}  // namespace

std::string TritonSpelling(mlir::Type type) {
  if (auto pointer = llvm::dyn_cast<tt::PointerType>(type)) {
    const std::string pointee = TritonSpelling(pointer.getPointeeType());
    return pointee.empty() ? "" : absl::StrCat("*", pointee);
  }
  if (auto integer = llvm::dyn_cast<mlir::IntegerType>(type)) {
    return absl::StrCat("i", integer.getWidth());
  }
  return FloatSpelling(type);
}

absl::StatusOr<tt::FuncOp> FindEntry(mlir::ModuleOp module,
                                     const std::string& entry) {
  tt::FuncOp found;
  for (tt::FuncOp function : module.getOps<tt::FuncOp>()) {
    const bool wanted =
        entry.empty() ? mlir::SymbolTable::getSymbolVisibility(function) ==
                            mlir::SymbolTable::Visibility::Public
                      : function.getSymName() == entry;
    if (!wanted) continue;
    if (found) {
      return absl::InvalidArgumentError(
          "the source has several public functions: name one as the entry");
    }
    found = function;
  }
  if (!found) {
    return absl::InvalidArgumentError(
        entry.empty()
            ? "the source has no public function"
            : absl::StrCat("the source has no function '", entry, "'"));
  }
  QUERN_RETURN_IF_ERROR(CheckEntry(found));
  return found;
}

absl::Status ApplySignature(tt::FuncOp function,
                            absl::Span<const ArgumentSpec> signature) {
  if (signature.empty()) return absl::OkStatus();
  if (signature.size() != function.getNumArguments()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the signature has ", signature.size(),
                     " arguments, the kernel ", function.getNumArguments()));
  }
  for (unsigned i = 0; i < signature.size(); ++i) {
    const ArgumentSpec& argument = signature[i];
    const std::string in_source =
        TritonSpelling(function.getArgument(i).getType());
    if (Canonical(argument.type) != in_source) {
      return Contradiction(
          i, absl::StrCat("'", argument.type, "', but the source has '",
                          in_source, "'"));
    }
    QUERN_RETURN_IF_ERROR(
        ApplyDivisibility(function, i, argument.divisibility));
    if (argument.constant.has_value()) {
      QUERN_RETURN_IF_ERROR(ApplyConstant(function, i, *argument.constant));
    }
  }
  return absl::OkStatus();
}

}  // namespace quern
