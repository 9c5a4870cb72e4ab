//! Where each function goes, and by what number it is called there.
//!
//! Owns the decision; knows nothing of data and of how a module is written.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::Operator;

use crate::access::access;
use crate::module::{Error, Module, index, unsupported};

/// What a function's code mentions.
#[derive(Debug, Default)]
pub struct Uses {
    /// Functions that it calls by number, and how often they stand in its code.
    pub calls: BTreeMap<u32, u32>,
    /// Numbers that may be addresses of data.
    pub addresses: BTreeSet<u32>,
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
            let mut uses = Uses::default();
            for operator in body.get_operators_reader()? {
                uses.note(&operator?)?;
            }
            Ok(uses)
        })
        .collect()
}

impl Uses {
    fn note(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        match operator {
            Operator::Call { function_index } => {
                *self.calls.entry(*function_index).or_default() += 1;
            }
            Operator::I32Const { value } => {
                self.addresses.insert(value.cast_unsigned());
            }
            Operator::I64Const { value } => {
                // A pointer and a length, stored at once.
                let [b0, b1, b2, b3, b4, b5, b6, b7] = value.to_le_bytes();
                self.addresses.insert(u32::from_le_bytes([b0, b1, b2, b3]));
                self.addresses.insert(u32::from_le_bytes([b4, b5, b6, b7]));
            }
            Operator::RefFunc { .. } | Operator::ReturnCall { .. } => {
                return unsupported("tail calls or references to functions in code");
            }
            Operator::MemoryInit { .. } | Operator::DataDrop { .. } | Operator::TableInit { .. } => {
                return unsupported("data or elements that code places");
            }
            // Where the base is an index, the constant that is added to it is the address.
            other => self.addresses.extend(access(other).map(|offset| offset.cast_unsigned())),
        }
        Ok(())
    }
}

/// Where each function goes.
#[derive(Debug)]
pub struct Plan {
    /// Defined functions of the first part, in order.
    pub kept: Vec<u32>,
    /// Functions of the second part, in order.
    pub moved: Vec<u32>,
    /// Moved functions that the first part can call.
    pub far: Vec<u32>,
    /// Those of them that have a stub in the first part. What is called from one place alone has none: the
    /// call does what a stub would.
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
        let calls = |functions: &[u32]| {
            let mut calls: BTreeMap<u32, u32> = BTreeMap::new();
            for function in functions {
                for (called, times) in &uses[(function - imported) as usize].calls {
                    *calls.entry(*called).or_default() += times;
                }
            }
            calls
        };
        let exported = module
            .exports
            .iter()
            .filter(|export| export.kind == wasmparser::ExternalKind::Func)
            .map(|export| export.index);
        let named: BTreeSet<u32> = exported.chain(module.slots.values().copied()).collect();
        let called = calls(&kept);
        let far: Vec<u32> = moved
            .iter()
            .copied()
            .filter(|function| named.contains(function) || called.contains_key(function))
            .collect();
        let stubs: Vec<u32> = far
            .iter()
            .copied()
            .filter(|function| {
                named.contains(function) || called.get(function).is_some_and(|times| *times > 1)
            })
            .collect();
        let called_back = calls(&moved).into_keys().filter(|function| !is_moved.contains(function));

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
        for function in &far {
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
        Ok(Self { kept, moved, far, stubs, places, filled, table_size, first, second })
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

    /// By what number the first part calls a function, by its stub if it was moved; none if it has no stub.
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
