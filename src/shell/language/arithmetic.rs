//! `$((…))`: 64-bit integers, the operators of C, and assignments.

/// Expressions may be nested this deep.
const DEPTH_LIMIT: u32 = 100;

/// The variables of the shell.
pub trait Variables {
    /// The value of a variable, empty if unset.
    fn get(&self, name: &str) -> String;
    /// Sets a variable.
    fn set(&mut self, name: &str, value: String);
}

/// Evaluates `text`; an empty text is 0.
///
/// # Errors
/// The message, in bash's words, without the text that precedes it.
pub fn evaluate(text: &str, variables: &mut dyn Variables) -> Result<i64, String> {
    evaluate_at(text, variables, 0)
}

fn evaluate_at(text: &str, variables: &mut dyn Variables, depth: u32) -> Result<i64, String> {
    let text_of_all = text.trim();
    if text_of_all.is_empty() {
        return Ok(0);
    }
    let mut reader = Reader { rest: text_of_all, whole: text_of_all, variables, depth, live: true };
    let value = reader.comma()?;
    if reader.rest.is_empty() { Ok(value) } else { reader.fail("syntax error in expression") }
}

struct Reader<'a> {
    rest: &'a str,
    whole: &'a str,
    variables: &'a mut dyn Variables,
    depth: u32,
    /// Whether assignments happen: not in the branch that is not taken.
    live: bool,
}

/// Binary operators by level, from the loosest; longer spellings first within a level.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

const ASSIGNMENTS: &[&str] = &["<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "="];

impl Reader<'_> {
    fn fail<T>(&self, message: &str) -> Result<T, String> {
        Err(format!("{}: {message} (error token is \"{}\")", self.whole, self.rest))
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, operator: &str) -> bool {
        self.skip();
        let Some(rest) = self.rest.strip_prefix(operator) else { return false };
        self.rest = rest;
        self.skip();
        true
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Result<i64, String>) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return self.fail("expression recursion level exceeded");
        }
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn comma(&mut self) -> Result<i64, String> {
        let mut value = self.assignment()?;
        while self.take(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn name(&self) -> &str {
        let rest = self.rest.trim_start();
        let end =
            rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
        if rest.starts_with(|first: char| first.is_ascii_digit()) { "" } else { &rest[..end] }
    }

    fn assignment(&mut self) -> Result<i64, String> {
        self.skip();
        let name = self.name().to_owned();
        if !name.is_empty() {
            let behind = self.rest[name.len()..].trim_start();
            let operator = ASSIGNMENTS.iter().find(|operator| behind.starts_with(**operator));
            if let Some(operator) = operator.filter(|operator| **operator != "=" || !behind.starts_with("=="))
            {
                self.rest = &behind[operator.len()..];
                let right = self.deeper(Self::assignment)?;
                let value = match operator.strip_suffix('=') {
                    None | Some("") => right,
                    Some(operation) => {
                        let left = self.value_of(&name)?;
                        self.apply(operation, left, right)?
                    }
                };
                return Ok(self.set(&name, value));
            }
        }
        self.deeper(Self::conditional)
    }

    fn set(&mut self, name: &str, value: i64) -> i64 {
        if self.live {
            self.variables.set(name, value.to_string());
        }
        value
    }

    fn conditional(&mut self) -> Result<i64, String> {
        let condition = self.binary(0)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.when(condition != 0, Self::assignment)?;
        if !self.take(":") {
            return self.fail("`:' expected for conditional expression");
        }
        let no = self.when(condition == 0, Self::conditional)?;
        Ok(if condition != 0 { yes } else { no })
    }

    /// Reads a part whose effects happen only if `live`.
    fn when(&mut self, live: bool, read: fn(&mut Self) -> Result<i64, String>) -> Result<i64, String> {
        let before = self.live;
        self.live = before && live;
        let value = self.deeper(read);
        self.live = before;
        value
    }

    fn operator(&mut self, level: usize) -> Option<&'static str> {
        self.skip();
        let found = LEVELS[level].iter().find(|operator| self.rest.starts_with(**operator))?;
        let behind = &self.rest[found.len()..];
        // `|` is not the first half of `||`, nor `<` of `<<`; `+=` is an assignment.
        let longer = match *found {
            "|" => behind.starts_with('|'),
            "&" => behind.starts_with('&'),
            "<" => behind.starts_with('<'),
            ">" => behind.starts_with('>'),
            "*" => behind.starts_with('*'),
            _ => false,
        };
        if longer || (behind.starts_with('=') && !matches!(*found, "==" | "!=" | "<=" | ">=")) {
            return None;
        }
        Some(found)
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        if level == LEVELS.len() {
            return self.power();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            self.rest = &self.rest[operator.len()..];
            let skipped = (operator == "||" && left != 0) || (operator == "&&" && left == 0);
            let before = self.live;
            self.live = before && !skipped;
            let right = self.binary(level + 1);
            self.live = before;
            left = self.apply(operator, left, right?)?;
        }
        Ok(left)
    }

    fn power(&mut self) -> Result<i64, String> {
        let base = self.unary()?;
        if !self.take("**") {
            return Ok(base);
        }
        let exponent = self.deeper(Self::power)?;
        match u32::try_from(exponent) {
            Ok(exponent) => Ok(base.wrapping_pow(exponent)),
            Err(_) => self.fail("exponent less than 0"),
        }
    }

    fn apply(&self, operator: &str, left: i64, right: i64) -> Result<i64, String> {
        let shift = (right & 63) as u32;
        Ok(match operator {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            _ if right == 0 && !self.live => 0,
            _ if right == 0 => {
                return Err(format!("{}: division by 0 (error token is \"0\")", self.whole));
            }
            "/" => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        })
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.skip();
        for (operator, step) in [("++", 1), ("--", -1)] {
            if self.rest.starts_with(operator) {
                let behind = &self.rest[2..];
                let before = std::mem::replace(&mut self.rest, behind);
                let name = self.name().to_owned();
                if name.is_empty() {
                    self.rest = before;
                    break;
                }
                self.skip();
                self.rest = &self.rest[name.len()..];
                let value = self.value_of(&name)?.wrapping_add(step);
                return Ok(self.set(&name, value));
            }
        }
        for operator in ['-', '+', '!', '~'] {
            if self.rest.starts_with(operator) {
                self.rest = &self.rest[1..];
                let value = self.deeper(Self::unary)?;
                return Ok(match operator {
                    '-' => value.wrapping_neg(),
                    '!' => i64::from(value == 0),
                    '~' => !value,
                    _ => value,
                });
            }
        }
        self.operand()
    }

    fn operand(&mut self) -> Result<i64, String> {
        if self.take("(") {
            let value = self.deeper(Self::comma)?;
            return if self.take(")") { Ok(value) } else { self.fail("missing `)'") };
        }
        let name = self.name().to_owned();
        if !name.is_empty() {
            self.rest = &self.rest[name.len()..];
            let value = self.value_of(&name)?;
            for (operator, step) in [("++", 1), ("--", -1)] {
                if self.rest.trim_start().starts_with(operator) {
                    self.take(operator);
                    self.set(&name, value.wrapping_add(step));
                    break;
                }
            }
            self.skip();
            return Ok(value);
        }
        let end = self.rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '#');
        let digits = &self.rest[..end.unwrap_or(self.rest.len())];
        if digits.is_empty() {
            return self.fail("syntax error: operand expected");
        }
        let Some(value) = number(digits) else {
            return self.fail("value too great for base");
        };
        self.rest = &self.rest[digits.len()..];
        self.skip();
        Ok(value)
    }

    /// The value of a variable: it may hold an expression.
    fn value_of(&mut self, name: &str) -> Result<i64, String> {
        let text = self.variables.get(name);
        if let Ok(value) = text.trim().parse::<i64>()
            && !text.trim().starts_with('0')
        {
            return Ok(value);
        }
        if self.depth >= DEPTH_LIMIT {
            return self.fail("expression recursion level exceeded");
        }
        evaluate_at(&text, self.variables, self.depth + 1)
    }
}

