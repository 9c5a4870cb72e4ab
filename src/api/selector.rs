//! Label and field selectors.
//!
//! Owns parsing (`-l app=web,tier!=back,env in (a,b),!x`), matching against labels, and the printed form.
//! Grammar and meaning: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/>.

use std::fmt;

use super::value::{SmolStr, Value};

/// One condition on one label.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// The label's key.
    pub key: SmolStr,
    /// What must hold.
    pub operator: Operator,
    /// The values that the operator compares with, sorted.
    pub values: Vec<SmolStr>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// The label is absent or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The label is a number above the one value.
    Greater,
    /// The label is a number below the one value.
    Less,
}

/// Conditions that must all hold. No conditions select everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    /// The conditions, in the order of their keys.
    pub requirements: Vec<Requirement>,
}

impl Selector {
    /// The selector of a Service: `key: value` pairs. `None` for an empty or absent one, which selects
    /// nothing there.
    #[must_use]
    pub fn of_pairs(pairs: &Value) -> Option<Self> {
        let entries = pairs.entries();
        (!entries.is_empty()).then(|| Self { requirements: entries.iter().map(equals).collect() })
    }

    /// A `LabelSelector` object (`matchLabels`, `matchExpressions`), as workloads have it. An empty one
    /// selects everything; an absent one selects nothing (`None`).
    #[must_use]
    pub fn of_label_selector(selector: &Value) -> Option<Self> {
        selector.as_map()?;
        let mut requirements: Vec<Requirement> =
            selector.get("matchLabels").entries().iter().map(equals).collect();
        for expression in selector.get("matchExpressions").items() {
            let operator = match expression.get("operator").str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                _ => Operator::DoesNotExist,
            };
            let mut values: Vec<SmolStr> = expression.get("values").items().iter().map(Value::smol).collect();
            values.sort_unstable();
            requirements.push(Requirement { key: expression.get("key").smol(), operator, values });
        }
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Some(Self { requirements })
    }

    /// Whether an object with these labels (a map, or null) is selected.
    #[must_use]
    pub fn matches(&self, labels: &Value) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(labels))
    }

    /// The `key=value` pair to look up in an index, where one requirement is an equality.
    #[must_use]
    pub fn any_equality(&self) -> Option<(&SmolStr, &SmolStr)> {
        self.equalities().next()
    }

    /// Every requirement that asks for one value of one key.
    pub fn equalities(&self) -> impl Iterator<Item = (&SmolStr, &SmolStr)> {
        self.requirements.iter().filter_map(|r| match (r.operator, r.values.as_slice()) {
            (Operator::In, [value]) => Some((&r.key, value)),
            _ => None,
        })
    }

    /// Reads the text form of `-l` and of API requests.
    ///
    /// # Errors
    ///
    /// Text that breaks the grammar, in the words of `labels.Parse`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text.trim_start() };
        let mut requirements = Vec::new();
        if parser.rest.is_empty() {
            return Ok(Self { requirements });
        }
        match parser.peek() {
            Token::Word(_) | Token::Not => {}
            other => return Err(format!("found '{other}', expected: !, identifier, or 'end of string'")),
        }
        loop {
            requirements
                .push(parser.requirement().map_err(|why| format!("unable to parse requirement: {why}"))?);
            match parser.token() {
                Token::End => break,
                Token::Comma => match parser.peek() {
                    Token::Word(_) | Token::Not => {}
                    other => return Err(format!("found '{other}', expected: identifier after ','")),
                },
                other => return Err(format!("found '{other}', expected: ',' or 'end of string'")),
            }
        }
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self { requirements })
    }
}

fn equals((key, value): (&SmolStr, &Value)) -> Requirement {
    Requirement { key: key.clone(), operator: Operator::In, values: vec![value.smol()] }
}

impl Requirement {
    fn holds(&self, labels: &Value) -> bool {
        let label = labels.as_map().and_then(|map| map.get(&self.key));
        let listed = |value: &Value| self.values.iter().any(|one| one == value.str());
        match self.operator {
            Operator::In => label.is_some_and(listed),
            Operator::NotIn => !label.is_some_and(listed),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::Greater | Operator::Less => {
                let number = |text: &str| text.parse::<i64>().ok();
                let found = label.and_then(|label| number(label.str()));
                let bound = self.values.first().and_then(|value| number(value));
                match (found, bound, self.operator) {
                    (Some(found), Some(bound), Operator::Greater) => found > bound,
                    (Some(found), Some(bound), _) => found < bound,
                    _ => false,
                }
            }
        }
    }
}

