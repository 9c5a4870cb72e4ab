//! Moves the parts of functions that did not run into functions of their own.
//!
//! A tail (see [`crate::cold`]) becomes a function that takes the operands and locals that the tail needs,
//! and gives back the value that leaves it, the locals that it sets, and a number that says by which way
//! control left; the old function calls it and goes that way. The module does the same as before, and
//! [`crate::split`] can move what did not run.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode, RoundtripReencoder, utils};
use wasm_encoder::{BlockType, CodeSection, Function, FunctionSection, Instruction, TypeSection, ValType};
use wasmparser::{FuncValidatorAllocations, Operator, Parser, ValidPayload, Validator};

use crate::cold::{Code, Tail, Wanted, Way, is_point, tails};
use crate::module::{Error, Module, index};

/// How many bytes a tail must have beyond the call that takes its place: less would make both parts larger,
/// as the tail's function has a place in the table and a type.
pub const LEAST_BYTES: u64 = 32;

/// A module whose functions were relieved of what did not run.
#[derive(Debug)]
pub struct Outlined {
    /// The module.
    pub module: Vec<u8>,
    /// The functions of it that ran.
    pub ran: BTreeSet<u32>,
}

/// Moves what did not run out of the functions that did. `ran` holds the points that were passed, by the
/// numbers of [`crate::record`]; `least` is as [`LEAST_BYTES`].
///
/// # Errors
///
/// See [`Error`].
pub fn outline(module: &[u8], ran: &BTreeSet<u32>, least: u64) -> Result<Outlined, Error> {
    let read = Module::read(module)?;
    let mut outliner = Outliner::new(&read, least);
    let mut kept = BTreeSet::new();
    let mut validator = Validator::new();
    let mut allocations = FuncValidatorAllocations::default();
    let mut point = 0;
    for payload in Parser::new(0).parse_all(module) {
        let ValidPayload::Func(to_validate, body) = validator.payload(&payload?)? else { continue };
        let number = to_validate.index;
        let mut checked = to_validate.into_validator(allocations);
        let code = Code::read(&body)?;
        checked.read_locals(&mut body.get_binary_reader())?;
        let locals = locals(&read, number, &body)?;
        let first = point;
        point += 1 + index(code.operators[..code.operators.len() - 1].iter().filter(|o| is_point(o)).count());
        if ran.contains(&first) {
            kept.insert(number);
            let results = read.signature(number).results();
            let found = tails(&code, &read.types, results, checked, Wanted { ran, first, least })?;
            outliner.function(&code, &locals, read.signature(number).params().len(), found)?;
        } else {
            outliner.bodies.push(None);
        }
        allocations = FuncValidatorAllocations::default();
    }
    let mut out = wasm_encoder::Module::new();
    utils::parse_core_module(&mut outliner, &mut out, Parser::new(0), module)?;
    Ok(Outlined { module: out.finish(), ran: kept })
}

/// The types of a function's locals, its parameters included.
fn locals(
    module: &Module<'_>,
    function: u32,
    body: &wasmparser::FunctionBody<'_>,
) -> Result<Vec<ValType>, Error> {
    let mut types = module.signature(function).params().to_vec();
    for local in body.get_locals_reader()? {
        let (count, ty) = local?;
        types.extend(std::iter::repeat_n(ty, count as usize));
    }
    types.into_iter().map(|ty| Ok(RoundtripReencoder.val_type(ty)?)).collect()
}

#[derive(Default)]
struct Outliner {
    /// The types of the module, then those of the new functions.
    types: BTreeMap<(Vec<ValType>, Vec<ValType>), u32>,
    added_types: Vec<(Vec<ValType>, Vec<ValType>)>,
    next_type: u32,
    next_function: u32,
    /// The changed bodies of the module's functions; none where a function stays as it is.
    bodies: Vec<Option<Function>>,
    added: Vec<(u32, Function)>,
    /// The function whose body is written next.
    written: usize,
    least: u64,
}

impl Outliner {
    fn new(module: &Module<'_>, least: u64) -> Self {
        Self {
            least,
            next_type: index(module.types.len()),
            next_function: index(module.signatures.len()),
            ..Self::default()
        }
    }

    fn type_of(&mut self, params: Vec<ValType>, results: Vec<ValType>) -> u32 {
        let key = (params, results);
        if let Some(number) = self.types.get(&key) {
            return *number;
        }
        let number = self.next_type;
        self.next_type += 1;
        self.added_types.push(key.clone());
        self.types.insert(key, number);
        number
    }

