//! A person at a terminal of a new world, for the tests that type what people type.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::Path;
use std::time::Duration;

use portside::cluster::Settings;
use portside::shell::host::Host;
use portside::shell::places::Place;
use portside::shell::terminal::Terminal;
use portside::shell::tty::Stream;
use portside::simulation::Simulation;

/// How long a line may take, in virtual time; a line that never ends by itself is interrupted by the test.
const PATIENCE: Duration = Duration::from_secs(300);

/// A person at a terminal.
pub struct Typist {
    /// The world.
    pub host: Host,
    /// The terminal.
    pub terminal: Terminal,
}

impl Typist {
    /// On the workstation of a fresh world.
    pub fn new() -> Self {
        let host = Host::new(Simulation::new(Settings::default()));
        let terminal = Terminal::new(&host, Place::workstation());
        Self { host, terminal }
    }

    /// Writes a file of the workstation, as the editor does.
    pub fn writes(&self, name: &str, text: &str) {
        let files = Place::workstation().files(&self.host);
        files.borrow_mut().write(&format!("/root/{name}"), text).expect("the file fits");
    }

    /// Copies a manifest of tests/examples to the workstation.
    pub fn copies(&self, name: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples").join(name);
        self.writes(name, &std::fs::read_to_string(path).expect("the example is in the repository"));
    }

    /// Types a line, waits until it has ended or asks for input, and answers what it wrote: output and errors.
    pub fn types(&self, line: &str) -> String {
        self.starts(line, PATIENCE)
    }

    /// Types a line, watches it for a while, and answers what it wrote until then.
    pub fn starts(&self, line: &str, watched: Duration) -> String {
        self.terminal.submit(line);
        self.watches(watched)
    }

    /// Watches for a while, and answers what was written meanwhile.
    pub fn watches(&self, watched: Duration) -> String {
        self.terminal.run_on(watched);
        self.output()
    }

    /// Lets so many seconds pass.
    pub fn waits(&self, seconds: u64) {
        let until = self.host.now() + seconds * 1_000_000;
        while self.host.run_until(until, 100_000) != portside::shell::host::Progress::Reached {}
    }

    /// Presses Ctrl-C, and answers what was written after it.
    pub fn interrupts(&self) -> String {
        self.terminal.interrupt("");
        self.host.run_until(self.host.now(), 100_000);
        let output = self.watches(PATIENCE);
        assert!(!self.terminal.is_busy(), "Ctrl-C ends what runs");
        output
    }

    /// Types a line again and again, a second apart, until its output holds `words`.
    pub fn types_until(&self, line: &str, words: &str) -> String {
        let mut output = String::new();
        for _ in 0..60 {
            output = self.types(line);
            if output.contains(words) {
                return output;
            }
            self.waits(1);
        }
        panic!("{line:?} never shows {words:?}, but:\n{output}");
    }

    /// Types a line and asserts what it wrote, without the newline at the end, and its status.
    #[track_caller]
    pub fn sees(&self, line: &str, expected: &str, status: i32) {
        let output = self.types(line);
        assert_eq!((output.trim_end_matches('\n'), self.terminal.status()), (expected, status), "{line}");
    }

    fn output(&self) -> String {
        let chunks = self.terminal.take_output();
        let shown = chunks.iter().filter(|chunk| matches!(chunk.stream, Stream::Output | Stream::Error));
        shown.map(|chunk| chunk.text.as_str()).collect()
    }
}

/// Asserts that all words are in an output, in this order.
#[track_caller]
pub fn holds(output: &str, words: &[&str]) {
    let mut rest = output;
    for word in words {
        let Some((_, after)) = rest.split_once(word) else {
            panic!("{word:?} is missing (in the order of {words:?}) from:\n{output}");
        };
        rest = after;
    }
}
