//! Reading a command's arguments by its table of flags.
//!
//! Owns the two ways in which real commands read flags ([`Style`]) and the errors' facts. The words of an
//! error differ between families of commands: [`FlagError::gnu`] has those of the GNU tools; kubectl has its own.

use super::command::{Flag, Value};

/// How a family of commands reads its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `getopt_long`: `-n5`, `-n 5`, `--lines=5`, unique abbreviations; operands may stand between flags.
    Gnu,
    /// As `Gnu`, but the first operand ends the flags (`env`, `xargs`, `timeout`: a command follows).
    GnuInOrder,
    /// Go's pflag (kubectl): also `-n=5` and `--watch=false`; no abbreviations.
    Pflag,
}

/// Why arguments cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlagError {
    /// `--name` that does not exist.
    UnknownLong(String),
    /// A letter that does not exist, and the whole argument that it stood in.
    UnknownShort(char, String),
    /// An abbreviation of several flags.
    Ambiguous(String),
    /// `--name` without its value.
    LongWithoutValue(String),
    /// A letter without its value, and the whole argument that it stood in.
    ShortWithoutValue(char, String),
    /// `--name=value` for a flag that has none.
    UnexpectedValue(String),
    /// A real flag that Portside has not (as typed), and the nearest thing that works, or empty.
    NotSimulated(String, &'static str),
}

impl FlagError {
    /// The message of the GNU tools, with the line that points at `--help`.
    pub fn gnu(&self, command: &str) -> String {
        let what = match self {
            Self::UnknownLong(name) => format!("unrecognized option '--{name}'"),
            Self::UnknownShort(letter, _) => format!("invalid option -- '{letter}'"),
            Self::Ambiguous(name) => format!("option '--{name}' is ambiguous"),
            Self::LongWithoutValue(name) => format!("option '--{name}' requires an argument"),
            Self::ShortWithoutValue(letter, _) => {
                format!("option requires an argument -- '{letter}'")
            }
            Self::UnexpectedValue(name) => format!("option '--{name}' doesn't allow an argument"),
            Self::NotSimulated(flag, nearest) => {
                return not_simulated(&format!("{command} {flag}"), nearest);
            }
        };
        format!("{command}: {what}\nTry '{command} --help' for more information.\n")
    }
}

/// Portside's line about something real that it does not simulate.
pub fn not_simulated(what: &str, nearest: &str) -> String {
    if nearest.is_empty() {
        return format!("{what} is not simulated in Portside\n");
    }
    format!("{what} is not simulated in Portside; nearest: {nearest}\n")
}

/// A boolean as Go's `strconv.ParseBool` reads it.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Arguments, read.
#[derive(Debug)]
pub struct Parsed {
    table: &'static [Flag],
    given: Vec<(usize, String)>,
    /// What is not a flag, in order.
    pub operands: Vec<String>,
    /// How many operands stood before `--`, if there was one (kubectl exec).
    pub before_dashes: Option<usize>,
}

impl Parsed {
    /// Whether a switch (by long name, or by letter) was given and not as `=false`.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| boolean(value) != Some(false))
    }

    /// The last value given to a flag (by long name, or by letter). A switch has `"true"` or what follows `=`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).last().copied()
    }

    /// All values given to a flag, in order.
    pub fn values(&self, name: &str) -> Vec<&str> {
        debug_assert!(self.table.iter().any(|flag| flag.is_called(name)), "flag {name} is not declared");
        let matches = |index: usize| self.table.get(index).is_some_and(|flag| flag.is_called(name));
        self.given.iter().filter(|(index, _)| matches(*index)).map(|(_, value)| value.as_str()).collect()
    }

    /// The flags in the order given, with their values (for commands in which order counts).
    pub fn in_order(&self) -> impl Iterator<Item = (&'static Flag, &str)> {
        self.given.iter().filter_map(|(index, value)| Some((self.table.get(*index)?, value.as_str())))
    }
}

/// Reads `arguments` (without the command's name) by `table`.
///
/// # Errors
/// At the first argument that cannot be read.
pub fn parse(table: &'static [Flag], style: Style, arguments: &[String]) -> Result<Parsed, FlagError> {
    let mut reader = Reader {
        parsed: Parsed { table, given: Vec::new(), operands: Vec::new(), before_dashes: None },
        style,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            reader.parsed.before_dashes = Some(reader.parsed.operands.len());
            reader.parsed.operands.extend(rest.cloned());
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            reader.long(long, &mut rest)?;
        } else if argument.len() > 1 && argument.starts_with('-') {
            reader.short(argument, &mut rest)?;
        } else {
            reader.parsed.operands.push(argument.clone());
            if style == Style::GnuInOrder {
                reader.parsed.operands.extend(rest.cloned());
                break;
            }
        }
    }
    Ok(reader.parsed)
}

struct Reader {
    parsed: Parsed,
    style: Style,
}

type Rest<'a> = std::slice::Iter<'a, String>;

