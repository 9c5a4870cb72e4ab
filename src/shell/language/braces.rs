//! `{a,b}` and `{1..5}`: one word becomes several, before anything else happens to it.

use super::tree::{Part, Word};

/// One word may become so many.
const WORD_LIMIT: usize = 10_000;

/// A character of unquoted text, or a part that stands for itself.
#[derive(Clone)]
enum Atom {
    Letter(char),
    Part(Part),
}

impl Atom {
    fn is(&self, letter: char) -> bool {
        matches!(self, Self::Letter(held) if *held == letter)
    }
}

/// The words that `word` stands for; itself alone when there are no braces to expand (or too many).
pub fn expand(word: &Word) -> Vec<Word> {
    let has_braces = word.0.iter().any(|part| matches!(part, Part::Text(text) if text.contains('{')));
    if !has_braces {
        return vec![word.clone()];
    }
    let mut atoms = Vec::new();
    for part in &word.0 {
        match part {
            Part::Text(text) => atoms.extend(text.chars().map(Atom::Letter)),
            other => atoms.push(Atom::Part(other.clone())),
        }
    }
    let mut words = Vec::new();
    match expand_atoms(&atoms, &mut words, 0) {
        Some(()) => words.into_iter().map(join).collect(),
        None => vec![word.clone()],
    }
}

fn join(atoms: Vec<Atom>) -> Word {
    let mut parts: Vec<Part> = Vec::new();
    for atom in atoms {
        match (atom, parts.last_mut()) {
            (Atom::Letter(letter), Some(Part::Text(text))) => text.push(letter),
            (Atom::Letter(letter), _) => parts.push(Part::Text(letter.to_string())),
            (Atom::Part(part), _) => parts.push(part),
        }
    }
    Word(parts)
}

/// Adds the words that `atoms` stand for; `None` when they are too many or too deep.
fn expand_atoms(atoms: &[Atom], words: &mut Vec<Vec<Atom>>, depth: u32) -> Option<()> {
    if depth > 60 || words.len() > WORD_LIMIT {
        return None;
    }
    let Some((open, close, choices)) = first_braces(atoms) else {
        words.push(atoms.to_vec());
        return Some(());
    };
    let mut tails = Vec::new();
    expand_atoms(&atoms[close + 1..], &mut tails, depth + 1)?;
    for choice in choices {
        let mut middles = Vec::new();
        expand_atoms(&choice, &mut middles, depth + 1)?;
        for middle in &middles {
            for tail in &tails {
                words.push([&atoms[..open], middle, tail].concat());
            }
            if words.len() > WORD_LIMIT {
                return None;
            }
        }
    }
    Some(())
}

/// The first braces that mean something: where they open and close, and the choices in them.
fn first_braces(atoms: &[Atom]) -> Option<(usize, usize, Vec<Vec<Atom>>)> {
    for open in 0..atoms.len() {
        if !atoms[open].is('{') {
            continue;
        }
        let mut depth = 0_u32;
        let mut commas = vec![open];
        for (index, atom) in atoms.iter().enumerate().skip(open + 1) {
            if atom.is('{') {
                depth += 1;
            } else if atom.is(',') && depth == 0 {
                commas.push(index);
            } else if atom.is('}') && depth > 0 {
                depth -= 1;
            } else if atom.is('}') {
                if commas.len() > 1 {
                    commas.push(index);
                    let choices = commas.windows(2).map(|pair| atoms[pair[0] + 1..pair[1]].to_vec());
                    return Some((open, index, choices.collect()));
                }
                if let Some(choices) = range(&atoms[open + 1..index]) {
                    return Some((open, index, choices));
                }
                break;
            }
        }
    }
    None
}

/// `1..5`, `05..10`, `a..e`, `1..9..2`.
fn range(atoms: &[Atom]) -> Option<Vec<Vec<Atom>>> {
    let mut text = String::new();
    for atom in atoms {
        match atom {
            Atom::Letter(letter) => text.push(*letter),
            Atom::Part(_) => return None,
        }
    }
    let mut ends = text.split("..");
    let (first, last, step) = (ends.next()?, ends.next()?, ends.next());
    let step = match step {
        Some(step) => step.parse::<i64>().ok()?.unsigned_abs().max(1),
        None => 1,
    };
    let mut words = Vec::new();
    if let (Ok(from), Ok(to)) = (first.parse::<i64>(), last.parse::<i64>()) {
        let padded = |end: &str| end.trim_start_matches('-').starts_with('0') && end.len() > 1;
        let width = if padded(first) || padded(last) { first.len().max(last.len()) } else { 0 };
        for value in steps(from, to, step)? {
            words.push(format!("{value:0width$}"));
        }
    } else {
        let letter = |end: &str| {
            let mut letters = end.chars();
            letters.next().filter(|letter| letter.is_ascii_alphabetic() && letters.next().is_none())
        };
        let (from, to) = (letter(first)?, letter(last)?);
        for value in steps(i64::from(u32::from(from)), i64::from(u32::from(to)), step)? {
            words.push(char::from(u8::try_from(value).ok()?).to_string());
        }
    }
    Some(words.iter().map(|word| word.chars().map(Atom::Letter).collect()).collect())
}

fn steps(from: i64, to: i64, step: u64) -> Option<Vec<i64>> {
    let count = usize::try_from(from.abs_diff(to) / step).ok()?;
    if count >= WORD_LIMIT {
        return None;
    }
    let step = i64::try_from(step).ok()?;
    let direction = if to < from { -step } else { step };
    // Only what lies between the ends is reached, so that the sums fit; the products may not.
    Some((0..=count as i64).map(|index| from.wrapping_add(index.wrapping_mul(direction))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_become_words_as_in_bash() {
        for (text, expected) in [
            ("{1..3}", "1 2 3"),
            ("a{b,c}d", "abd acd"),
            ("{a,b}{1,2}", "a1 a2 b1 b2"),
            ("x{a,{b,c}}", "xa xb xc"),
            ("{03..1}", "03 02 01"),
            ("{a..e..2}", "a c e"),
            ("{a}", "{a}"),
            ("{}", "{}"),
            ("{a,", "{a,"),
            ("{1..99999999}", "{1..99999999}"),
            (
                "{-9223372036854775808..9223372036854775807..9223372036854775807}",
                "-9223372036854775808 -1 9223372036854775806",
            ),
        ] {
            let words = expand(&Word(vec![Part::Text(text.to_owned())]));
            let seen: Vec<&str> = words.iter().filter_map(Word::literal).collect();
            assert_eq!(seen.join(" "), expected, "{text}");
        }
    }
}
