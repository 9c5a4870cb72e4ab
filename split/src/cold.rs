//! Finds the parts of functions that did not run, and what they need from the rest of the function.
//!
//! A function of the first paint is mostly there for other cases: errors, other kinds of objects, other
//! settings. Code is structured, so what did not run is the tail of a block: from a point that was not
//! passed to the end of the block. Owns the search for such tails and the liveness of locals around them;
//! [`crate::outline`] moves them into functions of their own.

use std::collections::BTreeSet;

use wasmparser::{BlockType, FuncType, FuncValidator, FunctionBody, Operator, ValType, ValidatorResources};

use crate::module::Error;

/// Whether control may arrive behind this operator without having passed it, or may not arrive though it
/// did: together with its beginning these are the points of a function, numbered in order.
#[must_use]
pub fn is_point(operator: &Operator<'_>) -> bool {
    matches!(operator, Operator::If { .. } | Operator::Else | Operator::BrIf { .. } | Operator::End)
}

/// How control leaves a tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// To the end of its block.
    Fall,
    /// By a branch to a block around it: 0 is its own block, which is then a loop.
    Branch(u32),
    /// Out of the function.
    Return,
}

/// The tail of a block that did not run.
#[derive(Debug)]
pub struct Tail {
    /// Its operators, by index.
    pub start: usize,
    /// The operator behind it: the end of its block, or `else`.
    pub end: usize,
    /// Its size in bytes.
    pub size: u64,
    /// What it finds on the stack.
    pub operands: Vec<ValType>,
    /// How control leaves it, with the value that goes along.
    pub ways: Vec<(Way, Option<ValType>)>,
    /// Whether its block is a loop: then a branch to depth 0 is not the way to the end.
    pub in_loop: bool,
    /// How many blocks are around it, its own and the function's included.
    pub depth: u32,
    /// Locals that it needs.
    pub ins: Vec<u32>,
    /// Locals that it sets and that are needed after it.
    pub outs: Vec<u32>,
}

impl Tail {
    /// The way of a branch that leaves the tail; `depth` counts from the tail's own block.
    #[must_use]
    pub fn branch(&self, depth: u32) -> Way {
        match depth {
            0 if !self.in_loop => Way::Fall,
            depth if depth + 1 == self.depth => Way::Return,
            depth => Way::Branch(depth),
        }
    }

    /// Where a way is among the tail's ways.
    #[must_use]
    pub fn position(&self, way: Way) -> u32 {
        let position = self.ways.iter().position(|(other, _)| *other == way);
        crate::module::index(position.expect("the ways are all the ways"))
    }
}

/// One function, read into operators.
pub struct Code<'a> {
    /// Its operators.
    pub operators: Vec<Operator<'a>>,
    /// Where each operator begins in the module, and where the last one ends.
    pub offsets: Vec<u64>,
}

impl<'a> Code<'a> {
    /// Reads a function.
    ///
    /// # Errors
    ///
    /// When it is broken.
    pub fn read(body: &FunctionBody<'a>) -> Result<Self, Error> {
        let (mut operators, mut offsets) = (Vec::new(), Vec::new());
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            offsets.push(reader.original_position());
            operators.push(reader.read()?);
        }
        offsets.push(reader.original_position());
        Ok(Self { operators, offsets })
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Block,
    Loop,
    If,
}

/// A block around the place that is looked at.
#[derive(Debug, Clone, Copy)]
struct Frame {
    kind: Kind,
    /// The value at its end; none of several.
    result: Option<ValType>,
    /// Whether it takes or gives more than this tool handles.
    odd: bool,
    /// Its `else`.
    otherwise: Option<usize>,
    end: usize,
}

impl Frame {
    fn new(kind: Kind, block: BlockType, types: &[FuncType], ends: (Option<usize>, usize)) -> Self {
        let (result, odd) = match block {
            BlockType::Empty => (None, false),
            BlockType::Type(value) => (Some(value), false),
            BlockType::FuncType(index) => {
                let ty = &types[index as usize];
                (ty.results().first().copied(), !ty.params().is_empty() || ty.results().len() > 1)
            }
        };
        let (otherwise, end) = ends;
        Self { kind, result, odd, otherwise, end }
    }
}

/// What is looked for in a function.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'r> {
    /// The points of the module that were passed.
    pub ran: &'r BTreeSet<u32>,
    /// The number of the function's first point.
    pub first: u32,
    /// The size from which a tail is worth it, in bytes.
    pub least: u64,
}

