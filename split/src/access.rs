//! Which operators read or write memory.

use wasmparser::Operator;

/// The constant that a load or store adds to its address.
#[must_use]
pub fn access(operator: &Operator<'_>) -> Option<i32> {
    load(operator).map(|(offset, _)| offset).or_else(|| store(operator))
}

/// The constant that a load adds to its address, and how many bytes it reads at most.
#[must_use]
pub fn load(operator: &Operator<'_>) -> Option<(i32, i32)> {
    use Operator as O;
    let (O::I32Load { memarg }
    | O::I64Load { memarg }
    | O::F32Load { memarg }
    | O::F64Load { memarg }
    | O::I32Load8S { memarg }
    | O::I32Load8U { memarg }
    | O::I32Load16S { memarg }
    | O::I32Load16U { memarg }
    | O::I64Load8S { memarg }
    | O::I64Load8U { memarg }
    | O::I64Load16S { memarg }
    | O::I64Load16U { memarg }
    | O::I64Load32S { memarg }
    | O::I64Load32U { memarg }) = operator
    else {
        return None;
    };
    let bytes = if matches!(operator, O::I64Load { .. } | O::F64Load { .. }) { 8 } else { 4 };
    Some((offset(memarg.offset), bytes))
}

fn store(operator: &Operator<'_>) -> Option<i32> {
    use Operator as O;
    let (O::I32Store { memarg }
    | O::I64Store { memarg }
    | O::F32Store { memarg }
    | O::F64Store { memarg }
    | O::I32Store8 { memarg }
    | O::I32Store16 { memarg }
    | O::I64Store8 { memarg }
    | O::I64Store16 { memarg }
    | O::I64Store32 { memarg }) = operator
    else {
        return None;
    };
    Some(offset(memarg.offset))
}

/// A memory of 32 bits has no larger offsets.
fn offset(offset: u64) -> i32 {
    u32::try_from(offset).expect("an offset in a memory of 32 bits").cast_signed()
}
