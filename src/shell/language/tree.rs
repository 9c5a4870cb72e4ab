//! The tree of a script.

use std::cell::OnceCell;
use std::rc::Rc;

/// Commands one after the other.
#[derive(Debug, Default)]
pub struct List(pub Vec<Item>);

/// One entry of a list.
#[derive(Debug)]
pub struct Item {
    /// What runs.
    pub chain: Rc<Chain>,
    /// Whether `&` follows: the list goes on at once.
    pub background: bool,
    /// Its source text, which `jobs` shows.
    pub text: String,
    /// The line on which it begins, from 1.
    pub line: usize,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Debug)]
pub struct Chain {
    /// The one that always runs.
    pub first: Pipeline,
    /// Those that run depending on the status so far.
    pub rest: Vec<(Joint, Pipeline)>,
}

/// What joins two pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Commands joined by `|`.
#[derive(Debug)]
pub struct Pipeline {
    /// Whether `!` stands before it.
    pub negated: bool,
    /// Whether `time` stands before it.
    pub timed: bool,
    /// One command at least.
    pub stages: Vec<Stage>,
}

/// A command of a pipeline.
#[derive(Debug)]
pub struct Stage {
    /// What it is.
    pub command: Command,
    /// Redirections behind a compound command; those of a simple one are here as well.
    pub redirects: Vec<Redirect>,
    /// Whether it was joined to the next by `|&`.
    pub with_stderr: bool,
}

/// What a command is.
#[derive(Debug)]
pub enum Command {
    /// Assignments and words.
    Simple {
        /// `NAME=value` before the first word: name, whether `+=`, value.
        assignments: Vec<Assignment>,
        /// The command and its arguments.
        words: Vec<Word>,
    },
    /// `{ …; }`
    Group(List),
    /// `( … )`
    Subshell(List),
    /// `for NAME in WORDS; do …; done`; without `in`, over the positional parameters.
    For {
        /// The variable.
        name: String,
        /// What it runs over.
        words: Option<Vec<Word>>,
        /// What runs.
        body: List,
    },
    /// `for ((first; condition; step)); do …; done`
    ForArithmetic {
        /// The three expressions.
        parts: [Vec<Part>; 3],
        /// What runs.
        body: List,
    },
    /// `while …; do …; done`
    While {
        /// Runs before each round.
        condition: List,
        /// Runs in each round.
        body: List,
        /// Whether it is `until`.
        until: bool,
    },
    /// `if …; then …; elif …; else …; fi`
    If {
        /// Conditions with what runs.
        branches: Vec<(List, List)>,
        /// What runs otherwise.
        otherwise: Option<List>,
    },
    /// `case WORD in PATTERN) …;; esac`
    Case {
        /// What is compared.
        word: Word,
        /// Patterns with what runs.
        arms: Vec<(Vec<Word>, List)>,
    },
    /// `(( … ))`
    Arithmetic(Vec<Part>),
    /// `[[ … ]]`: its words, operators included.
    Test(Vec<Word>),
    /// `NAME() …`
    Function {
        /// Its name.
        name: String,
        /// What runs when it is called.
        body: Rc<Stage>,
    },
}

/// `NAME=value` or `NAME+=value`.
#[derive(Debug)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// Whether the value is added to what is there.
    pub append: bool,
    /// The value.
    pub value: Word,
}

/// A redirection.
#[derive(Debug)]
pub struct Redirect {
    /// The stream that is led elsewhere: 0, 1 or 2 (others are parsed and refused later).
    pub descriptor: u32,
    /// How.
    pub kind: RedirectKind,
    /// The file, or the number of a stream.
    pub target: Word,
}

/// How a stream is redirected.
#[derive(Clone, Debug)]
pub enum RedirectKind {
    /// `<`
    Read,
    /// `>`
    Write,
    /// `>>`
    Append,
    /// `>&` and `<&`
    Duplicate,
    /// `&>`
    WriteBoth,
    /// `&>>`
    AppendBoth,
    /// `<<`; the text follows after the line and is filled in then.
    Here(Rc<OnceCell<Vec<Part>>>),
    /// `<<<`
    HereString,
}

/// A word: parts side by side, without a blank between them.
#[derive(Clone, Debug, Default)]
pub struct Word(pub Vec<Part>);

/// A part of a word.
#[derive(Clone, Debug)]
pub enum Part {
    /// Unquoted text: patterns and braces in it count.
    Text(String),
    /// Quoted text: stands for itself.
    Quoted(String),
    /// `"…"`
    Double(Vec<Part>),
    /// `$name`, `${name…}`
    Parameter(Rc<Parameter>),
    /// `$(…)` and backquotes.
    Substitution(Rc<List>),
    /// `$((…))`
    Arithmetic(Vec<Part>),
}

/// `${name…}`
#[derive(Debug)]
pub struct Parameter {
    /// A variable, a digit string, or one of `@*#?$!-0`.
    pub name: String,
    /// What is done with its value.
    pub operation: Operation,
}

/// What is done with a parameter's value.
#[derive(Debug)]
pub enum Operation {
    /// Nothing.
    Plain,
    /// `${#name}`
    Length,
    /// `:-` `-` `:=` `=` `:?` `?` `:+` `+`
    When {
        /// Which of `-=?+`.
        mark: char,
        /// Whether the empty value counts as unset (`:`).
        or_empty: bool,
        /// What stands behind.
        word: Word,
    },
    /// `#` `##` `%` `%%`
    Trim {
        /// Whether the end is trimmed.
        suffix: bool,
        /// Whether as much as possible goes.
        longest: bool,
        /// What goes.
        pattern: Word,
    },
    /// `/pattern/text` and `//pattern/text` (bash, busybox).
    Replace {
        /// Whether every match is replaced.
        every: bool,
        /// What goes.
        pattern: Word,
        /// What comes.
        text: Word,
    },
    /// `:offset` and `:offset:length` (bash, busybox); arithmetic.
    Slice {
        /// Where it begins.
        offset: Word,
        /// How long it is.
        length: Option<Word>,
    },
    /// `^^`, `,,`, `^`, `,` (bash).
    Case {
        /// Whether to capitals.
        upper: bool,
        /// Whether every letter.
        every: bool,
    },
    /// `${!name}`: the value of the variable that is named.
    Indirect,
}

impl Word {
    /// A word of unquoted text alone, as that text.
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}
