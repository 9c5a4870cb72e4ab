//! However a program is split, its parts together do what it does.

use std::collections::BTreeSet;

use portside_split::{FIRST, LOAD, PAGE, Parts, Seen, record, split, split_at};
use wasmi::{Caller, Engine, Error, Extern, Instance, Linker, Module, Store};

/// What `run` of the program can be asked for, with some arguments for each.
const CASES: [(i32, &[i32]); 11] = [
    (0, &[21]),
    (1, &[7]),
    (2, &[0, 5]),
    (3, &[0]),
    (4, &[0]),
    (5, &[1, 2, 9]),
    (6, &[3]),
    (7, &[1, 4]),
    (8, &[1, 2, 3]),
    (9, &[1, 2, 3, 4, 9]),
    (10, &[2]),
];

/// The program is small: so are the parts of its functions.
const LEAST_BYTES: u64 = 0;

fn program() -> Vec<u8> {
    wat::parse_str(include_str!("program.wat")).expect("the program is valid")
}

/// What the host of a program sees.
#[derive(Default)]
struct Host {
    printed: Vec<i32>,
    seen: Seen,
    second: Option<Module>,
    loads: u32,
}

/// A running program.
struct Running {
    store: Store<Host>,
    instance: Instance,
}

impl Running {
    fn new(module: &[u8], second: Option<&[u8]>) -> Self {
        let engine = Engine::default();
        let read = |bytes| Module::new(&engine, bytes).expect("the module is valid");
        let second = second.map(read);
        let mut store = Store::new(&engine, Host { second, ..Host::default() });
        let mut linker = Linker::new(&engine);
        let number = |value: i32| value.cast_unsigned();
        linker
            .func_wrap("host", "print", |mut host: Caller<'_, Host>, value: i32| {
                host.data_mut().printed.push(value);
            })
            .expect("its name is free");
        linker
            .func_wrap(PAGE, record::RAN, move |mut host: Caller<'_, Host>, point: i32| {
                host.data_mut().seen.points.insert(number(point));
            })
            .expect("its name is free");
        linker
            .func_wrap(PAGE, record::READ, move |mut host: Caller<'_, Host>, address: i32, bytes: i32| {
                host.data_mut().seen.reads.insert((number(address), number(bytes)));
            })
            .expect("its name is free");
        linker.func_wrap(PAGE, LOAD, join).expect("its name is free");
        let instance =
            linker.instantiate_and_start(&mut store, &read(module)).expect("it has all its imports");
        Self { store, instance }
    }

    /// The answer, or that it trapped, and what was printed.
    fn run(&mut self, what: i32, argument: i32) -> (Option<i32>, Vec<i32>) {
        let run =
            self.instance.get_typed_func::<(i32, i32), i32>(&self.store, "run").expect("it is exported");
        let answer = run.call(&mut self.store, (what, argument)).ok();
        (answer, std::mem::take(&mut self.store.data_mut().printed))
    }
}

/// What the page's script does: the second part imports what the first exports.
fn join(mut first: Caller<'_, Host>) -> Result<(), Error> {
    first.data_mut().loads += 1;
    let second = first.data_mut().second.take().expect("it is loaded once");
    let mut linker = Linker::new(first.engine());
    for import in second.imports() {
        assert_eq!(import.module(), FIRST);
        let export: Extern = first.get_export(import.name()).expect("the first part exports it");
        linker.define(FIRST, import.name(), export).expect("its name is free");
    }
    linker.instantiate_and_start(&mut first, &second).map(|_| ())
}

/// What is seen of the program when it is asked for some of its cases.
fn seen(cases: &[(i32, &[i32])]) -> Seen {
    let recording = record::recording(&program()).expect("it can record");
    let mut running = Running::new(&recording, None);
    for (what, arguments) in cases {
        for argument in *arguments {
            running.run(*what, *argument);
        }
    }
    std::mem::take(&mut running.store.data_mut().seen)
}