impl Reader {
    fn long(&mut self, argument: &str, rest: &mut Rest<'_>) -> Result<(), FlagError> {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument, None),
        };
        let index = self.find_long(name)?;
        let flag = &self.parsed.table[index];
        if let Some(nearest) = flag.not_simulated {
            return Err(FlagError::NotSimulated(format!("--{}", flag.long), nearest));
        }
        let value = match (flag.value, inline) {
            (Value::None, None) => "true".to_owned(),
            (Value::None, Some(_)) if self.style != Style::Pflag => {
                return Err(FlagError::UnexpectedValue(flag.long.to_owned()));
            }
            (_, Some(value)) => value,
            (Value::Optional(default), None) => default.to_owned(),
            (_, None) => match rest.next() {
                Some(value) => value.clone(),
                None => return Err(FlagError::LongWithoutValue(flag.long.to_owned())),
            },
        };
        self.parsed.given.push((index, value));
        Ok(())
    }

    fn find_long(&self, name: &str) -> Result<usize, FlagError> {
        let table = self.parsed.table;
        if let Some(index) = table.iter().position(|flag| !flag.long.is_empty() && flag.long == name) {
            return Ok(index);
        }
        if self.style == Style::Pflag || name.is_empty() {
            return Err(FlagError::UnknownLong(name.to_owned()));
        }
        let mut abbreviated = (0..table.len()).filter(|index| table[*index].long.starts_with(name));
        match (abbreviated.next(), abbreviated.next()) {
            (Some(index), None) => Ok(index),
            (None, _) => Err(FlagError::UnknownLong(name.to_owned())),
            _ => Err(FlagError::Ambiguous(name.to_owned())),
        }
    }

    fn short(&mut self, argument: &str, rest: &mut Rest<'_>) -> Result<(), FlagError> {
        let mut letters = argument[1..].chars();
        while let Some(letter) = letters.next() {
            let Some(index) = self.parsed.table.iter().position(|flag| flag.short == Some(letter)) else {
                return Err(FlagError::UnknownShort(letter, argument.to_owned()));
            };
            let flag = &self.parsed.table[index];
            if let Some(nearest) = flag.not_simulated {
                return Err(FlagError::NotSimulated(format!("-{letter}"), nearest));
            }
            let inline = letters.as_str();
            let value = match flag.value {
                Value::None => match inline.strip_prefix('=') {
                    Some(value) if self.style == Style::Pflag => {
                        letters = "".chars();
                        value.to_owned()
                    }
                    _ => "true".to_owned(),
                },
                _ => {
                    letters = "".chars();
                    self.short_value(flag, letter, argument, inline, rest)?
                }
            };
            self.parsed.given.push((index, value));
        }
        Ok(())
    }

    fn short_value(
        &self,
        flag: &Flag,
        letter: char,
        argument: &str,
        inline: &str,
        rest: &mut Rest<'_>,
    ) -> Result<String, FlagError> {
        let inline = match inline.strip_prefix('=') {
            Some(value) if self.style == Style::Pflag => value,
            _ => inline,
        };
        if !inline.is_empty() {
            return Ok(inline.to_owned());
        }
        if let Value::Optional(default) = flag.value {
            return Ok(default.to_owned());
        }
        rest.next().cloned().ok_or_else(|| FlagError::ShortWithoutValue(letter, argument.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::{not_simulated, option, switch};
    use super::*;

    const TABLE: &[Flag] = &[
        option('n', "lines", Value::Number, "", ""),
        switch('q', "quiet", "", ""),
        switch('v', "verbose", "", ""),
        option('\0', "dry-run", Value::Optional("unchanged"), "", ""),
        not_simulated('z', "zero-terminated", Value::None, ""),
    ];

    fn check(style: Style, line: &str, expected: &str) {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let seen = match parse(TABLE, style, &arguments) {
            Ok(parsed) => {
                let given: Vec<String> =
                    parsed.in_order().map(|(flag, value)| format!("{}={value}", flag.long)).collect();
                format!("{} | {}", given.join(" "), parsed.operands.join(" "))
            }
            Err(error) => error.gnu("head").lines().next().unwrap_or_default().to_owned(),
        };
        assert_eq!(seen, expected, "{line}");
    }

    #[test]
    fn flags_are_read_as_getopt_reads_them() {
        check(Style::Gnu, "-qn5 f", "quiet=true lines=5 | f");
        check(Style::Gnu, "f -n 5 -v", "lines=5 verbose=true | f");
        check(Style::Gnu, "--lin=5 -- -q", "lines=5 | -q");
        check(Style::Gnu, "-", " | -");
        check(Style::Gnu, "-x", "head: invalid option -- 'x'");
        check(Style::Gnu, "--foo", "head: unrecognized option '--foo'");
        check(Style::Gnu, "-n", "head: option requires an argument -- 'n'");
        check(Style::Gnu, "--lines", "head: option '--lines' requires an argument");
        check(Style::Gnu, "--quiet=1", "head: option '--quiet' doesn't allow an argument");
        check(Style::Gnu, "-z", "head -z is not simulated in Portside");
        check(Style::GnuInOrder, "-q cmd -n 5", "quiet=true | cmd -n 5");
    }

    #[test]
    fn flags_are_read_as_pflag_reads_them() {
        check(Style::Pflag, "a -n=5 --quiet=false", "lines=5 quiet=false | a");
        check(Style::Pflag, "--dry-run a", "dry-run=unchanged | a");
        check(Style::Pflag, "--dry-run=client a", "dry-run=client | a");
        check(Style::Pflag, "--lin=5", "head: unrecognized option '--lin'");
    }
}
