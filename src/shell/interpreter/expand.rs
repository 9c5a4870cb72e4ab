//! Expansion of words: parameters, substitutions, arithmetic, splitting, file names.

use super::{DEPTH_LIMIT, Shell, until_broken};
use crate::shell::executor::Boxed;
use crate::shell::io::{Output, Streams};
use crate::shell::language::arithmetic::{Variables, evaluate};
use crate::shell::language::braces;
use crate::shell::language::expansion::{Field, Fields, replace, slice, trim};
use crate::shell::language::pattern::matches;
use crate::shell::language::tree::{
    Assignment, Command, List, Operation, Parameter, Part, RedirectKind, Word,
};
use crate::shell::places::Dialect;

/// A command may have so many arguments.
const ARGUMENT_LIMIT: usize = 100_000;

impl Variables for Shell {
    fn get(&self, name: &str) -> String {
        self.scalar(name).unwrap_or_default()
    }

    fn set(&mut self, name: &str, value: String) {
        Self::set(self, name, value);
    }
}

/// How parts are added to fields.
#[derive(Clone, Copy)]
struct Mode {
    /// Inside double quotes.
    quoted: bool,
    /// Whether expansions are split at blanks.
    split: bool,
}

impl Shell {
    /// Expands words to arguments.
    pub(super) async fn expand_words(
        &mut self,
        words: &[Word],
        streams: &Streams,
    ) -> Result<Vec<String>, String> {
        let mut arguments = Vec::new();
        for word in words {
            if let Some(text) = word.literal().filter(|text| is_plain(text)) {
                arguments.push(text.to_owned());
                continue;
            }
            let spread = if self.is_bash() { braces::expand(word) } else { vec![word.clone()] };
            for word in &spread {
                for field in self.fields(word, true, streams).await? {
                    self.file_names(field, &mut arguments);
                }
                if arguments.len() > ARGUMENT_LIMIT {
                    return Err("Argument list too long".to_owned());
                }
            }
        }
        Ok(arguments)
    }

    /// Expands a word to one text: nothing is split and no file names are looked up.
    pub(super) async fn expand_single(&mut self, word: &Word, streams: &Streams) -> Result<String, String> {
        let fields = self.fields(word, false, streams).await?;
        Ok(fields.into_iter().map(|field| field.text).collect::<Vec<_>>().join(" "))
    }

    /// Expands a word to a pattern, in which what was quoted stands for itself.
    pub(super) async fn expand_pattern(&mut self, word: &Word, streams: &Streams) -> Result<String, String> {
        let fields = self.fields(word, false, streams).await?;
        Ok(fields.into_iter().map(|field| field.pattern).collect::<Vec<_>>().join(" "))
    }

    /// Expands parts as if they stood in double quotes.
    pub(super) async fn expand_quoted(
        &mut self,
        parts: &[Part],
        streams: &Streams,
    ) -> Result<String, String> {
        let mut fields = Fields::default();
        self.parts(parts, Mode { quoted: true, split: false }, &mut fields, streams).await?;
        Ok(fields.finish().into_iter().map(|field| field.text).collect::<Vec<_>>().join(" "))
    }

    /// The value of an assignment.
    pub(super) async fn expand_assignment(
        &mut self,
        assignment: &Assignment,
        streams: &Streams,
    ) -> Result<String, String> {
        let value = self.expand_single(&assignment.value, streams).await?;
        if assignment.append {
            return Ok(self.scalar(&assignment.name).unwrap_or_default() + &value);
        }
        Ok(value)
    }

    /// The value of an arithmetic expression.
    pub(super) async fn arithmetic(&mut self, parts: &[Part], streams: &Streams) -> Result<i64, String> {
        let text = self.expand_quoted(parts, streams).await?;
        evaluate(&text, self)
    }

