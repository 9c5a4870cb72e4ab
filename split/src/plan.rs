//! Where each function goes, and by what number it is called there.
//!
//! Owns the decision; knows nothing of data and of how a module is written.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::Operator;

use crate::module::{Error, Module, index, unsupported};

/// What a function's code mentions.
#[derive(Debug, Default)]
pub struct Uses {
    /// Functions that it calls by number.
    pub calls: BTreeSet<u32>,
    /// Numbers that may be addresses of data.
    pub addresses: BTreeSet<Address>,
}

/// A number in code that may be the address of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The number.
    pub value: u32,
    /// Whether something is added to it before it is used: then the data may begin a little behind it.
    pub indexed: bool,
}

/// What the code of each defined function mentions, in order of their numbers.
///
/// # Errors
///
/// When code cannot be read or does what this tool does not handle.
pub fn uses(module: &Module<'_>) -> Result<Vec<Uses>, Error> {
    module
        .bodies
        .iter()
        .map(|body| {
            let operators: Vec<Operator<'_>> =
                body.get_operators_reader()?.into_iter().collect::<Result<_, _>>()?;
            let mut uses = Uses::default();
            for (at, operator) in operators.iter().enumerate() {
                uses.note(operator, &operators[at + 1..])?;
            }
            Ok(uses)
        })
        .collect()
}

impl Uses {
    fn note(&mut self, operator: &Operator<'_>, next: &[Operator<'_>]) -> Result<(), Error> {
        match operator {
            Operator::Call { function_index } => {
                self.calls.insert(*function_index);
            }
            Operator::I32Const { value } => {
                let indexed = match next {
                    [Operator::I32Add | Operator::LocalSet { .. } | Operator::LocalTee { .. }, ..] => true,
                    [_, Operator::I32Add, ..] => true,
                    _ => false,
                };
                self.addresses.insert(Address { value: value.cast_unsigned(), indexed });
            }
            Operator::RefFunc { .. } | Operator::ReturnCall { .. } => {
                return unsupported("tail calls or references to functions in code");
            }
            Operator::MemoryInit { .. } | Operator::DataDrop { .. } | Operator::TableInit { .. } => {
                return unsupported("data or elements that code places");
            }
            other => {
                if let Some(value) = offset(other) {
                    self.addresses.insert(Address { value, indexed: true });
                }
            }
        }
        Ok(())
    }
}

/// The constant that a load or store adds to its address: where the base is an index, it is the address.
fn offset(operator: &Operator<'_>) -> Option<u32> {
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
    | O::I64Load32U { memarg }
    | O::I32Store { memarg }
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
    u32::try_from(memarg.offset).ok()
}

/// Where each function goes.
#[derive(Debug)]
pub struct Plan {
    /// Defined functions of the first part, in order.
    pub kept: Vec<u32>,
    /// Functions of the second part, in order.
    pub moved: Vec<u32>,
    /// Moved functions that the first part can call: each has a stub there.
    pub stubs: Vec<u32>,
    /// The place in the function table of each function that the other part can call.
    pub places: BTreeMap<u32, u32>,
    /// What the function table holds before the second part is there: stubs stand for moved functions.
    pub filled: BTreeMap<u32, u32>,
    /// How many places the function table has.
    pub table_size: u64,
    first: BTreeMap<u32, u32>,
    second: BTreeMap<u32, u32>,
}

impl Plan {
    /// Keeps `needed` in the first part and moves everything else.
    ///
    /// # Errors
    ///
    /// When there is no table of functions.
    pub fn new(module: &Module<'_>, uses: &[Uses], needed: &BTreeSet<u32>) -> Result<Self, Error> {
        let imported = module.imported();
        let (kept, moved): (Vec<u32>, Vec<u32>) =
            module.defined().map(|(function, _)| function).partition(|function| needed.contains(function));
        let is_moved: BTreeSet<u32> = moved.iter().copied().collect();
        let calls = |functions: &[u32]| -> BTreeSet<u32> {
            functions.iter().flat_map(|function| &uses[(function - imported) as usize].calls).copied().collect()
        };
        let exported = module
            .exports
            .iter()
            .filter(|export| export.kind == wasmparser::ExternalKind::Func)
            .map(|export| export.index);
        let mut wanted: BTreeSet<u32> = calls(&kept);
        wanted.extend(exported);
        wanted.extend(module.slots.values());
        let stubs: Vec<u32> = moved.iter().copied().filter(|function| wanted.contains(function)).collect();
        let called_back = calls(&moved).into_iter().filter(|function| !is_moved.contains(function));

        let mut filled = module.slots.clone();
        let mut places: BTreeMap<u32, u32> =
            module.slots.iter().rev().map(|(place, function)| (*function, *place)).collect();
        let Some(table) = module.tables.get(module.function_table as usize) else {
            return unsupported("no table of functions");
        };
        let mut table_size = table.ty.initial;
        let mut next = || {
            let place = u32::try_from(table_size).expect("a table counts in 32 bits");
            table_size += 1;
            place
        };
        for function in called_back {
            let place = *places.entry(function).or_insert_with(&mut next);
            filled.insert(place, function);
        }
        for function in &stubs {
            // Nobody calls these by their new places before the second part has filled them.
            places.entry(*function).or_insert_with(&mut next);
        }
        let stub_base = imported + 1 + index(kept.len());
        let first = (0..imported)
            .map(|function| (function, function))
            .chain(kept.iter().copied().zip(imported + 1..))
            .chain(stubs.iter().copied().zip(stub_base..))
            .collect();
        let second = moved.iter().copied().zip(0..).collect();
        Ok(Self { kept, moved, stubs, places, filled, table_size, first, second })
    }

    /// The number of [`crate::LOAD`] in the first part: it follows the other imports.
    #[must_use]
    pub fn load(module: &Module<'_>) -> u32 {
        module.imported()
    }

    /// The number in the first part of the function that makes sure of the second part: it follows the stubs.
    #[must_use]
    pub fn ensure(&self, module: &Module<'_>) -> u32 {
        module.imported() + 1 + index(self.kept.len() + self.stubs.len())
    }

    /// By what number the first part calls a function, by its stub if it was moved.
    #[must_use]
    pub fn in_first(&self, function: u32) -> Option<u32> {
        self.first.get(&function).copied()
    }

    /// By what number the second part calls a function; none if it goes through the table.
    #[must_use]
    pub fn in_second(&self, function: u32) -> Option<u32> {
        self.second.get(&function).copied()
    }
}
