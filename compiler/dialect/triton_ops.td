// The `tt` dialect: values, shapes, arithmetic, reductions and functions.
#ifndef QUERN_COMPILER_DIALECT_TRITON_OPS_TD_
#define QUERN_COMPILER_DIALECT_TRITON_OPS_TD_

include "compiler/dialect/triton_base.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/CallInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// ---- Functions -------------------------------------------------------------

def Triton_FuncOp : Triton_Op<"func", [
    AffineScope, AutomaticAllocationScope, FunctionOpInterface,
    IsolatedFromAbove]> {
  let summary = "A kernel, or a function that a kernel calls.";
  let arguments = (ins SymbolNameAttr:$sym_name,
    TypeAttrOf<FunctionType>:$function_type,
    OptionalAttr<StrAttr>:$sym_visibility,
    OptionalAttr<DictArrayAttr>:$arg_attrs,
    OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region AnyRegion:$body);
  let extraClassDeclaration = [{
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() {
      return getFunctionType().getInputs();
    }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() {
      return getFunctionType().getResults();
    }
  }];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Triton_CallOp : Triton_Op<"call", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls a function that the kernel's author kept apart.";
  let arguments = (ins FlatSymbolRefAttr:$callee,
    Variadic<Triton_AnyValue>:$operands);
  let results = (outs Variadic<Triton_AnyValue>);
  let assemblyFormat = [{
    $callee `(` $operands `)` attr-dict `:` functional-type($operands, results)
  }];
}

def Triton_ReturnOp : Triton_Op<"return", [
    Pure, HasParent<"FuncOp">, ReturnLike, Terminator]> {
  let summary = "Ends a function.";
  let arguments = (ins Variadic<Triton_AnyValue>:$srcs);
  let assemblyFormat = "attr-dict ($srcs^ `:` type($srcs))?";
}

// ---- Programs, ranges, shapes ----------------------------------------------

def Triton_GetProgramIdOp : Triton_Op<"get_program_id", [Pure]> {
  let summary = "The program's place on an axis of the grid.";
  let arguments = (ins Triton_Axis:$axis);
  let results = (outs I32:$result);
  let assemblyFormat = "$axis attr-dict `:` type($result)";
}

def Triton_GetNumProgramsOp : Triton_Op<"get_num_programs", [Pure]> {
  let summary = "The grid's size along an axis.";
  let arguments = (ins Triton_Axis:$axis);
  let results = (outs I32:$result);
  let assemblyFormat = "$axis attr-dict `:` type($result)";
}

