//! Which locals are needed where: those that a tail must be given, and those that it must give back.

use std::collections::BTreeSet;

use wasmparser::Operator;

use crate::cold::{Tail, Way};

type Locals = BTreeSet<u32>;

/// A block, on the way from the end of the function to its beginning.
struct Frame {
    /// Needed behind its end.
    after: Locals,
    /// Needed where a branch to it goes.
    label: Locals,
    /// Needed where its `else` begins.
    otherwise: Option<Locals>,
}

/// Finds `ins` and `outs` of the tails of a function; the tails do not overlap and are in order.
pub fn around(operators: &[Operator<'_>], tails: &mut [Tail]) {
    if tails.is_empty() {
        return;
    }
    let inside = read_in_loops(operators);
    let mut live = Locals::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut left = tails.len();
    for at in (0..operators.len()).rev() {
        if left > 0 && tails[left - 1].end == at + 1 {
            tails[left - 1].outs = given_back(&tails[left - 1], operators, &frames);
        }
        pass(&operators[at], &mut live, &mut frames, &inside[at]);
        if left > 0 && tails[left - 1].start == at {
            left -= 1;
            let tail = &mut tails[left];
            tail.ins = mentioned(operators, tail).into_iter().filter(|local| live.contains(local)).collect();
        }
    }
}

/// Takes what is needed behind an operator to what is needed before it.
fn pass(operator: &Operator<'_>, live: &mut Locals, frames: &mut Vec<Frame>, inside: &Locals) {
    let label = |frames: &[Frame], depth: u32| frames[frames.len() - 1 - depth as usize].label.clone();
    match operator {
        Operator::End => {
            let label = live.union(inside).copied().collect();
            frames.push(Frame { after: live.clone(), label, otherwise: None });
        }
        Operator::Else => {
            let frame = frames.last_mut().expect("an else is in a block");
            let after = frame.after.clone();
            frame.otherwise = Some(std::mem::replace(live, after));
        }
        Operator::Block { .. } | Operator::Loop { .. } => {
            frames.pop();
        }
        Operator::If { .. } => {
            let frame = frames.pop().expect("an if has an end");
            live.extend(frame.otherwise.unwrap_or(frame.after));
        }
        Operator::Br { relative_depth } => *live = label(frames, *relative_depth),
        Operator::BrIf { relative_depth } => live.extend(label(frames, *relative_depth)),
        Operator::BrTable { targets } => {
            *live = label(frames, targets.default());
            for depth in targets.targets().flatten() {
                live.extend(label(frames, depth));
            }
        }
        Operator::Return | Operator::Unreachable => live.clear(),
        Operator::LocalGet { local_index } => {
            live.insert(*local_index);
        }
        Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
            live.remove(local_index);
        }
        _ => {}
    }
}

/// For the end of each loop, the locals that are read within it: a branch to its beginning may need them.
fn read_in_loops(operators: &[Operator<'_>]) -> Vec<Locals> {
    let mut found = vec![Locals::new(); operators.len()];
    let mut open: Vec<(bool, Locals)> = vec![(false, Locals::new())];
    for (at, operator) in operators.iter().enumerate() {
        match operator {
            Operator::Block { .. } | Operator::If { .. } => open.push((false, Locals::new())),
            Operator::Loop { .. } => open.push((true, Locals::new())),
            Operator::LocalGet { local_index } => {
                open.last_mut().expect("the function is open").1.insert(*local_index);
            }
            Operator::End => {
                let (is_loop, read) = open.pop().expect("blocks are nested");
                if let Some((_, around)) = open.last_mut() {
                    around.extend(&read);
                }
                if is_loop {
                    found[at] = read;
                }
            }
            _ => {}
        }
    }
    found
}

/// Locals that a tail reads or sets.
fn mentioned(operators: &[Operator<'_>], tail: &Tail) -> Locals {
    operators[tail.start..tail.end]
        .iter()
        .filter_map(|operator| match operator {
            Operator::LocalGet { local_index }
            | Operator::LocalSet { local_index }
            | Operator::LocalTee { local_index } => Some(*local_index),
            _ => None,
        })
        .collect()
}

/// Locals that a tail sets and that are needed where it leads. `frames` are the blocks around it.
fn given_back(tail: &Tail, operators: &[Operator<'_>], frames: &[Frame]) -> Vec<u32> {
    let mut needed = Locals::new();
    for (way, _) in &tail.ways {
        match way {
            Way::Fall => needed.extend(&frames.last().expect("a tail is in a block").after),
            Way::Branch(depth) => needed.extend(&frames[frames.len() - 1 - *depth as usize].label),
            Way::Return => {}
        }
    }
    let set = operators[tail.start..tail.end].iter().filter_map(|operator| match operator {
        Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => Some(*local_index),
        _ => None,
    });
    set.collect::<Locals>().into_iter().filter(|local| needed.contains(local)).collect()
}