    /// Writes a function anew, without its tails.
    fn function(
        &mut self,
        code: &Code<'_>,
        locals: &[ValType],
        params: usize,
        mut tails: Vec<Tail>,
    ) -> Result<(), Error> {
        tails.retain(|tail| tail.size > self.least + cost(tail));
        if tails.is_empty() {
            self.bodies.push(None);
            return Ok(());
        }
        let mut all = locals.to_vec();
        let mut written: Vec<Instruction<'_>> = Vec::new();
        let mut at = 0;
        for tail in &tails {
            copy(&code.operators[at..tail.start], &mut written)?;
            self.tail(code, tail, &mut all, &mut written)?;
            at = tail.end;
        }
        copy(&code.operators[at..], &mut written)?;
        let mut function = Function::new_with_locals_types(all[params..].iter().copied());
        for instruction in &written {
            function.instruction(instruction);
        }
        self.bodies.push(Some(function));
        Ok(())
    }

    /// Makes a function of a tail, and writes its call.
    fn tail(
        &mut self,
        code: &Code<'_>,
        tail: &Tail,
        locals: &mut Vec<ValType>,
        out: &mut Vec<Instruction<'_>>,
    ) -> Result<(), Error> {
        let shape = Shape::new(tail, locals)?;
        let signature = self.type_of(shape.params.clone(), shape.results.clone());
        let number = self.next_function;
        self.next_function += 1;
        self.added.push((signature, shape.function(&code.operators[tail.start..tail.end], tail, locals)?));

        out.extend(tail.ins.iter().map(|local| Instruction::LocalGet(*local)));
        out.push(Instruction::Call(number));
        let mut fresh = |ty: ValType| {
            locals.push(ty);
            index(locals.len() - 1)
        };
        let several = tail.ways.len() > 1;
        let chosen = several.then(|| fresh(ValType::I32));
        out.extend(chosen.map(Instruction::LocalSet));
        out.extend(tail.outs.iter().rev().map(|local| Instruction::LocalSet(*local)));
        // With one way, its value just stays on the stack.
        let values: Vec<Option<u32>> =
            shape.values.iter().map(|ty| ty.filter(|_| several).map(&mut fresh)).collect();
        out.extend(values.iter().rev().flatten().map(|local| Instruction::LocalSet(*local)));
        for (position, (way, _)) in tail.ways.iter().enumerate().rev() {
            let value = values[position].map(Instruction::LocalGet);
            // The first way is the last to be asked for: nothing else is left then.
            if let Some(chosen) = chosen.filter(|_| position > 0) {
                out.push(Instruction::LocalGet(chosen));
                if position > 1 {
                    out.push(Instruction::I32Const(index(position).cast_signed()));
                    out.push(Instruction::I32Eq);
                }
                out.push(Instruction::If(BlockType::Empty));
                out.extend(value);
                go(*way, 1, out);
                out.push(Instruction::End);
            } else {
                out.extend(value);
                go(*way, 0, out);
            }
        }
        if tail.ways.is_empty() {
            out.push(Instruction::Unreachable);
        }
        Ok(())
    }
}

/// About how many bytes the call of a tail takes.
fn cost(tail: &Tail) -> u64 {
    let ways = if tail.ways.len() > 1 { 2 + 6 * tail.ways.len() } else { 1 };
    (8 + 2 * (tail.ins.len() + tail.outs.len()) + ways) as u64
}

/// Goes a way, from within `inside` blocks more than the tail was.
fn go(way: Way, inside: u32, out: &mut Vec<Instruction<'_>>) {
    match way {
        Way::Fall if inside == 0 => {}
        Way::Fall => unreachable!("the way to the end is the first one"),
        Way::Branch(depth) => out.push(Instruction::Br(depth + inside)),
        Way::Return => out.push(Instruction::Return),
    }
}

fn copy<'a>(operators: &[Operator<'a>], out: &mut Vec<Instruction<'a>>) -> Result<(), Error> {
    for operator in operators {
        out.push(RoundtripReencoder.instruction(operator.clone())?);
    }
    Ok(())
}

/// What the function of a tail takes and gives.
struct Shape {
    params: Vec<ValType>,
    /// The values of the ways that have one, the locals given back, and the way if there are several.
    results: Vec<ValType>,
    values: Vec<Option<ValType>>,
}

impl Shape {
    fn new(tail: &Tail, locals: &[ValType]) -> Result<Self, Error> {
        let mut params = Vec::new();
        for operand in &tail.operands {
            params.push(RoundtripReencoder.val_type(*operand)?);
        }
        params.extend(tail.ins.iter().map(|local| locals[*local as usize]));
        let mut values = Vec::new();
        for (_, value) in &tail.ways {
            values.push(value.map(|value| RoundtripReencoder.val_type(value)).transpose()?);
        }
        let mut results = Vec::new();
        if !tail.ways.is_empty() {
            results.extend(values.iter().flatten());
            results.extend(tail.outs.iter().map(|local| locals[*local as usize]));
            results.extend((tail.ways.len() > 1).then_some(ValType::I32));
        }
        Ok(Self { params, results, values })
    }