def Triton_MakeRangeOp : Triton_Op<"make_range", [Pure]> {
  let summary = "The integers from `start` to before `end`.";
  let arguments = (ins I32Attr:$start, I32Attr:$end);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Triton_SplatOp : Triton_Op<"splat", [Pure]> {
  let summary = "A tensor whose elements are all one scalar.";
  let arguments = (ins Triton_Scalar:$src);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasVerifier = 1;
}

def Triton_UnsplatOp : Triton_Op<"unsplat", [Pure,
    TypesMatchWith<"result is the operand's element", "src", "result",
      "::mlir::getElementTypeOrSelf($_self)">]> {
  let summary = "The element of a tensor that has just one.";
  let arguments = (ins Triton_Tensor:$src);
  let results = (outs Triton_Scalar:$result);
  let assemblyFormat = "$src attr-dict `:` type($src)";
  let hasVerifier = 1;
}

def Triton_ExpandDimsOp : Triton_Op<"expand_dims", [Pure]> {
  let summary = "Adds a dimension of size one.";
  let arguments = (ins Triton_Tensor:$src, I32Attr:$axis);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasVerifier = 1;
}

def Triton_BroadcastOp : Triton_Op<"broadcast", [Pure]> {
  let summary = "Repeats a tensor along its dimensions of size one.";
  let arguments = (ins Triton_Tensor:$src);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasVerifier = 1;
}

def Triton_ReshapeOp : Triton_Op<"reshape", [Pure]> {
  let summary = "The same elements under another shape, row-major.";
  let arguments = (ins Triton_Tensor:$src, UnitAttr:$allow_reorder,
    UnitAttr:$efficient_layout);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = [{
    $src (`allow_reorder` $allow_reorder^)?
    (`efficient_layout` $efficient_layout^)?
    attr-dict `:` type($src) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Triton_TransOp : Triton_Op<"trans", [Pure]> {
  let summary = "Permutes dimensions: result dimension i is source order[i].";
  let arguments = (ins Triton_Tensor:$src, DenseI32ArrayAttr:$order);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasVerifier = 1;
}

def Triton_CatOp : Triton_Op<"cat", [Pure, SameTypeOperands]> {
  let summary = "The elements of two tensors, in an order left open.";
  let arguments = (ins Triton_Tensor:$lhs, Triton_Tensor:$rhs);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Triton_JoinOp : Triton_Op<"join", [Pure, SameTypeOperands]> {
  let summary = "Two tensors along a new last dimension.";
  let arguments = (ins Triton_Tensor:$lhs, Triton_Tensor:$rhs);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Triton_SplitOp : Triton_Op<"split", [Pure,
    TypesMatchWith<"both results have one type", "outLhs", "outRhs",
      "$_self">]> {
  let summary = "The two halves along a last dimension of two.";
  let arguments = (ins Triton_Tensor:$src);
  let results = (outs Triton_Tensor:$outLhs, Triton_Tensor:$outRhs);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($outLhs)";
  let hasVerifier = 1;
}

// ---- Elementwise -----------------------------------------------------------

def Triton_IntToPtrOp : Triton_Op<"int_to_ptr", [Pure, SameOperandsAndResultShape]> {
  let summary = "An address from its number.";
  let arguments = (ins Triton_IntLike:$src);
  let results = (outs Triton_PointerLike:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
}

def Triton_PtrToIntOp : Triton_Op<"ptr_to_int", [Pure, SameOperandsAndResultShape]> {
  let summary = "The number of an address.";
  let arguments = (ins Triton_PointerLike:$src);
  let results = (outs Triton_IntLike:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
}

def Triton_BitcastOp : Triton_Op<"bitcast", [Pure, SameOperandsAndResultShape]> {
  let summary = "The same bits under another type.";
  let arguments = (ins Triton_Value:$src);
  let results = (outs Triton_Value:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasVerifier = 1;
}

def Triton_AddPtrOp : Triton_Op<"addptr", [Pure,
    SameOperandsAndResultShape,
    TypesMatchWith<"result is of the pointer's type", "result", "ptr",
      "$_self">]> {
  let summary = "An address `offset` elements further; the offset is signed.";
  let arguments = (ins Triton_PointerLike:$ptr, Triton_IntLike:$offset);
  let results = (outs Triton_PointerLike:$result);
  let assemblyFormat = [{
    $ptr `,` $offset attr-dict `:` type($result) `,` type($offset)
  }];
}

def Triton_FpToFpOp : Triton_Op<"fp_to_fp", [Pure, SameOperandsAndResultShape]> {
  let summary = "A float in another format.";
  let arguments = (ins Triton_FloatLike:$src,
    OptionalAttr<Triton_Rounding>:$rounding);
  let results = (outs Triton_FloatLike:$result);
  let assemblyFormat = [{
    $src attr-dict (`,` `rounding` `=` $rounding^)? `:` type($src) `->`
    type($result)
  }];
}

def Triton_ClampFOp : Triton_Op<"clampf", [Pure, SameOperandsAndResultType]> {
  let summary = "A float limited to [min, max].";
  let arguments = (ins Triton_FloatLike:$x, Triton_FloatLike:$min,
    Triton_FloatLike:$max, Triton_PropagateNan:$propagateNan);
  let results = (outs Triton_FloatLike:$result);
  let assemblyFormat = [{
    $x `,` $min `,` $max `,` `propagateNan` `=` $propagateNan attr-dict `:`
    type($result)
  }];
}

def Triton_PreciseSqrtOp : Triton_Op<"precise_sqrt", [Pure, SameOperandsAndResultType]> {
  let summary = "The correctly rounded square root.";
  let arguments = (ins Triton_FloatLike:$x);
  let results = (outs Triton_FloatLike:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

def Triton_PreciseDivFOp : Triton_Op<"precise_divf", [Pure, SameOperandsAndResultType]> {
  let summary = "The correctly rounded quotient.";
  let arguments = (ins Triton_FloatLike:$x, Triton_FloatLike:$y);
  let results = (outs Triton_FloatLike:$result);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x)";
}

def Triton_MulhiUIOp : Triton_Op<"mulhiui", [Pure, SameOperandsAndResultType]> {
  let summary = "The upper half of an unsigned product.";
  let arguments = (ins Triton_IntLike:$x, Triton_IntLike:$y);
  let results = (outs Triton_IntLike:$result);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x)";
}

def Triton_ExternElementwiseOp : Triton_Op<"extern_elementwise"> {
  let summary = "A function of a device library, by name.";
  let arguments = (ins Variadic<Triton_Value>:$srcs, StrAttr:$libname,
    StrAttr:$libpath, StrAttr:$symbol, BoolAttr:$pure);
  let results = (outs Triton_Value:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, $result)";
}

def Triton_ElementwiseInlineAsmOp : Triton_Op<"elementwise_inline_asm"> {
  let summary = "Assembly of a GPU, applied to packs of elements.";
  let arguments = (ins StrAttr:$asm_string, StrAttr:$constraints,
    BoolAttr:$pure, I32Attr:$packed_element, Variadic<Triton_Value>:$args);
  let results = (outs Variadic<Triton_Value>:$result);
  let assemblyFormat = [{
    $asm_string attr-dict ($args^ `:` type($args))? `->` type($result)
  }];
}

def Triton_MapElementwiseOp : Triton_Op<"map_elementwise"> {
  let summary = "Scalar code applied to packs of elements.";
  let arguments = (ins Variadic<Triton_Tensor>:$srcs, I32Attr:$pack);
  let results = (outs Variadic<Triton_Tensor>:$result);
  let regions = (region AnyRegion:$scalarOp);
}

def Triton_MapElementwiseReturnOp : Triton_Op<"map_elementwise.return", [
    Pure, HasParent<"MapElementwiseOp">, ReturnLike, Terminator]> {
  let summary = "The results of `tt.map_elementwise` for one pack.";
  let arguments = (ins Variadic<AnyType>:$result);
  let assemblyFormat = "attr-dict ($result^ `:` type($result))?";
}

// ---- Contractions ----------------------------------------------------------

def Triton_DotOp : Triton_Op<"dot", [Pure,
    TypesMatchWith<"accumulator is of the result's type", "d", "c",
      "$_self">]> {
  let summary = "a x b + c, of matrices or of equally many matrices.";
  let arguments = (ins Triton_Tensor:$a, Triton_Tensor:$b, Triton_Tensor:$c,
    DefaultValuedAttr<Triton_InputPrecision, "InputPrecision::kIeee">
      :$inputPrecision,
    DefaultValuedAttr<I32Attr, "0">:$maxNumImpreciseAcc);
  let results = (outs Triton_Tensor:$d);
  let assemblyFormat = [{
    $a `,` $b `,` $c (`,` `inputPrecision` `=` $inputPrecision^)? attr-dict `:`
    type($a) `*` type($b) `->` type($d)
  }];
  let hasVerifier = 1;
}

def Triton_DotScaledOp : Triton_Op<"dot_scaled", [Pure, AttrSizedOperandSegments,
    TypesMatchWith<"accumulator is of the result's type", "d", "c",
      "$_self">]> {
  let summary = "A dot of narrow floats that share scales.";
  let arguments = (ins Triton_Tensor:$a, Triton_Tensor:$b, Triton_Tensor:$c,
    Optional<Triton_Tensor>:$a_scale, Optional<Triton_Tensor>:$b_scale,
    Triton_ScaledElement:$a_elem_type, Triton_ScaledElement:$b_elem_type,
    BoolAttr:$fastMath, DefaultValuedAttr<BoolAttr, "true">:$lhs_k_pack,
    DefaultValuedAttr<BoolAttr, "true">:$rhs_k_pack);
  let results = (outs Triton_Tensor:$d);
  let assemblyFormat = [{
    $a (`scale` $a_scale^)? `,` $b (`scale` $b_scale^)? `,` $c
    `lhs` `=` $a_elem_type `rhs` `=` $b_elem_type attr-dict `:`
    type($a) (`,` type($a_scale)^)? `*` type($b) (`,` type($b_scale)^)?
    `->` type($d)
  }];
}

// ---- Along an axis ---------------------------------------------------------

def Triton_ReduceOp : Triton_Op<"reduce", [SingleBlock]> {
  let summary = "Combines the elements along an axis, in an order left open.";
  let arguments = (ins Variadic<Triton_Tensor>:$srcs, I32Attr:$axis);
  let results = (outs Variadic<Triton_Value>:$result);
  let regions = (region SizedRegion<1>:$combineOp);
  let hasVerifier = 1;
}

def Triton_ReduceReturnOp : Triton_Op<"reduce.return", [
    Pure, HasParent<"ReduceOp">, ReturnLike, Terminator]> {
  let summary = "The combination of two elements.";
  let arguments = (ins Variadic<AnyType>:$result);
  let assemblyFormat = "$result attr-dict `:` type($result)";
}

def Triton_ScanOp : Triton_Op<"scan", [SingleBlock]> {
  let summary = "Combines each element with all before it along an axis.";
  let arguments = (ins Variadic<Triton_Tensor>:$srcs, I32Attr:$axis,
    DefaultValuedAttr<BoolAttr, "false">:$reverse);
  let results = (outs Variadic<Triton_Tensor>:$result);
  let regions = (region SizedRegion<1>:$combineOp);
  let hasVerifier = 1;
}

def Triton_ScanReturnOp : Triton_Op<"scan.return", [
    Pure, HasParent<"ScanOp">, ReturnLike, Terminator]> {
  let summary = "The combination of two elements.";
  let arguments = (ins Variadic<AnyType>:$result);
  let assemblyFormat = "$result attr-dict `:` type($result)";
}

def Triton_HistogramOp : Triton_Op<"histogram", [Pure,
    TypesMatchWith<"mask has the source's shape", "src", "mask",
      "::quern::tt::BoolLike($_self)",
      "!::llvm::cast<HistogramOp>($_op).getMask() || std::equal_to<>()">]> {
  let summary = "How often each integer below the result's size occurs.";
  let arguments = (ins Triton_Tensor:$src, Optional<Triton_BoolLike>:$mask);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = [{
    $src (`,` $mask^)? attr-dict `:` type($src) `->` type($result)
  }];
}

def Triton_GatherOp : Triton_Op<"gather", [Pure]> {
  let summary = "Elements picked along an axis by index.";
  let arguments = (ins Triton_Tensor:$src, Triton_Tensor:$indices,
    I32Attr:$axis, UnitAttr:$efficient_layout);
  let results = (outs Triton_Tensor:$result);
  let assemblyFormat = [{
    $src `[` $indices `]` attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif  // QUERN_COMPILER_DIALECT_TRITON_OPS_TD_