/// `10`, `0x1f`, `017`, `2#101`.
fn number(text: &str) -> Option<i64> {
    if let Some((base, digits)) = text.split_once('#') {
        let base = base.parse::<u32>().ok().filter(|base| (2..=36).contains(base))?;
        return i64::from_str_radix(digits, base).ok();
    }
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i64::from_str_radix(digits, 16).ok();
    }
    match text.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => i64::from_str_radix(digits, 8).ok(),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    impl Variables for BTreeMap<String, String> {
        fn get(&self, name: &str) -> String {
            BTreeMap::get(self, name).cloned().unwrap_or_default()
        }
        fn set(&mut self, name: &str, value: String) {
            self.insert(name.to_owned(), value);
        }
    }

    #[test]
    fn expressions_have_the_values_that_bash_gives_them() {
        let mut variables =
            BTreeMap::from([("x".to_owned(), "7".to_owned()), ("e".to_owned(), "x+1".to_owned())]);
        for (text, expected) in [
            ("1 + 2 * 3", 7),
            ("(1+2)*3", 9),
            ("2**10", 1024),
            ("x % 4", 3),
            ("e * 2", 16),
            ("-x + +1", -6),
            ("1 < 2 && 3 >= 3", 1),
            ("1 << 4 | 1", 17),
            ("x == 7 ? 10 : 20", 10),
            ("0x1f + 010", 39),
            ("x += 3, x", 10),
            ("x++ + x", 21),
            ("++x", 12),
            ("!x", 0),
            ("0 && (x = 99)", 0),
            ("x", 12),
            ("", 0),
            ("9223372036854775807 + 1", i64::MIN),
        ] {
            assert_eq!(evaluate(text, &mut variables), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_an_error_in_the_words_of_bash() {
        let mut variables = BTreeMap::from([("a".to_owned(), "a".to_owned())]);
        for (text, expected) in [
            ("1/0", "1/0: division by 0 (error token is \"0\")"),
            ("1 +", "1 +: syntax error: operand expected (error token is \"\")"),
            ("1 2", "1 2: syntax error in expression (error token is \"2\")"),
        ] {
            assert_eq!(evaluate(text, &mut variables), Err(expected.to_owned()), "{text}");
        }
        assert!(evaluate("a", &mut variables).is_err(), "a variable that names itself ends");
        assert!(evaluate(&"(".repeat(5_000), &mut variables).is_err(), "deep nesting ends");
    }
}