    async fn fields(&mut self, word: &Word, split: bool, streams: &Streams) -> Result<Vec<Field>, String> {
        let mut fields = Fields::default();
        let mut parts = word.0.as_slice();
        if let Some((Part::Text(text), rest)) = parts.split_first()
            && text.starts_with('~')
        {
            let (user, behind) = text.split_at(text.find('/').unwrap_or(text.len()));
            if let Some(directory) = self.tilde(user).filter(|_| behind.starts_with('/') || rest.is_empty()) {
                fields.push(&directory, true);
                fields.push(behind, false);
                parts = rest;
            }
        }
        self.parts(parts, Mode { quoted: false, split }, &mut fields, streams).await?;
        Ok(fields.finish())
    }

    fn tilde(&self, user: &str) -> Option<String> {
        match user {
            "~" => Some(self.value("HOME").unwrap_or(&self.place.home).to_owned()),
            "~root" => Some("/root".to_owned()),
            "~+" => Some(self.directory.clone()),
            "~-" => self.value("OLDPWD").map(str::to_owned),
            _ => None,
        }
    }

    fn parts<'a>(
        &'a mut self,
        parts: &'a [Part],
        mode: Mode,
        fields: &'a mut Fields,
        streams: &'a Streams,
    ) -> Boxed<'a, Result<(), String>> {
        Box::pin(async move {
            for part in parts {
                match part {
                    Part::Text(text) => fields.push(text, mode.quoted),
                    Part::Quoted(text) => fields.push(text, true),
                    Part::Double(inside) => {
                        // `"$@"` without parameters is no field at all; `""` is an empty one.
                        if !is_all_parameters(inside) {
                            fields.push("", true);
                        }
                        self.parts(inside, Mode { quoted: true, ..mode }, fields, streams).await?;
                    }
                    Part::Parameter(parameter) => self.parameter(parameter, mode, fields, streams).await?,
                    Part::Substitution(list) => {
                        let text = self.substitute(list, streams).await?;
                        self.add(&text, mode, fields);
                    }
                    Part::Arithmetic(inside) => {
                        let value = self.arithmetic(inside, streams).await?.to_string();
                        self.add(&value, mode, fields);
                    }
                }
            }
            Ok(())
        })
    }

    fn add(&self, text: &str, mode: Mode, fields: &mut Fields) {
        if mode.split && !mode.quoted {
            fields.push_split(text, self.value("IFS").unwrap_or(" \t\n"));
        } else {
            fields.push(text, mode.quoted);
        }
    }

    async fn parameter(
        &mut self,
        parameter: &Parameter,
        mode: Mode,
        fields: &mut Fields,
        streams: &Streams,
    ) -> Result<(), String> {
        let name = parameter.name.as_str();
        if matches!(name, "@" | "*") && matches!(parameter.operation, Operation::Plain) {
            self.all_positional(name, mode, fields);
            return Ok(());
        }
        let value = match name {
            "@" | "*" => (!self.positional.is_empty()).then(|| self.positional.join(" ")),
            _ => self.scalar(name),
        };
        if value.is_none() && self.options.nounset && !matches!(parameter.operation, Operation::When { .. }) {
            let words = if self.is_bash() { "unbound variable" } else { "parameter not set" };
            return Err(format!("{name}: {words}"));
        }
        if let Operation::When { mark, or_empty, word } = &parameter.operation {
            let counts = value.as_ref().is_some_and(|value| !(*or_empty && value.is_empty()));
            return self
                .when(name, (*mark, *or_empty), value.filter(|_| counts), word, mode, fields, streams)
                .await;
        }
        let text = self.operate(parameter, value.unwrap_or_default(), streams).await?;
        self.add(&text, mode, fields);
        Ok(())
    }

    fn all_positional(&self, name: &str, mode: Mode, fields: &mut Fields) {
        if name == "*" && mode.quoted {
            let between = self.value("IFS").map_or(Some(' '), |separators| separators.chars().next());
            let between = between.map(String::from).unwrap_or_default();
            fields.push(&self.positional.join(&between), true);
            return;
        }
        for (index, value) in self.positional.iter().enumerate() {
            if index > 0 {
                if mode.split {
                    fields.end_field();
                } else {
                    fields.push(" ", mode.quoted);
                }
            }
            self.add(value, mode, fields);
        }
    }

    /// `${name:-word}` and its kin; `value` is there only if it counts.
    #[expect(clippy::too_many_arguments, reason = "the parts of one expansion")]
    async fn when(
        &mut self,
        name: &str,
        (mark, or_empty): (char, bool),
        value: Option<String>,
        word: &Word,
        mode: Mode,
        fields: &mut Fields,
        streams: &Streams,
    ) -> Result<(), String> {
        match (mark, value) {
            ('+', None) => Ok(()),
            ('+', Some(_)) | ('-', None) => self.parts(&word.0, mode, fields, streams).await,
            ('=', None) => {
                let text = self.expand_single(word, streams).await?;
                self.set(name, text.clone());
                self.add(&text, mode, fields);
                Ok(())
            }
            ('?', None) => {
                let text = self.expand_single(word, streams).await?;
                let unset = match (self.is_bash(), or_empty) {
                    (true, true) => "parameter null or not set",
                    _ => "parameter not set",
                };
                Err(format!("{name}: {}", if text.is_empty() { unset } else { &text }))
            }
            (_, Some(value)) => {
                self.add(&value, mode, fields);
                Ok(())
            }
            (_, None) => Ok(()),
        }
    }

    async fn operate(
        &mut self,
        parameter: &Parameter,
        value: String,
        streams: &Streams,
    ) -> Result<String, String> {
        Ok(match &parameter.operation {
            Operation::Plain | Operation::When { .. } => value,
            Operation::Length if matches!(parameter.name.as_str(), "@" | "*") => {
                self.positional.len().to_string()
            }
            Operation::Length => value.chars().count().to_string(),
            Operation::Trim { suffix, longest, pattern } => {
                let pattern = self.expand_pattern(pattern, streams).await?;
                trim(&value, &pattern, *suffix, *longest).to_owned()
            }
            Operation::Replace { every, pattern, text } => {
                let pattern = self.expand_pattern(pattern, streams).await?;
                let text = self.expand_single(text, streams).await?;
                replace(&value, &pattern, &text, *every)
            }
            Operation::Slice { offset, length } => {
                let offset = self.arithmetic(&offset.0, streams).await?;
                let length = match length {
                    Some(length) => Some(self.arithmetic(&length.0, streams).await?),
                    None => None,
                };
                match slice(&value, offset, length) {
                    Some(text) => text,
                    None => return Err(format!("{}: substring expression < 0", length.unwrap_or(0))),
                }
            }
            Operation::Case { upper, every } => change_case(&value, *upper, *every),
            Operation::Indirect => self.scalar(&value).unwrap_or_default(),
        })
    }

    /// The value of a variable or of a special parameter.
    pub(super) fn scalar(&self, name: &str) -> Option<String> {
        if let Some(variable) = self.variables.get(name) {
            return Some(variable.value.clone());
        }
        let now_seconds = || (self.host.now() / 1_000_000).to_string();
        Some(match name {
            "?" => self.status.to_string(),
            "#" => self.positional.len().to_string(),
            "$" => self.host.shell_process().to_string(),
            "!" => return self.last_job_pid.map(|pid| pid.to_string()),
            "-" => if self.interactive { "himBHs" } else { "hB" }.to_owned(),
            "0" => {
                if self.login {
                    format!("-{}", self.name)
                } else {
                    self.name.clone()
                }
            }
            "RANDOM" if self.dialect != Dialect::Dash => self.host.random(32_768).to_string(),
            "SECONDS" if self.is_bash() => now_seconds(),
            "LINENO" => self.line.to_string(),
            "UID" | "EUID" if self.is_bash() => "0".to_owned(),
            digits => {
                let index: usize = digits.parse().ok()?;
                return self.positional.get(index.checked_sub(1)?).cloned();
            }
        })
    }

    /// Runs `$(…)` and answers what it wrote, without the newlines at its end.
    async fn substitute(&mut self, list: &List, streams: &Streams) -> Result<String, String> {
        let mut inside = self.subshell();
        if inside.depth > DEPTH_LIMIT {
            return Err("fork: retry: Resource temporarily unavailable".to_owned());
        }
        let output = Output::buffer();
        let led = Streams { stdout: output.clone(), ..streams.clone() };
        if let Some(stage) = lone_read(list) {
            // `$(<file)`
            let read = inside.redirected(stage, &led).await?;
            output.write(&read.stdin.read_to_end().await);
            inside.status = 0;
        } else {
            let work = async {
                inside.list(list, &led).await;
                inside.status
            };
            let status = until_broken(output.clone(), work).await;
            inside.status = status;
        }
        self.substituted = Some(inside.status);
        self.status = inside.status;
        let mut text = output.take_buffer();
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }

    /// Adds a field, or the files that match it.
    fn file_names(&self, field: Field, arguments: &mut Vec<String>) {
        if !field.is_pattern || self.options.noglob {
            arguments.push(field.text);
            return;
        }
        let before = arguments.len();
        let (root, pattern) = match field.pattern.strip_prefix('/') {
            Some(pattern) => ("/", pattern),
            None => ("", field.pattern.as_str()),
        };
        let levels: Vec<&str> = pattern.split('/').collect();
        self.match_level(root, &levels, arguments);
        if arguments.len() == before {
            arguments.push(field.text);
        }
    }

    fn match_level(&self, typed: &str, levels: &[&str], found: &mut Vec<String>) {
        let Some((level, rest)) = levels.split_first() else { return };
        let files = self.place.files(&self.host);
        let directory = self.path(typed);
        let names = files.borrow().names(&directory);
        for name in names {
            let hidden = name.starts_with('.') && !level.starts_with('.');
            if hidden || !matches(level, &name) || found.len() > ARGUMENT_LIMIT {
                continue;
            }
            let path = format!("{typed}{name}");
            if rest.is_empty() {
                found.push(path);
            } else if files.borrow().is_directory(&self.path(&path)) {
                self.match_level(&format!("{path}/"), rest, found);
            }
        }
    }
}