    /// The function of a tail: its operators in one block for each way, so that a branch out of the tail is
    /// a branch to the end of the block of its way.
    fn function(
        &self,
        operators: &[Operator<'_>],
        tail: &Tail,
        locals: &[ValType],
    ) -> Result<Function, Error> {
        let mut own = Own { types: self.params.clone(), numbers: BTreeMap::new() };
        for (number, local) in (index(tail.operands.len())..).zip(&tail.ins) {
            own.numbers.insert(*local, number);
        }
        let values: Vec<Option<u32>> = self.values.iter().map(|ty| ty.map(|ty| own.fresh(ty))).collect();
        let mut body: Vec<Instruction<'_>> = Vec::new();
        for value in self.values.iter().rev() {
            body.push(Instruction::Block(value.map_or(BlockType::Empty, BlockType::Result)));
        }
        body.extend((0..index(tail.operands.len())).map(Instruction::LocalGet));
        let mut inside = 0;
        for operator in operators {
            body.push(moved(operator, tail, &mut inside, &mut own, locals)?);
        }
        if !tail.ways.iter().any(|(way, _)| *way == Way::Fall) {
            body.push(Instruction::Unreachable);
        }
        for position in 0..tail.ways.len() {
            body.push(Instruction::End);
            body.extend(values[position].map(Instruction::LocalSet));
            body.extend(values.iter().flatten().map(|local| Instruction::LocalGet(*local)));
            for local in &tail.outs {
                body.push(Instruction::LocalGet(own.number(*local, locals)));
            }
            if tail.ways.len() > 1 {
                body.push(Instruction::I32Const(index(position).cast_signed()));
            }
            body.push(Instruction::Return);
        }
        body.push(Instruction::End);
        let mut function = Function::new_with_locals_types(own.types[self.params.len()..].iter().copied());
        for instruction in &body {
            function.instruction(instruction);
        }
        Ok(function)
    }
}

/// The locals of a tail's function.
struct Own {
    types: Vec<ValType>,
    /// By their numbers in the old function.
    numbers: BTreeMap<u32, u32>,
}

impl Own {
    fn fresh(&mut self, ty: ValType) -> u32 {
        self.types.push(ty);
        index(self.types.len() - 1)
    }

    fn number(&mut self, local: u32, locals: &[ValType]) -> u32 {
        if let Some(number) = self.numbers.get(&local) {
            return *number;
        }
        let number = self.fresh(locals[local as usize]);
        self.numbers.insert(local, number);
        number
    }
}

/// An operator of a tail, in the tail's own function.
fn moved<'a>(
    operator: &Operator<'a>,
    tail: &Tail,
    inside: &mut u32,
    own: &mut Own,
    locals: &[ValType],
) -> Result<Instruction<'a>, Error> {
    let within = *inside;
    let target = |depth: u32| {
        if depth < within { depth } else { within + tail.position(tail.branch(depth - within)) }
    };
    Ok(match operator {
        Operator::LocalGet { local_index } => Instruction::LocalGet(own.number(*local_index, locals)),
        Operator::LocalSet { local_index } => Instruction::LocalSet(own.number(*local_index, locals)),
        Operator::LocalTee { local_index } => Instruction::LocalTee(own.number(*local_index, locals)),
        Operator::Br { relative_depth } => Instruction::Br(target(*relative_depth)),
        Operator::BrIf { relative_depth } => Instruction::BrIf(target(*relative_depth)),
        Operator::BrTable { targets } => {
            let listed: Result<Vec<u32>, _> = targets.targets().map(|depth| depth.map(target)).collect();
            Instruction::BrTable(listed?.into(), target(targets.default()))
        }
        Operator::Return => Instruction::Br(within + tail.position(Way::Return)),
        other => {
            match other {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => *inside += 1,
                Operator::End => *inside -= 1,
                _ => {}
            }
            RoundtripReencoder.instruction(other.clone())?
        }
    })
}

impl Reencode for Outliner {
    type Error = Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_type_section(self, types, section)?;
        for (params, results) in &self.added_types {
            types.ty().function(params.iter().copied(), results.iter().copied());
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_function_section(self, functions, section)?;
        for (signature, _) in &self.added {
            functions.function(*signature);
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), reencode::Error> {
        match self.bodies[self.written].take() {
            Some(function) => {
                code.function(&function);
            }
            None => utils::parse_function_body(self, code, body)?,
        }
        self.written += 1;
        if self.written == self.bodies.len() {
            for (_, function) in &self.added {
                code.function(function);
            }
        }
        Ok(())
    }
}
