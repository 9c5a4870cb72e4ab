//! Writes the two parts.

use std::borrow::Cow;

use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction, MemorySection,
    StartSection, TableSection, TableType, TypeSection, ValType,
};
use wasmparser::{FunctionBody, Operator};

use crate::data::{Placement, Run};
use crate::module::{Error, Module, index};
use crate::plan::Plan;
use crate::{FIRST, LOAD, PAGE};

/// The first part.
///
/// # Errors
///
/// See [`Error`].
pub fn first(module: &Module<'_>, plan: &Plan, data: &Placement) -> Result<Vec<u8>, Error> {
    let imported = module.imported();
    let mut imports = ImportSection::new();
    for import in &module.imports {
        imports.import(import.module, import.name, RoundtripReencoder.entity_type(import.ty)?);
    }
    imports.import(PAGE, LOAD, EntityType::Function(plain(module)));

    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for function in &plan.kept {
        functions.function(module.signatures[*function as usize]);
        let body = &module.bodies[(function - imported) as usize];
        code.function(&copy(body, |function| match plan.in_first(function) {
            Some(number) => Callee::Direct(number),
            None => Callee::Place(Place {
                before: Some(plan.ensure(module)),
                ..Place::of(module, plan, function)
            }),
        })?);
    }
    for function in &plan.stubs {
        functions.function(module.signatures[*function as usize]);
        code.function(&stub(module, plan, *function));
    }
    functions.function(plain(module));
    code.function(&ensure(module));

    let mut tables = TableSection::new();
    for table in table_types(module, plan)? {
        tables.table(table);
    }
    let mut memories = MemorySection::new();
    for memory in &module.memories {
        memories.memory(RoundtripReencoder.memory_type(*memory)?);
    }
    let mut globals = GlobalSection::new();
    for global in &module.globals {
        globals.global(
            RoundtripReencoder.global_type(global.ty)?,
            &RoundtripReencoder.const_expr(global.init_expr.clone())?,
        );
    }
    globals.global(WHOLE, &ConstExpr::i32_const(0));

    let mut exports = ExportSection::new();
    for export in &module.exports {
        let number = match export.kind {
            wasmparser::ExternalKind::Func => plan.in_first(export.index).expect("a stub stands for it"),
            _ => export.index,
        };
        exports.export(export.name, RoundtripReencoder.export_kind(export.kind)?, number);
    }
    for (name, kind, number, _) in shared(module, plan)? {
        exports.export(&name, kind, number);
    }

    let filled = plan
        .filled
        .iter()
        .map(|(place, function)| (*place, plan.in_first(*function).expect("a stub stands for it")));
    let mut out = wasm_encoder::Module::new();
    out.section(&types(module)?)
        .section(&imports)
        .section(&functions)
        .section(&tables)
        .section(&memories)
        .section(&globals)
        .section(&exports)
        .section(&elements(module, filled))
        .section(&code)
        .section(&data_section(&data.first));
    Ok(out.finish())
}

/// The second part.
///
/// # Errors
///
/// See [`Error`].
pub fn second(module: &Module<'_>, plan: &Plan, data: &Placement) -> Result<Vec<u8>, Error> {
    let imported = module.imported();
    let mut imports = ImportSection::new();
    for (name, _, _, kind) in shared(module, plan)? {
        imports.import(FIRST, &name, kind);
    }
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for function in &plan.moved {
        functions.function(module.signatures[*function as usize]);
        let body = &module.bodies[(function - imported) as usize];
        code.function(&copy(body, |function| match plan.in_second(function) {
            Some(number) => Callee::Direct(number),
            None => Callee::Place(Place::of(module, plan, function)),
        })?);
    }
    // Runs when everything is in its place.
    functions.function(plain(module));
    let mut arrived = Function::new([]);
    arrived.instructions().i32_const(1).global_set(whole(module)).end();
    code.function(&arrived);

    let filled = plan.far.iter().flat_map(|function| {
        let number = plan.in_second(*function).expect("it was moved");
        let own = plan.places[function];
        let more = module.slots.iter().filter(move |(_, held)| *held == function).map(|(place, _)| *place);
        std::iter::once(own).chain(more).map(move |place| (place, number))
    });
    let mut filled: Vec<(u32, u32)> = filled.collect();
    filled.sort_unstable();
    filled.dedup();
    let mut out = wasm_encoder::Module::new();
    out.section(&types(module)?)
        .section(&imports)
        .section(&functions)
        .section(&StartSection { function_index: index(plan.moved.len()) })
        .section(&elements(module, filled.into_iter()))
        .section(&code)
        .section(&data_section(&data.second));
    Ok(out.finish())
}

/// The global of the first part that says whether the second is there.
const WHOLE: GlobalType = GlobalType { val_type: ValType::I32, mutable: true, shared: false };

fn whole(module: &Module<'_>) -> u32 {
    index(module.globals.len())
}

/// The type of a function without arguments and results; it follows the module's own types.
fn plain(module: &Module<'_>) -> u32 {
    index(module.types.len())
}

