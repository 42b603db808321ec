// The `tt` dialect: memory, atomics, descriptors, diagnostics.
#ifndef QUERN_COMPILER_DIALECT_TRITON_MEMORY_OPS_TD_
#define QUERN_COMPILER_DIALECT_TRITON_MEMORY_OPS_TD_

include "compiler/dialect/triton_ops.td"

// ---- Loads and stores ------------------------------------------------------

def Triton_LoadOp : Triton_Op<"load", [AttrSizedOperandSegments,
    TypesMatchWith<"result is what the pointer points to", "ptr", "result",
      "::quern::tt::PointeeLike($_self)">,
    TypesMatchWith<"mask has the pointer's shape", "ptr", "mask",
      "::quern::tt::BoolLike(::quern::tt::PointeeLike($_self))",
      "!::llvm::cast<LoadOp>($_op).getMask() || std::equal_to<>()">,
    TypesMatchWith<"other is what the pointer points to", "ptr", "other",
      "::quern::tt::PointeeLike($_self)",
      "!::llvm::cast<LoadOp>($_op).getOther() || std::equal_to<>()">]> {
  let summary = "Reads memory.";
  let description = [{
    Lanes whose mask is zero do not touch memory; they have the value of
    `other`, and without it any value.
  }];
  let arguments = (ins Triton_PointerLike:$ptr,
    Optional<Triton_BoolLike>:$mask, Optional<Triton_Value>:$other,
    DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$boundaryCheck,
    OptionalAttr<Triton_Padding>:$padding,
    DefaultValuedAttr<Triton_CacheModifier, "CacheModifier::kNone">:$cache,
    DefaultValuedAttr<Triton_EvictionPolicy, "EvictionPolicy::kNormal">:$evict,
    OptionalAttr<Triton_CachePolicy>:$cachePolicy,
    DefaultValuedAttr<BoolAttr, "false">:$isVolatile);
  let results = (outs Triton_Value:$result);
  let assemblyFormat = [{
    $ptr (`,` $mask^)? (`,` $other^)?
    oilist(`cacheModifier` `=` $cache | `evictionPolicy` `=` $evict)
    attr-dict `:` type($ptr)
  }];
}

def Triton_StoreOp : Triton_Op<"store", [
    TypesMatchWith<"value is what the pointer points to", "ptr", "value",
      "::quern::tt::PointeeLike($_self)">,
    TypesMatchWith<"mask has the pointer's shape", "ptr", "mask",
      "::quern::tt::BoolLike(::quern::tt::PointeeLike($_self))",
      "!::llvm::cast<StoreOp>($_op).getMask() || std::equal_to<>()">]> {
  let summary = "Writes memory where the mask is one.";
  let arguments = (ins Triton_PointerLike:$ptr, Triton_Value:$value,
    Optional<Triton_BoolLike>:$mask,
    DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$boundaryCheck,
    DefaultValuedAttr<Triton_CacheModifier, "CacheModifier::kNone">:$cache,
    DefaultValuedAttr<Triton_EvictionPolicy, "EvictionPolicy::kNormal">:$evict,
    OptionalAttr<Triton_CachePolicy>:$cachePolicy, UnitAttr:$ignore_cta);
  let assemblyFormat = [{
    $ptr `,` $value (`,` $mask^)?
    oilist(`cacheModifier` `=` $cache | `evictionPolicy` `=` $evict)
    attr-dict `:` type($ptr)
  }];
}

// ---- Atomics ---------------------------------------------------------------