fn parts(seen: &Seen) -> Parts {
    split_at(&program(), seen, LEAST_BYTES).expect("it can be split")
}

#[test]
fn whatever_was_seen_the_parts_do_what_the_program_does() {
    let mut choices: Vec<Vec<(i32, &[i32])>> = CASES.iter().map(|case| vec![*case]).collect();
    choices.push(Vec::new());
    choices.push(CASES[..6].to_vec());
    choices.push(CASES.to_vec());
    for chosen in choices {
        let parts = parts(&seen(&chosen));
        for (what, arguments) in CASES {
            for argument in arguments {
                let expected = Running::new(&program(), None).run(what, *argument);
                let answer = Running::new(&parts.first, Some(&parts.second)).run(what, *argument);
                assert_eq!(answer, expected, "case {what} of {argument}, split for {chosen:?}");
            }
        }
    }
}

#[test]
fn what_was_seen_runs_without_the_second_part() {
    for (what, arguments) in CASES {
        let parts = parts(&seen(&[(what, arguments)]));
        let mut running = Running::new(&parts.first, Some(&parts.second));
        for argument in arguments {
            running.run(what, *argument);
        }
        assert_eq!(running.store.data().loads, 0, "case {what}");
    }
}

#[test]
fn the_second_part_is_loaded_once_and_then_stays() {
    let parts = parts(&seen(&[(0, &[1])]));
    let mut running = Running::new(&parts.first, Some(&parts.second));
    for (what, arguments) in CASES {
        for argument in arguments {
            running.run(what, *argument);
        }
    }
    assert_eq!(running.store.data().loads, 1);
}

#[test]
fn what_was_not_seen_is_not_in_the_first_part() {
    let all = parts(&seen(&CASES));
    let one = parts(&seen(&[(0, &[1])]));
    assert!(one.first.len() + 400 < all.first.len(), "{} of {}", one.first.len(), all.first.len());
    let text = |part: &[u8], text: &[u8]| part.windows(text.len()).any(|window| window == text);
    assert!(text(&all.first, b"ports") && !text(&one.first, b"ports"), "statics go with their functions");
    assert!(text(&all.second, b"aside"), "nothing mentions it");
    assert!(one.second.len() > all.second.len());
}

#[test]
fn a_table_that_is_only_mentioned_by_its_end_goes_with_what_reads_it() {
    let seen = seen(&[(3, &[0])]);
    assert!(seen.reads.contains(&(8192, 4)), "{:?}", seen.reads);
    let parts = parts(&Seen { points: seen.points.clone(), reads: seen.reads.clone() });
    let mut running = Running::new(&parts.first, Some(&parts.second));
    assert_eq!(running.run(3, 0).0, Some(87));
}

#[test]
fn what_did_not_run_of_a_function_is_moved_out_of_it() {
    let program = program();
    let count =
        |module: &[u8]| portside_split::module::Module::read(module).expect("it is valid").bodies.len();
    let outlined = |cases| {
        portside_split::outline::outline(&program, &seen(cases).points, LEAST_BYTES).expect("it is valid")
    };
    // Four tails of `ways` and one of `on_the_stack`.
    let some = outlined(&[(6, &[3]), (5, &[1])]);
    assert_eq!(count(&some.module), count(&program) + 5);
    assert_eq!(count(&outlined(&CASES).module), count(&program), "everything ran");
}

#[test]
fn what_no_rust_program_has_is_refused() {
    let refused = |text: &str| {
        let module = wat::parse_str(text).expect("the module is valid");
        split(&module, &Seen { points: BTreeSet::from([0]), ..Seen::default() })
            .expect_err("it is refused")
            .to_string()
    };
    assert!(refused("(module (table 1 funcref))").contains("no memory"));
    assert!(refused("(module (memory 1) (func $f) (start $f))").contains("start function"));
    assert!(refused("(module (import \"a\" \"b\" (memory 1)))").contains("no function"));
    assert!(split(b"\0asm", &Seen::default()).is_err());
}
