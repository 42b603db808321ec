// The `tt` dialect: its types, enumerations and operation base class.
//
// The dialect is read, never printed to Triton: the definitions accept every
// spelling that Triton 3.3 to 3.9 prints, and no more structure than lowering
// needs.
#ifndef QUERN_COMPILER_DIALECT_TRITON_BASE_TD_
#define QUERN_COMPILER_DIALECT_TRITON_BASE_TD_

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Triton_Dialect : Dialect {
  let name = "tt";
  let cppNamespace = "::quern::tt";
  let summary = "Kernels as Triton prints them.";
  let description = [{
    A kernel is a `tt.func`. One execution of it is a program; values are
    scalars or tensors of static shape whose sizes are powers of two.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let usePropertiesForAttributes = 1;
  // Triton attaches attributes of this dialect to loops and arithmetic.
  let hasOperationAttrVerify = 0;
}

// ---- Types -----------------------------------------------------------------

class Triton_Type<string name, string typeMnemonic>
    : TypeDef<Triton_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Triton_Pointer : Triton_Type<"Pointer", "ptr"> {
  let summary = "An address of an element, or of a block of elements.";
  let description = [{
    `!tt.ptr<f32>`, `!tt.ptr<i8, 0>` or, up to Triton 3.7,
    `!tt.ptr<tensor<32x64xf16>>`. Address space 1 is not printed.
  }];
  let parameters = (ins "::mlir::Type":$pointeeType, "int":$addressSpace);
  let builders = [
    TypeBuilderWithInferredContext<(ins "::mlir::Type":$pointeeType), [{
      return $_get(pointeeType.getContext(), pointeeType, 1);
    }]>
  ];
  let hasCustomAssemblyFormat = 1;
}

def Triton_TensorDescriptor
    : Triton_Type<"TensorDescriptor", "tensordesc"> {
  let summary = "A tensor in memory that is read and written by blocks.";
  let description = [{
    `!tt.tensordesc<tensor<128x64xf16>>`, from Triton 3.8 on
    `!tt.tensordesc<128x64xf16>`. The block's integers may carry a signedness.
  }];
  let parameters = (ins "::mlir::RankedTensorType":$blockType);
  let hasCustomAssemblyFormat = 1;
}

def Triton_Float : TypeConstraint<CPred<
    "::llvm::isa<::mlir::FloatType>($_self)">, "float">;
def Triton_Int : TypeConstraint<CPred<
    "$_self.isSignlessInteger()">, "integer">;

class Triton_ScalarOrTensor<string isElement, string summary>
    : Type<CPred<"::quern::tt::HasElement($_self, [](::mlir::Type type) {"
                 " return " # isElement # "; })">, summary>;

def Triton_FloatLike : Triton_ScalarOrTensor<
    "::llvm::isa<::mlir::FloatType>(type)", "float or tensor of floats">;
def Triton_IntLike : Triton_ScalarOrTensor<
    "type.isSignlessInteger()", "integer or tensor of integers">;
def Triton_BoolLike : Triton_ScalarOrTensor<
    "type.isSignlessInteger(1)", "i1 or tensor of i1">;
def Triton_PointerLike : Triton_ScalarOrTensor<
    "::llvm::isa<::quern::tt::PointerType>(type)",
    "pointer or tensor of pointers">;
def Triton_Value : Triton_ScalarOrTensor<
    "type.isSignlessInteger() || ::llvm::isa<::mlir::FloatType, "
    "::quern::tt::PointerType>(type)", "scalar or tensor">;
def Triton_Scalar : Type<CPred<
    "$_self.isSignlessInteger() || ::llvm::isa<::mlir::FloatType, "
    "::quern::tt::PointerType>($_self)">, "scalar">;
def Triton_Tensor : Type<And<[
    CPred<"::llvm::isa<::mlir::RankedTensorType>($_self)">,
    Triton_Value.predicate]>, "tensor">;
def Triton_AnyValue : AnyTypeOf<[Triton_Value, Triton_TensorDescriptor]>;

// ---- Enumerations ----------------------------------------------------------

class Triton_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::quern::tt";
}

def Triton_CacheModifier : Triton_Enum<"CacheModifier", "cache hint", [
  I32EnumAttrCase<"kNone", 1, "none">, I32EnumAttrCase<"kCa", 2, "ca">,
  I32EnumAttrCase<"kCg", 3, "cg">, I32EnumAttrCase<"kWb", 4, "wb">,
  I32EnumAttrCase<"kCs", 5, "cs">, I32EnumAttrCase<"kWt", 6, "wt">,
  I32EnumAttrCase<"kCv", 7, "cv">]>;
def Triton_EvictionPolicy : Triton_Enum<"EvictionPolicy", "eviction hint", [
  I32EnumAttrCase<"kNormal", 1, "evict_normal">,
  I32EnumAttrCase<"kFirst", 2, "evict_first">,
  I32EnumAttrCase<"kLast", 3, "evict_last">]>;
def Triton_Padding : Triton_Enum<"Padding", "value read out of bounds", [
  I32EnumAttrCase<"kZero", 1, "zero">, I32EnumAttrCase<"kNan", 2, "nan">]>;
def Triton_AtomicKind : Triton_Enum<"AtomicKind", "atomic update", [
  I32EnumAttrCase<"kAnd", 1, "and">, I32EnumAttrCase<"kOr", 2, "or">,
  I32EnumAttrCase<"kXor", 3, "xor">, I32EnumAttrCase<"kAdd", 4, "add">,
  I32EnumAttrCase<"kFAdd", 5, "fadd">, I32EnumAttrCase<"kMax", 6, "max">,
  I32EnumAttrCase<"kMin", 7, "min">, I32EnumAttrCase<"kUMax", 8, "umax">,
  I32EnumAttrCase<"kUMin", 9, "umin">,
  I32EnumAttrCase<"kExchange", 10, "exch">]>;
def Triton_DescriptorReduceKind
    : Triton_Enum<"DescriptorReduceKind", "update of a block in memory", [
  I32EnumAttrCase<"kAdd", 1, "add">, I32EnumAttrCase<"kMin", 2, "min">,
  I32EnumAttrCase<"kMax", 3, "max">, I32EnumAttrCase<"kInc", 4, "inc">,
  I32EnumAttrCase<"kDec", 5, "dec">, I32EnumAttrCase<"kAnd", 6, "and">,
  I32EnumAttrCase<"kOr", 7, "or">, I32EnumAttrCase<"kXor", 8, "xor">]>;
def Triton_MemoryOrder : Triton_Enum<"MemoryOrder", "order of an atomic", [
  I32EnumAttrCase<"kRelaxed", 1, "relaxed">,
  I32EnumAttrCase<"kAcquire", 2, "acquire">,
  I32EnumAttrCase<"kRelease", 3, "release">,
  I32EnumAttrCase<"kAcquireRelease", 4, "acq_rel">]>;
def Triton_MemoryScope : Triton_Enum<"MemoryScope", "who sees an atomic", [
  I32EnumAttrCase<"kGpu", 1, "gpu">, I32EnumAttrCase<"kCta", 2, "cta">,
  I32EnumAttrCase<"kSystem", 3, "sys">]>;
def Triton_Axis : Triton_Enum<"Axis", "axis of the grid", [
  I32EnumAttrCase<"kX", 0, "x">, I32EnumAttrCase<"kY", 1, "y">,
  I32EnumAttrCase<"kZ", 2, "z">]>;
def Triton_Rounding : Triton_Enum<"Rounding", "rounding of a cast", [
  I32EnumAttrCase<"kTowardZero", 0, "rtz">,
  I32EnumAttrCase<"kToNearestEven", 1, "rtne">]>;
def Triton_PropagateNan : Triton_Enum<"PropagateNan", "what NaN becomes", [
  I32EnumAttrCase<"kNone", 0, "none">,
  I32EnumAttrCase<"kAll", 0xFFFF, "all">]>;
def Triton_InputPrecision : Triton_Enum<"InputPrecision", "dot precision", [
  I32EnumAttrCase<"kTf32", 0, "tf32">, I32EnumAttrCase<"kTf32x3", 1, "tf32x3">,
  I32EnumAttrCase<"kIeee", 2, "ieee">, I32EnumAttrCase<"kBf16x3", 3, "bf16x3">,
  I32EnumAttrCase<"kBf16x6", 4, "bf16x6">]>;
def Triton_ScaledElement : Triton_Enum<"ScaledElement", "scaled element", [
  I32EnumAttrCase<"kE4M3", 0, "e4m3">, I32EnumAttrCase<"kE5M2", 1, "e5m2">,
  I32EnumAttrCase<"kE2M3", 2, "e2m3">, I32EnumAttrCase<"kE3M2", 3, "e3m2">,
  I32EnumAttrCase<"kE2M1", 4, "e2m1">, I32EnumAttrCase<"kBf16", 5, "bf16">,
  I32EnumAttrCase<"kFp16", 6, "fp16">]>;

// From Triton 3.9 on the two hints are one attribute.
def Triton_CachePolicy : AttrDef<Triton_Dialect, "CachePolicy"> {
  let mnemonic = "cache_policy";
  let summary = "The cache and eviction hints of a memory access.";
  let parameters = (ins
    DefaultValuedParameter<"CacheModifier", "CacheModifier::kNone">:$cache_modifier,
    DefaultValuedParameter<"EvictionPolicy",
                           "EvictionPolicy::kNormal">:$eviction_policy);
  let assemblyFormat = "`<` struct(params) `>`";
}

// ---- Operations ------------------------------------------------------------

class Triton_Op<string mnemonic, list<Trait> traits = []>
    : Op<Triton_Dialect, mnemonic, traits>;

#endif  // QUERN_COMPILER_DIALECT_TRITON_BASE_TD_
