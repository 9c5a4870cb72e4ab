//! The program: in the browser it mounts the page, natively it is the command line.

#[cfg(target_arch = "wasm32")]
fn main() {
    portside::ui::mount();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    command_line::run()
}

/// The native command line.
#[cfg(not(target_arch = "wasm32"))]
mod command_line {
    use std::fs;
    use std::io::{Read, Write, stderr, stdin, stdout};
    use std::path::Path;
    use std::process::ExitCode;

    use portside::session::replay::{File, replay};

    const USAGE: &str = "usage: portside run SESSION|-\n\n  run   replay a session and print it with Portside's answers; its folder is the working directory\n";

    /// Runs the program.
    pub fn run() -> ExitCode {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let printed = match words.as_slice() {
            ["run", session] => run_session(session),
            ["help" | "--help" | "-h"] => Ok(USAGE.to_owned()),
            _ => Err(USAGE.to_owned()),
        };
        let (written, code) = match &printed {
            Ok(text) => (stdout().write_all(text.as_bytes()), ExitCode::SUCCESS),
            Err(text) => (stderr().write_all(text.as_bytes()), ExitCode::FAILURE),
        };
        // Nobody is left to be told that nobody reads.
        if written.is_ok() { code } else { ExitCode::FAILURE }
    }

    fn run_session(name: &str) -> Result<String, String> {
        let cannot = |error: std::io::Error| format!("portside: {name}: {error}\n");
        if name == "-" {
            let mut text = String::new();
            stdin().read_to_string(&mut text).map_err(cannot)?;
            return Ok(replay(&text, &files(Path::new("."), Path::new("")).map_err(cannot)?));
        }
        let path = Path::new(name);
        let path = if path.is_dir() { path.join("session.txt") } else { path.to_owned() };
        let text = fs::read_to_string(&path).map_err(cannot)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Ok(replay(&text, &files(folder, Path::new("")).map_err(cannot)?))
    }

    /// How deep folders are looked into: a session's folder is flat, give or take.
    const DEPTH: usize = 3;

    /// The texts of a folder and those below it, by their names relative to it.
    fn files(folder: &Path, below: &Path) -> std::io::Result<Vec<File>> {
        let mut found = Vec::new();
        let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                if name.components().count() < DEPTH {
                    found.extend(files(&entry.path(), &name)?);
                }
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                found.push((name.to_string_lossy().into_owned(), text));
            }
        }
        Ok(found)
    }
}