def Triton_AtomicRmwOp : Triton_Op<"atomic_rmw"> {
  let summary = "Updates memory atomically; the result is the old value.";
  let arguments = (ins Triton_AtomicKind:$kind, Triton_PointerLike:$ptr,
    Triton_Value:$val, Optional<Triton_BoolLike>:$mask,
    Triton_MemoryOrder:$sem, Triton_MemoryScope:$scope);
  let results = (outs Triton_Value:$result);
  let assemblyFormat = [{
    $kind `,` $sem `,` $scope `,` $ptr `,` $val (`,` $mask^)? attr-dict `:`
    functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

def Triton_AtomicCasOp : Triton_Op<"atomic_cas"> {
  let summary = "Replaces `cmp` in memory by `val`; the result is the old value.";
  let arguments = (ins Triton_PointerLike:$ptr, Triton_Value:$cmp,
    Triton_Value:$val, Triton_MemoryOrder:$sem, Triton_MemoryScope:$scope);
  let results = (outs Triton_Value:$result);
  let assemblyFormat = [{
    $sem `,` $scope `,` $ptr `,` $cmp `,` $val attr-dict `:`
    functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

// ---- Block pointers (to Triton 3.7) and descriptors ------------------------

def Triton_MakeTensorPtrOp : Triton_Op<"make_tensor_ptr", [Pure,
    SameVariadicOperandSize,
    TypesMatchWith<"base points to the block's element", "result", "base",
      "::quern::tt::ElementPointer($_self)">]> {
  let summary = "A pointer to a block of a tensor in memory.";
  let arguments = (ins Triton_Pointer:$base, Variadic<I64>:$shape,
    Variadic<I64>:$strides, Variadic<I32>:$offsets, DenseI32ArrayAttr:$order);
  let results = (outs Triton_Pointer:$result);
  let assemblyFormat = [{
    $base `,` `[` $shape `]` `,` `[` $strides `]` `,` `[` $offsets `]`
    attr-dict `:` type($result)
  }];
}

def Triton_AdvanceOp : Triton_Op<"advance", [Pure,
    TypesMatchWith<"result is of the pointer's type", "result", "ptr",
      "$_self">]> {
  let summary = "A block pointer moved by offsets.";
  let arguments = (ins Triton_Pointer:$ptr, Variadic<I32>:$offsets);
  let results = (outs Triton_Pointer:$result);
  let assemblyFormat = "$ptr `,` `[` $offsets `]` attr-dict `:` type($result)";
}

def Triton_MakeTensorDescriptorOp : Triton_Op<"make_tensor_descriptor", [Pure,
    SameVariadicOperandSize]> {
  let summary = "A descriptor of a tensor in memory.";
  let arguments = (ins Triton_Pointer:$base, Variadic<I32>:$shape,
    Variadic<I64>:$strides,
    DefaultValuedAttr<Triton_Padding, "Padding::kZero">:$padding);
  let results = (outs Triton_TensorDescriptor:$result);
  let assemblyFormat = [{
    $base `,` `[` $shape `]` `,` `[` $strides `]` attr-dict `:` type($base)
    `,` type($result)
  }];
}

class Triton_DescriptorLoad<string mnemonic> : Triton_Op<mnemonic> {
  let summary = "Reads a block; out of bounds it is zero, or NaN.";
  let arguments = (ins Triton_TensorDescriptor:$desc, Variadic<I32>:$indices,
    DefaultValuedAttr<Triton_CacheModifier, "CacheModifier::kNone">:$cache,
    DefaultValuedAttr<Triton_EvictionPolicy, "EvictionPolicy::kNormal">:$evict,
    OptionalAttr<Triton_CachePolicy>:$cachePolicy);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = [{
    $desc `[` $indices `]`
    oilist(`cacheModifier` `=` $cache | `evictionPolicy` `=` $evict)
    attr-dict `:` qualified(type($desc)) `->` type($result)
  }];
}
def Triton_DescriptorLoadOp : Triton_DescriptorLoad<"descriptor_load">;
def Triton_ExperimentalDescriptorLoadOp
    : Triton_DescriptorLoad<"experimental_descriptor_load">;

class Triton_DescriptorStore<string mnemonic> : Triton_Op<mnemonic> {
  let summary = "Writes a block; what is out of bounds is dropped.";
  let arguments = (ins Triton_TensorDescriptor:$desc, Triton_Tensor:$src,
    Variadic<I32>:$indices);
  let assemblyFormat = [{
    $desc `[` $indices `]` `,` $src attr-dict `:` qualified(type($desc)) `,`
    type($src)
  }];
}
def Triton_DescriptorStoreOp : Triton_DescriptorStore<"descriptor_store">;
def Triton_ExperimentalDescriptorStoreOp
    : Triton_DescriptorStore<"experimental_descriptor_store">;

def Triton_DescriptorReduceOp : Triton_Op<"descriptor_reduce"> {
  let summary = "Updates a block in memory atomically, element by element.";
  let arguments = (ins Triton_DescriptorReduceKind:$kind,
    Triton_TensorDescriptor:$desc, Triton_Tensor:$src, Variadic<I32>:$indices);
  let assemblyFormat = [{
    $kind `,` $desc `[` $indices `]` `,` $src attr-dict `:`
    qualified(type($desc)) `,` type($src)
  }];
}

class Triton_DescriptorGather<string mnemonic> : Triton_Op<mnemonic> {
  let summary = "Reads rows picked by index.";
  let arguments = (ins Triton_TensorDescriptor:$desc, Triton_Tensor:$x_offsets,
    I32:$y_offset);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = [{
    $desc `[` $x_offsets `,` $y_offset `]` attr-dict `:`
    functional-type(operands, results)
  }];
}
def Triton_DescriptorGatherOp : Triton_DescriptorGather<"descriptor_gather">;
def Triton_ExperimentalDescriptorGatherOp
    : Triton_DescriptorGather<"experimental_descriptor_gather">;

class Triton_DescriptorScatter<string mnemonic> : Triton_Op<mnemonic> {
  let summary = "Writes rows picked by index.";
  let arguments = (ins Triton_TensorDescriptor:$desc, Triton_Tensor:$x_offsets,
    I32:$y_offset, Triton_Tensor:$src);
  let assemblyFormat = [{
    $desc `[` $x_offsets `,` $y_offset `]` `,` $src attr-dict `:`
    type(operands)
  }];
}
def Triton_DescriptorScatterOp : Triton_DescriptorScatter<"descriptor_scatter">;
def Triton_ExperimentalDescriptorScatterOp
    : Triton_DescriptorScatter<"experimental_descriptor_scatter">;

// ---- Diagnostics, and what means nothing on a CPU --------------------------

def Triton_PrintOp : Triton_Op<"print"> {
  let summary = "Writes a text and values.";
  let arguments = (ins StrAttr:$prefix, BoolAttr:$hex,
    Variadic<Triton_Value>:$args, DenseI32ArrayAttr:$isSigned);
  let assemblyFormat = [{
    $prefix attr-dict (`:` $args^ `:` type($args))?
  }];
}

def Triton_AssertOp : Triton_Op<"assert"> {
  let summary = "Ends the launch with a message if the condition fails.";
  let arguments = (ins Triton_BoolLike:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict `:` type($condition)";
}

def Triton_GridDependencyWaitOp : Triton_Op<"grid_dependency_wait"> {
  let summary = "Waits for the launch before; launches here never overlap.";
  let assemblyFormat = "attr-dict";
}

def Triton_GridDependencyLaunchDependentsOp
    : Triton_Op<"grid_dependency_launch_dependents"> {
  let summary = "Lets the next launch start early; a hint.";
  let assemblyFormat = "attr-dict";
}

#endif  // QUERN_COMPILER_DIALECT_TRITON_MEMORY_OPS_TD_
