// Plans as text.
#include "compiler/plan/operations.h"
#include "compiler/plan/plan.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/IR/AsmState.h"

namespace quern {
namespace {

const char* NameOf(Root::Kind kind) {
  switch (kind) {
    case Root::Kind::kStore:
      return "store";
    case Root::Kind::kMaterialise:
      return "materialise";
    case Root::Kind::kCopy:
      return "copy";
    case Root::Kind::kReduce:
      return "reduce";
    case Root::Kind::kAccumulate:
      return "accumulate";
    case Root::Kind::kScan:
      return "scan";
    case Root::Kind::kAtomic:
      return "atomic";
    case Root::Kind::kHistogram:
      return "histogram";
    case Root::Kind::kAssert:
      return "assert";
  }
  return "";
}

class Printer {
 public:
  explicit Printer(const Plan& plan)
      : plan_(plan),
        names_(tt::FuncOp(plan.function).getOperation()),
        out_(text_) {}

  std::string Run() {
    tt::FuncOp function = plan_.function;
    out_ << "plan @" << function.getName() << " scratch " << plan_.scratch_bytes
         << "\n";
    for (auto [i, buffer] : llvm::enumerate(plan_.buffers)) {
      out_ << "  buffer " << i << ": ";
      PrintShape(buffer.shape);
      out_ << buffer.element << " at " << buffer.offset_bytes;
      if (buffer.row_stride > 0) out_ << " row stride " << buffer.row_stride;
      if (buffer.panel_columns > 0) {
        out_ << " panels " << buffer.panel_rows << "x" << buffer.panel_columns;
      }
      out_ << "\n";
    }
    for (auto [i, block] : llvm::enumerate(plan_.blocks)) {
      if (plan_.blocks.size() > 1) out_ << "  block " << i << "\n";
      PrintSequence(block, 2);
    }
    return text_;
  }

 private:
  void PrintShape(llvm::ArrayRef<int64_t> shape) {
    for (int64_t size : shape) out_ << size << "x";
  }

  void PrintValue(mlir::Value value) { value.printAsOperand(out_, names_); }

  void PrintSequence(const Sequence& items, unsigned indent) {
    for (const Item& item : items) PrintItem(item, indent);
  }

  void PrintItem(const Item& item, unsigned indent) {
    out_.indent(indent);
    switch (item.kind) {
      case Item::Kind::kGroup:
        PrintGroup(*item.group, indent);
        return;
      case Item::Kind::kDot:
        out_ << "dot buffer " << item.dot.d << " += buffer " << item.dot.a
             << " * buffer " << item.dot.b;
        if (item.dot.lane_elements > 1) {
          out_ << " by " << item.dot.lane_elements;
        }
        out_ << "\n";
        return;
      case Item::Kind::kFinish:
        out_ << "finish ";
        PrintValue(item.op->getOperand(0));
        out_ << "\n";
        return;
      default:
        break;
    }
    out_ << item.op->getName();
    for (const Carried& carried : item.carried) {
      switch (carried.kind) {
        case Carried::Kind::kScalar:
          out_ << " scalar";
          break;
        case Carried::Kind::kBuffer:
          out_ << " buffer " << carried.index;
          break;
        case Carried::Kind::kStep:
          out_ << " step " << carried.index;
          break;
        case Carried::Kind::kAccumulator:
          out_ << " accumulator " << carried.index;
          break;
      }
    }
    if (item.chunk > 0) out_ << " chunk " << item.chunk;
    if (item.direct_rows) out_ << " rows direct";
    if (item.cuts[0]) out_ << " rows cut";
    if (item.cuts[1]) out_ << " columns cut";
    out_ << "\n";
    for (const Sequence& body : item.bodies) PrintSequence(body, indent + 2);
  }

  void PrintGroup(const Group& group, unsigned indent) {
    out_ << "group ";
    PrintShape(group.shape);
    out_ << " order [";
    llvm::interleaveComma(group.order, out_);
    out_ << "] vector " << group.vector_dim << " width " << group.width;
    if (group.tail_width != group.width) out_ << " tail " << group.tail_width;
    if (group.unroll > 1) out_ << " unroll " << group.unroll;
    if (group.axis >= 0) out_ << " axis " << group.axis;
    out_ << "\n";
    for (const Bound& bound : group.bounds) {
      out_.indent(indent + 2) << "bound ";
      PrintValue(bound.value);
      if (!bound.exact) {
        out_ << ", inexact";
      } else if (group.dead_past_bound) {
        out_ << ", dead past it";
      }
      out_ << "\n";
    }
    for (const Wrap& wrap : group.wraps) {
      out_.indent(indent + 2) << "wrap ";
      PrintValue(wrap.value);
      out_ << " along " << wrap.dim << "\n";
    }
    for (const Root& root : group.roots) PrintRoot(root, indent + 2);
  }

  void PrintRoot(const Root& root, unsigned indent) {
    out_.indent(indent) << NameOf(root.kind);
    if (root.kind == Root::Kind::kCopy) out_ << " buffer " << root.index;
    if (root.kind == Root::Kind::kAccumulate) out_ << " " << root.index;
    if (root.value) {
      out_ << " ";
      PrintValue(root.value);
    } else if (root.kind != Root::Kind::kCopy) {
      for (mlir::Value operand : root.op->getOperands()) {
        out_ << " ";
        PrintValue(operand);
      }
    }
    for (uint32_t buffer : root.buffers) out_ << " -> buffer " << buffer;
    out_ << "\n";
  }

  const Plan& plan_;
  mlir::AsmState names_;
  std::string text_;
  llvm::raw_string_ostream out_;
};

}  // namespace

std::string PrintPlan(const Plan& plan) { return Printer(plan).Run(); }

}  // namespace quern