impl fmt::Display for Selector {
    /// `app=web,env in (a,b),!x`; `<none>` for a selector without conditions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.requirements.is_empty() {
            return f.write_str("<none>");
        }
        for (i, requirement) in self.requirements.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        let values = self.values.join(",");
        match (self.operator, self.values.len()) {
            (Operator::Exists, _) => write!(f, "{key}"),
            (Operator::DoesNotExist, _) => write!(f, "!{key}"),
            (Operator::In, 1) => write!(f, "{key}={values}"),
            (Operator::NotIn, 1) => write!(f, "{key}!={values}"),
            (Operator::Greater, _) => write!(f, "{key}>{values}"),
            (Operator::Less, _) => write!(f, "{key}<{values}"),
            (Operator::In, _) => write!(f, "{key} in ({values})"),
            (Operator::NotIn, _) => write!(f, "{key} notin ({values})"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Equals,
    NotEquals,
    Comma,
    Open,
    Close,
    Not,
    Greater,
    Less,
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Word(word) => word,
            Self::Equals => "=",
            Self::NotEquals => "!=",
            Self::Comma => ",",
            Self::Open => "(",
            Self::Close => ")",
            Self::Not => "!",
            Self::Greater => ">",
            Self::Less => "<",
            Self::End => "",
        })
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn token(&mut self) -> Token<'a> {
        self.rest = self.rest.trim_start();
        for (sign, token) in [
            ("==", Token::Equals),
            ("!=", Token::NotEquals),
            ("=", Token::Equals),
            (",", Token::Comma),
            ("(", Token::Open),
            (")", Token::Close),
            ("!", Token::Not),
            (">", Token::Greater),
            ("<", Token::Less),
        ] {
            if let Some(rest) = self.rest.strip_prefix(sign) {
                self.rest = rest;
                return token;
            }
        }
        let end =
            self.rest.find(|c: char| c.is_whitespace() || "=!,()<>".contains(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if word.is_empty() { Token::End } else { Token::Word(word) }
    }

    fn peek(&self) -> Token<'a> {
        Parser { rest: self.rest }.token()
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let negated = self.peek() == Token::Not;
        if negated {
            self.token();
        }
        let key = match self.token() {
            Token::Word(word) => SmolStr::new(word),
            other => return Err(format!("found '{other}', expected: identifier")),
        };
        if negated {
            return Ok(Requirement { key, operator: Operator::DoesNotExist, values: Vec::new() });
        }
        match self.peek() {
            Token::End | Token::Comma => {
                Ok(Requirement { key, operator: Operator::Exists, values: Vec::new() })
            }
            Token::Equals => self.one_value(key, Operator::In),
            Token::NotEquals => self.one_value(key, Operator::NotIn),
            Token::Greater => self.one_value(key, Operator::Greater),
            Token::Less => self.one_value(key, Operator::Less),
            Token::Word("in") => self.value_list(key, Operator::In),
            Token::Word("notin") => self.value_list(key, Operator::NotIn),
            other => Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
        }
    }

    fn one_value(&mut self, key: SmolStr, operator: Operator) -> Result<Requirement, String> {
        self.token();
        let value = match self.peek() {
            Token::Word(word) => {
                self.token();
                SmolStr::new(word)
            }
            Token::End | Token::Comma => SmolStr::default(),
            other => return Err(format!("found '{other}', expected: identifier")),
        };
        Ok(Requirement { key, operator, values: vec![value] })
    }

    fn value_list(&mut self, key: SmolStr, operator: Operator) -> Result<Requirement, String> {
        self.token();
        match self.token() {
            Token::Open => {}
            other => return Err(format!("found '{other}' expected: '('")),
        }
        let mut values = Vec::new();
        match self.peek() {
            Token::Word(_) | Token::Comma | Token::Close => {}
            other => return Err(format!("found '{other}', expected: ',', ')' or identifier")),
        }
        // Commas without a word before or behind them stand for the empty value.
        loop {
            match self.token() {
                Token::Close => break,
                Token::Word(word) => {
                    values.push(SmolStr::new(word));
                    match self.peek() {
                        Token::Comma | Token::Close => {}
                        other => return Err(format!("found '{other}', expected: ',' or ')'")),
                    }
                }
                Token::Comma => {
                    if values.is_empty() || matches!(self.peek(), Token::Comma | Token::Close) {
                        values.push(SmolStr::default());
                    }
                }
                other => return Err(format!("found '{other}', expected: ',', or identifier")),
            }
        }
        values.sort_unstable();
        values.dedup();
        Ok(Requirement { key, operator, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn check(text: &str, printed: &str, yes: bool) {
        let labels = value!({ "app": "web", "n": "4", "tier": "front" });
        let selector = Selector::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(selector.to_string(), printed, "{text}");
        assert_eq!(selector.matches(&labels), yes, "{text}");
    }

    #[test]
    fn selectors_match_labels() {
        check("app=web", "app=web", true);
        check("app==web,tier!=front", "app=web,tier!=front", false);
        check("app in (b, web)", "app in (b,web)", true);
        check("app notin (web)", "app!=web", false);
        check("tier,!env", "!env,tier", true);
        check("", "<none>", true);
        check("app in (,b)", "app in (,b)", false);
        check("n>3", "n>3", true);
        check("n<3,app", "app,n<3", false);
    }

    #[test]
    fn broken_selectors_are_refused() {
        for (text, why) in [
            ("app=web,", "found '', expected: identifier after ','"),
            ("a,,b", "found ',', expected: identifier after ','"),
            ("app in web", "unable to parse requirement: found 'web' expected: '('"),
            ("app in (a", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("=x", "found '=', expected: !, identifier, or 'end of string'"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("!app=x", "found '=', expected: ',' or 'end of string'"),
            ("!", "unable to parse requirement: found '', expected: identifier"),
        ] {
            assert_eq!(Selector::parse(text).err().as_deref(), Some(why), "{text}");
        }
    }
}
