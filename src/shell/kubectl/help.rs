//! `kubectl help` and `--help`: made from the declarations.
//!
//! Owns the layout; the words are those of the verbs and flags.

use super::failure::{Failure, Outcome};
use super::verb::{GLOBAL, Verb};
use super::{VERBS, suggest};
use crate::shell::command::Flag;
use crate::shell::invocation::Invocation;
use crate::words::{Language, Words};

const USAGE: Words = Words { en: "Usage", zh: "用法" };
const VERBS_TITLE: Words = Words { en: "Verbs", zh: "子命令" };
const FLAGS_TITLE: Words = Words { en: "Flags", zh: "选项" };
const EVERYWHERE: Words = Words { en: "Flags of every verb", zh: "所有子命令通用的选项" };
const MORE: Words = Words {
    en: "\"kubectl VERB --help\" says more about one verb.",
    zh: "“kubectl 子命令 --help” 显示该子命令的详细用法。",
};

/// Prints the help of kubectl, or of the verb that `words` name.
///
/// # Errors
/// A verb that does not exist.
pub fn print(invocation: &Invocation, words: &[String]) -> Outcome {
    let Some((first, rest)) = words.split_first() else {
        let language = invocation.host.language();
        let mut text = format!("{}: kubectl VERB [TYPE [NAME]] [FLAG]...\n\n", USAGE.in_language(language));
        list_verbs(&mut text, VERBS, language);
        text.push_str(&format!("\n{}\n", MORE.in_language(language)));
        invocation.stdout().write(&text);
        return Ok(());
    };
    let Some(mut verb) = VERBS.iter().copied().find(|verb| verb.answers_to(first)) else {
        return Err(suggest::unknown(first));
    };
    let mut path = format!("kubectl {}", verb.name);
    for word in rest {
        let Some(child) = verb.children.iter().copied().find(|child| child.answers_to(word)) else {
            return Err(Failure::plain(format!("unknown help topic \"{word}\"")));
        };
        verb = child;
        path = format!("{path} {}", verb.name);
    }
    print_verb(invocation, verb, &path);
    Ok(())
}

/// Prints the flags that every verb has (`kubectl options`).
pub fn print_options(invocation: &Invocation) {
    let mut text = String::new();
    list_flags(&mut text, EVERYWHERE, GLOBAL.iter(), invocation.host.language());
    invocation.stdout().write(text.trim_start());
}

/// Prints the help of a verb.
pub fn print_verb(invocation: &Invocation, verb: &Verb, path: &str) {
    let language = invocation.host.language();
    let mut text = format!(
        "{}: {path} {}\n{}\n",
        USAGE.in_language(language),
        verb.usage,
        verb.summary.in_language(language)
    );
    if !verb.children.is_empty() {
        text.push('\n');
        list_verbs(&mut text, verb.children, language);
    }
    let is_global = |flag: &&Flag| GLOBAL.iter().any(|global| global.long == flag.long);
    list_flags(&mut text, FLAGS_TITLE, verb.flags.iter().filter(|flag| !is_global(flag)), language);
    list_flags(&mut text, EVERYWHERE, GLOBAL.iter(), language);
    invocation.stdout().write(&text);
}

fn list_verbs(text: &mut String, verbs: &[&Verb], language: Language) {
    let width = verbs.iter().map(|verb| verb.name.len()).max().unwrap_or(0);
    text.push_str(&format!("{}:\n", VERBS_TITLE.in_language(language)));
    for verb in verbs {
        text.push_str(&format!("  {:width$}  {}\n", verb.name, verb.summary.in_language(language)));
    }
}

fn list_flags<'a>(
    text: &mut String,
    title: Words,
    flags: impl Iterator<Item = &'a Flag>,
    language: Language,
) {
    let flags: Vec<&Flag> = flags.filter(|flag| flag.not_simulated.is_none()).collect();
    let width = flags.iter().map(|flag| flag.spelled().len()).max().unwrap_or(0);
    if flags.is_empty() {
        return;
    }
    text.push_str(&format!("\n{}:\n", title.in_language(language)));
    for flag in flags {
        text.push_str(&format!("  {:width$}  {}\n", flag.spelled(), flag.summary.in_language(language)));
    }
}
