//! The command line of the tool that splits the program.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use portside_split::{Seen, record, split};

const USAGE: &str = "usage: portside-split record MODULE RECORDING
       portside-split split MODULE SEEN FIRST SECOND

  record  makes the module that tells what of it is used
  split   moves what was not seen to be used into a second part; SEEN has lines `point NUMBER` and `read ADDRESS BYTES`
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["record", module, recording] => make_recording(module, recording),
        ["split", module, seen, first, second] => make_parts(module, seen, first, second),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portside-split: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make_recording(module: &str, recording: &str) -> Result<(), String> {
    write(recording, &record::recording(&read(module)?).map_err(|error| format!("{module}: {error}"))?)
}

fn make_parts(module: &str, seen: &str, first: &str, second: &str) -> Result<(), String> {
    let text = String::from_utf8(read(seen)?).map_err(|error| format!("{seen}: {error}"))?;
    let seen = parse_seen(&text).map_err(|line| format!("{seen}: what is {line:?}?"))?;
    let parts = split(&read(module)?, &seen).map_err(|error| format!("{module}: {error}"))?;
    write(first, &parts.first)?;
    write(second, &parts.second)
}

fn parse_seen(text: &str) -> Result<Seen, &str> {
    let mut seen = Seen::default();
    for line in text.lines() {
        let (kind, rest) = line.split_once(' ').ok_or(line)?;
        let number = |text: &'_ str| text.parse().map_err(|_| line);
        match kind {
            "point" => seen.points.insert(number(rest)?),
            "read" => {
                let (address, bytes) = rest.split_once(' ').ok_or(line)?;
                seen.reads.insert((number(address)?, number(bytes)?))
            }
            _ => return Err(line),
        };
    }
    Ok(seen)
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(Path::new(path)).map_err(|error| format!("{path}: {error}"))
}

fn write(path: &str, bytes: &[u8]) -> Result<(), String> {
    fs::write(Path::new(path), bytes).map_err(|error| format!("{path}: {error}"))
}