/// Whether a text means itself: no tilde, brace or pattern.
fn is_plain(text: &str) -> bool {
    !text.starts_with('~') && !text.contains(['*', '?', '[', '{'])
}

fn is_all_parameters(parts: &[Part]) -> bool {
    matches!(parts, [Part::Parameter(parameter)] if parameter.name == "@" && matches!(parameter.operation, Operation::Plain))
}

/// The redirections of a list that is only `<file`.
fn lone_read(list: &List) -> Option<&[crate::shell::language::tree::Redirect]> {
    let [item] = list.0.as_slice() else { return None };
    let [stage] = item.chain.first.stages.as_slice() else { return None };
    let reads =
        matches!(stage.redirects.as_slice(), [redirect] if matches!(redirect.kind, RedirectKind::Read));
    match &stage.command {
        Command::Simple { assignments, words }
            if reads && assignments.is_empty() && words.is_empty() && item.chain.rest.is_empty() =>
        {
            Some(&stage.redirects)
        }
        _ => None,
    }
}

fn change_case(text: &str, upper: bool, every: bool) -> String {
    let change = |letter: char| match upper {
        true => letter.to_uppercase().collect::<String>(),
        false => letter.to_lowercase().collect(),
    };
    let mut letters = text.chars();
    if every {
        return letters.map(change).collect();
    }
    letters.next().map(change).unwrap_or_default() + letters.as_str()
}
