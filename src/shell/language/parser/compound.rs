//! The grammar of compound commands: `if`, `while`, `for`, `case`, `[[`, functions and groups.

use std::rc::Rc;

use super::{CLOSING, Parse, ParseError, Parser, is_name};
use crate::shell::language::tree::{Command, List, Part, Word};

impl Parser<'_> {
    pub(super) fn compound(&mut self) -> Parse<Option<Command>> {
        if let Ok(Some(parts)) = self.try_arithmetic() {
            return Ok(Some(Command::Arithmetic(parts)));
        }
        if self.take("(") {
            let list = self.body()?;
            self.expect(")")?;
            return Ok(Some(Command::Subshell(list)));
        }
        let word = self.raw_word();
        let length = word.chars().count();
        let read: fn(&mut Self) -> Parse<Command> = match word.as_str() {
            "{" => Self::group,
            "if" => Self::if_command,
            "while" => |parser| parser.while_command(false),
            "until" => |parser| parser.while_command(true),
            "for" => Self::for_command,
            "case" => Self::case_command,
            "[[" => Self::test_command,
            "function" => Self::function_word,
            word if CLOSING.contains(&word) => return self.unexpected(),
            word => {
                if is_name(word) && self.text.get(self.at + length) == Some(&'(') {
                    return self.function(word.to_owned());
                }
                return Ok(None);
            }
        };
        self.at += length;
        read(self).map(Some)
    }

    fn group(&mut self) -> Parse<Command> {
        let list = self.body()?;
        self.expect_word("}")?;
        Ok(Command::Group(list))
    }

    fn function_word(&mut self) -> Parse<Command> {
        self.skip_blanks();
        let name = self.raw_word();
        self.at += name.chars().count();
        self.skip_blanks();
        if self.take("(") {
            self.expect(")")?;
        }
        self.function_body(name)
    }

    fn function(&mut self, name: String) -> Parse<Option<Command>> {
        self.at += name.chars().count() + 1;
        self.expect(")")?;
        self.function_body(name).map(Some)
    }

    fn function_body(&mut self, name: String) -> Parse<Command> {
        self.skip_lines()?;
        let body = Rc::new(self.stage()?);
        Ok(Command::Function { name, body })
    }

    fn if_command(&mut self) -> Parse<Command> {
        let mut branches = Vec::new();
        loop {
            let condition = self.body()?;
            self.expect_word("then")?;
            branches.push((condition, self.body()?));
            self.skip_lines()?;
            if self.raw_word() != "elif" {
                break;
            }
            self.at += 4;
        }
        let otherwise = if self.raw_word() == "else" {
            self.at += 4;
            Some(self.body()?)
        } else {
            None
        };
        self.expect_word("fi")?;
        Ok(Command::If { branches, otherwise })
    }

    fn do_group(&mut self) -> Parse<List> {
        self.expect_word("do")?;
        let body = self.body()?;
        self.expect_word("done")?;
        Ok(body)
    }

    fn while_command(&mut self, until: bool) -> Parse<Command> {
        let condition = self.body()?;
        Ok(Command::While { condition, body: self.do_group()?, until })
    }

    fn for_command(&mut self) -> Parse<Command> {
        self.skip_blanks();
        if self.take("((") {
            return self.for_arithmetic();
        }
        let name = self.raw_word();
        if !is_name(&name) {
            return self.unexpected();
        }
        self.at += name.chars().count();
        self.skip_lines()?;
        let words = if self.raw_word() == "in" {
            self.at += 2;
            Some(self.words()?)
        } else {
            None
        };
        self.skip_blanks();
        self.take(";");
        Ok(Command::For { name, words, body: self.do_group()? })
    }

    fn for_arithmetic(&mut self) -> Parse<Command> {
        let mut parts = [Vec::new(), Vec::new(), Vec::new()];
        let inside = self.arithmetic_parts()?;
        let mut index = 0;
        for part in inside {
            match part {
                Part::Text(text) => {
                    for (piece_index, piece) in text.split(';').enumerate() {
                        if piece_index > 0 {
                            index += 1;
                        }
                        match parts.get_mut(index) {
                            Some(held) => held.push(Part::Text(piece.to_owned())),
                            None => return Err(ParseError::Unexpected(";".to_owned())),
                        }
                    }
                }
                other => parts[index].push(other),
            }
        }
        self.skip_blanks();
        self.take(";");
        Ok(Command::ForArithmetic { parts, body: self.do_group()? })
    }

    fn case_command(&mut self) -> Parse<Command> {
        self.skip_blanks();
        let Some(word) = self.word()? else { return self.unexpected() };
        self.expect_word("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_lines()?;
            if self.raw_word() == "esac" {
                self.at += 4;
                return Ok(Command::Case { word, arms });
            }
            self.take("(");
            let mut patterns = Vec::new();
            loop {
                self.skip_blanks();
                let Some(pattern) = self.word()? else { return self.unexpected() };
                patterns.push(pattern);
                self.skip_blanks();
                if !self.take("|") {
                    break;
                }
            }
            self.expect(")")?;
            let body = self.list()?;
            self.skip_lines()?;
            let closed = self.take(";;");
            arms.push((patterns, body));
            if !closed && self.raw_word() != "esac" {
                return self.unexpected();
            }
        }
    }

    fn test_command(&mut self) -> Parse<Command> {
        let mut words = Vec::new();
        loop {
            self.skip_lines()?;
            if self.raw_word() == "]]" {
                self.at += 2;
                return Ok(Command::Test(words));
            }
            let operator = ["&&", "||", "(", ")", "<", ">"].iter().find(|operator| self.take(operator));
            match operator {
                Some(operator) => words.push(Word(vec![Part::Text((*operator).to_owned())])),
                None => match self.word()? {
                    Some(word) => words.push(word),
                    None => return self.unexpected(),
                },
            }
        }
    }
}