/// The tails of a function that did not run.
///
/// # Errors
///
/// When the function is broken.
pub fn tails(
    code: &Code<'_>,
    types: &[FuncType],
    results: &[ValType],
    mut validator: FuncValidator<ValidatorResources>,
    wanted: Wanted<'_>,
) -> Result<Vec<Tail>, Error> {
    let function = Frame {
        kind: Kind::Block,
        result: results.first().copied(),
        odd: results.len() > 1,
        otherwise: None,
        end: code.operators.len() - 1,
    };
    let ends = ends(&code.operators);
    let mut frames = vec![function];
    let mut point = wanted.first;
    let mut tails: Vec<Tail> = Vec::new();
    for (at, operator) in code.operators.iter().enumerate() {
        validator.op(code.offsets[at], operator)?;
        enter_or_leave(operator, ends[at], types, &mut frames);
        let Some(frame) = frames.last() else { break };
        if let Some(tail) = tails.last_mut().filter(|tail| tail.end == at + 1)
            && validator.get_control_frame(0).is_some_and(|frame| !frame.unreachable)
        {
            tail.ways.push((Way::Fall, frame.result));
        }
        if !is_point(operator) {
            continue;
        }
        point += 1;
        let within = tails.last().is_some_and(|tail| at < tail.end);
        if within || wanted.ran.contains(&point) || frames.iter().any(|frame| frame.odd) {
            continue;
        }
        let (start, end) = (at + 1, frame.otherwise.filter(|middle| *middle > at).unwrap_or(frame.end));
        let size = code.offsets[end] - code.offsets[start];
        let Some(operands) = operands(&validator).filter(|_| size >= wanted.least && size > 0) else {
            continue;
        };
        let mut tail = Tail {
            start,
            end,
            size,
            operands,
            ways: Vec::new(),
            in_loop: frame.kind == Kind::Loop,
            depth: crate::module::index(frames.len()),
            ins: Vec::new(),
            outs: Vec::new(),
        };
        tail.ways = leaves(&tail, &code.operators, &frames);
        tails.push(tail);
    }
    for tail in &mut tails {
        tail.ways.sort_unstable_by_key(|(way, _)| *way);
        tail.ways.dedup_by_key(|(way, _)| *way);
    }
    crate::live::around(&code.operators, &mut tails);
    Ok(tails)
}

/// Keeps the blocks around the place behind an operator. `ends` is where the block that it opens ends.
fn enter_or_leave(
    operator: &Operator<'_>,
    ends: (Option<usize>, usize),
    types: &[FuncType],
    frames: &mut Vec<Frame>,
) {
    match operator {
        Operator::Block { blockty } => frames.push(Frame::new(Kind::Block, *blockty, types, ends)),
        Operator::Loop { blockty } => frames.push(Frame::new(Kind::Loop, *blockty, types, ends)),
        Operator::If { blockty } => frames.push(Frame::new(Kind::If, *blockty, types, ends)),
        Operator::End => {
            frames.pop();
        }
        _ => {}
    }
}

/// For each operator that opens a block, its `else` and its end.
fn ends(operators: &[Operator<'_>]) -> Vec<(Option<usize>, usize)> {
    let mut ends = vec![(None, 0); operators.len()];
    let mut open = Vec::new();
    for (at, operator) in operators.iter().enumerate() {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(at),
            Operator::Else => {
                if let Some(opener) = open.last() {
                    ends[*opener].0 = Some(at);
                }
            }
            Operator::End => {
                if let Some(opener) = open.pop() {
                    ends[opener].1 = at;
                }
            }
            _ => {}
        }
    }
    ends
}

/// What the current block has on the stack; none where that is not known.
fn operands(validator: &FuncValidator<ValidatorResources>) -> Option<Vec<ValType>> {
    let frame = validator.get_control_frame(0)?;
    if frame.unreachable {
        return None;
    }
    let count = validator.operand_stack_height() as usize - frame.height;
    (0..count).rev().map(|depth| validator.get_operand_type(depth).flatten()).collect()
}

/// The branches that leave a tail, with the values that go along.
fn leaves(tail: &Tail, operators: &[Operator<'_>], frames: &[Frame]) -> Vec<(Way, Option<ValType>)> {
    let mut ways: BTreeSet<Way> = BTreeSet::new();
    let mut inside = 0;
    for operator in &operators[tail.start..tail.end] {
        let mut branch = |depth: u32| {
            if depth >= inside {
                ways.insert(tail.branch(depth - inside));
            }
        };
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => inside += 1,
            Operator::End => inside -= 1,
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => branch(*relative_depth),
            Operator::BrTable { targets } => {
                targets.targets().flatten().for_each(&mut branch);
                branch(targets.default());
            }
            Operator::Return => {
                ways.insert(Way::Return);
            }
            _ => {}
        }
    }
    let value = |way: Way| {
        let target = match way {
            Way::Fall => frames.last(),
            Way::Branch(depth) => frames.iter().rev().nth(depth as usize),
            Way::Return => frames.first(),
        };
        // A branch to a loop goes to its beginning, and takes no value along.
        let to_its_end = target.filter(|frame| frame.kind != Kind::Loop || way == Way::Fall);
        to_its_end.and_then(|frame| frame.result)
    };
    ways.into_iter().map(|way| (way, value(way))).collect()
}