fn types(module: &Module<'_>) -> Result<TypeSection, Error> {
    let mut types = TypeSection::new();
    for ty in &module.types {
        types.ty().func_type(&RoundtripReencoder.func_type(ty.clone())?);
    }
    types.ty().function([], []);
    Ok(types)
}

fn table_types(module: &Module<'_>, plan: &Plan) -> Result<Vec<TableType>, Error> {
    let mut types = Vec::new();
    for (number, table) in (0..).zip(&module.tables) {
        let mut ty = RoundtripReencoder.table_type(table.ty)?;
        if number == module.function_table {
            ty.minimum = plan.table_size;
            ty.maximum = ty.maximum.map(|most| most.max(plan.table_size));
        }
        types.push(ty);
    }
    Ok(types)
}

/// What both parts share besides functions: name, kind, number in both, type. Numbers are the same in both,
/// because the second part imports all of them in order.
fn shared(module: &Module<'_>, plan: &Plan) -> Result<Vec<(String, ExportKind, u32, EntityType)>, Error> {
    let mut shared = Vec::new();
    for (number, table) in (0..).zip(table_types(module, plan)?) {
        shared.push((format!("t{number}"), ExportKind::Table, number, EntityType::Table(table)));
    }
    for (number, memory) in (0..).zip(&module.memories) {
        let memory = RoundtripReencoder.memory_type(*memory)?;
        shared.push((format!("m{number}"), ExportKind::Memory, number, EntityType::Memory(memory)));
    }
    for (number, global) in (0..).zip(&module.globals) {
        let global = RoundtripReencoder.global_type(global.ty)?;
        shared.push((format!("g{number}"), ExportKind::Global, number, EntityType::Global(global)));
    }
    let number = whole(module);
    shared.push((format!("g{number}"), ExportKind::Global, number, EntityType::Global(WHOLE)));
    Ok(shared)
}

/// How a function is called.
enum Callee {
    /// By its number.
    Direct(u32),
    /// By its place in the table.
    Place(Place),
}

struct Place {
    /// A function that is called before.
    before: Option<u32>,
    place: u32,
    signature: u32,
    table: u32,
}

impl Place {
    fn of(module: &Module<'_>, plan: &Plan, function: u32) -> Self {
        Self {
            before: None,
            place: plan.places[&function],
            signature: module.signatures[function as usize],
            table: module.function_table,
        }
    }
}

/// Copies a function with its calls changed.
fn copy(body: &FunctionBody<'_>, callee: impl Fn(u32) -> Callee) -> Result<Function, Error> {
    let mut copy = RoundtripReencoder.new_function_with_parsed_locals(body)?;
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        match operators.read()? {
            Operator::Call { function_index } => match callee(function_index) {
                Callee::Direct(number) => {
                    copy.instruction(&Instruction::Call(number));
                }
                Callee::Place(Place { before, place, signature, table }) => {
                    if let Some(before) = before {
                        copy.instruction(&Instruction::Call(before));
                    }
                    copy.instructions().i32_const(place.cast_signed()).call_indirect(table, signature);
                }
            },
            other => {
                copy.instruction(&RoundtripReencoder.instruction(other)?);
            }
        }
    }
    Ok(copy)
}

/// Stands for a moved function in the first part: makes sure that it is there, and calls it.
fn stub(module: &Module<'_>, plan: &Plan, function: u32) -> Function {
    let mut stub = Function::new([]);
    let mut code = stub.instructions();
    code.call(plan.ensure(module));
    for parameter in 0..index(module.signature(function).params().len()) {
        code.local_get(parameter);
    }
    code.i32_const(plan.places[&function].cast_signed())
        .call_indirect(module.function_table, module.signatures[function as usize])
        .end();
    stub
}

/// Has the second part loaded unless it is there.
fn ensure(module: &Module<'_>) -> Function {
    let mut ensure = Function::new([]);
    ensure
        .instructions()
        .global_get(whole(module))
        .i32_eqz()
        .if_(wasm_encoder::BlockType::Empty)
        .call(Plan::load(module))
        .end()
        .end();
    ensure
}

/// Elements from places and functions, in order of the places; neighbours are one segment.
fn elements(module: &Module<'_>, filled: impl Iterator<Item = (u32, u32)>) -> ElementSection {
    let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (place, function) in filled {
        match runs.last_mut() {
            Some((start, functions)) if *start + index(functions.len()) == place => functions.push(function),
            _ => runs.push((place, vec![function])),
        }
    }
    let table = Some(module.function_table).filter(|table| *table != 0);
    let mut elements = ElementSection::new();
    for (place, functions) in runs {
        let offset = ConstExpr::i32_const(place.cast_signed());
        elements.active(table, &offset, Elements::Functions(Cow::Owned(functions)));
    }
    elements
}

fn data_section(runs: &[Run]) -> DataSection {
    let mut data = DataSection::new();
    for run in runs {
        let offset = ConstExpr::i32_const(run.start.cast_signed());
        data.active(0, &offset, run.bytes.iter().copied());
    }
    data
}
