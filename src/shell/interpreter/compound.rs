//! Compound commands: branches, loops and groups, and what an endless loop costs.

use std::rc::Rc;
use std::time::Duration;

use super::{DEPTH_LIMIT, Flow, NO_FORK, Shell};
use crate::shell::io::Streams;
use crate::shell::language::pattern::matches;
use crate::shell::language::tree::{Command, List, Word};

/// So many rounds of a loop take no virtual time; then each costs [`ROUND_COST`], so that an endless loop
/// neither stops the clock nor the page.
const FREE_ROUNDS: u32 = 1_000;
/// Virtual time of a round beyond the free ones: about what starting a process takes.
const ROUND_COST: Duration = Duration::from_millis(1);

/// Counts the rounds of a loop.
struct Rounds {
    since: u64,
    count: u32,
}

impl Shell {
    pub(super) async fn compound(&mut self, command: &Command, streams: &Streams) -> Flow {
        match command {
            Command::Simple { .. } => Flow::Next,
            Command::Group(list) => self.list(list, streams).await,
            Command::Subshell(list) => {
                let mut inside = self.subshell();
                if inside.depth > DEPTH_LIMIT {
                    return self.refuse(NO_FORK, streams);
                }
                inside.list(list, streams).await;
                self.status = inside.status;
                Flow::Next
            }
            Command::For { name, words, body } => self.for_words(name, words.as_deref(), body, streams).await,
            Command::ForArithmetic { parts, body } => self.for_arithmetic(parts, body, streams).await,
            Command::While { condition, body, until } => {
                self.while_loop(condition, body, *until, streams).await
            }
            Command::If { branches, otherwise } => self.branch(branches, otherwise.as_ref(), streams).await,
            Command::Case { word, arms } => self.case(word, arms, streams).await,
            Command::Arithmetic(parts) => match self.arithmetic(parts, streams).await {
                Ok(value) => {
                    self.status = i32::from(value == 0);
                    Flow::Next
                }
                Err(message) => self.refuse(&format!("((: {message}"), streams),
            },
            Command::Test(words) => self.double_bracket(words, streams).await,
            Command::Function { name, body } => {
                self.functions.insert(name.clone(), Rc::clone(body));
                self.status = 0;
                Flow::Next
            }
        }
    }

    async fn branch(
        &mut self,
        branches: &[(List, List)],
        otherwise: Option<&List>,
        streams: &Streams,
    ) -> Flow {
        for (condition, body) in branches {
            match self.condition(condition, streams).await {
                Flow::Next => {}
                other => return other,
            }
            if self.status == 0 {
                return self.list(body, streams).await;
            }
        }
        self.status = 0;
        match otherwise {
            Some(body) => self.list(body, streams).await,
            None => Flow::Next,
        }
    }

    /// Runs a list whose failure does not count under `set -e`.
    async fn condition(&mut self, list: &List, streams: &Streams) -> Flow {
        self.excused += 1;
        let flow = self.list(list, streams).await;
        self.excused -= 1;
        flow
    }

    async fn case(&mut self, word: &Word, arms: &[(Vec<Word>, List)], streams: &Streams) -> Flow {
        let text = match self.expand_single(word, streams).await {
            Ok(text) => text,
            Err(message) => return self.give_up(&message, streams),
        };
        for (patterns, body) in arms {
            for pattern in patterns {
                match self.expand_pattern(pattern, streams).await {
                    Ok(pattern) if matches(&pattern, &text) => {
                        self.status = 0;
                        return self.list(body, streams).await;
                    }
                    Ok(_) => {}
                    Err(message) => return self.give_up(&message, streams),
                }
            }
        }
        self.status = 0;
        Flow::Next
    }

    async fn for_words(
        &mut self,
        name: &str,
        words: Option<&[Word]>,
        body: &List,
        streams: &Streams,
    ) -> Flow {
        let values = match words {
            None => self.positional.clone(),
            Some(words) => match self.expand_words(words, streams).await {
                Ok(values) => values,
                Err(message) => return self.give_up(&message, streams),
            },
        };
        self.status = 0;
        let mut rounds = self.rounds();
        for value in values {
            self.set(name, value);
            if let Some(flow) = self.round(body, streams, &mut rounds).await {
                return flow;
            }
        }
        Flow::Next
    }

    async fn for_arithmetic(
        &mut self,
        parts: &[Vec<crate::shell::language::tree::Part>; 3],
        body: &List,
        streams: &Streams,
    ) -> Flow {
        let mut rounds = self.rounds();
        let mut result = self.arithmetic(&parts[0], streams).await.map(|_| 1);
        loop {
            if result.is_ok() && !parts[1].is_empty() {
                result = self.arithmetic(&parts[1], streams).await;
            }
            match result {
                Ok(0) => return Flow::Next,
                Ok(_) => {}
                Err(message) => return self.refuse(&format!("((: {message}"), streams),
            }
            if let Some(flow) = self.round(body, streams, &mut rounds).await {
                return flow;
            }
            result = self.arithmetic(&parts[2], streams).await.map(|_| 1);
        }
    }

    async fn while_loop(&mut self, condition: &List, body: &List, until: bool, streams: &Streams) -> Flow {
        let mut rounds = self.rounds();
        let mut status = 0;
        loop {
            match self.condition(condition, streams).await {
                Flow::Next => {}
                other => return other,
            }
            if (self.status == 0) == until {
                self.status = status;
                return Flow::Next;
            }
            if let Some(flow) = self.round(body, streams, &mut rounds).await {
                return flow;
            }
            status = self.status;
        }
    }

    fn rounds(&self) -> Rounds {
        Rounds { since: self.host.now(), count: 0 }
    }

    /// Runs the body of a loop once; an answer ends the loop.
    async fn round(&mut self, body: &List, streams: &Streams, rounds: &mut Rounds) -> Option<Flow> {
        self.loops += 1;
        let flow = self.list(body, streams).await;
        self.loops -= 1;
        rounds.count += 1;
        if self.host.now() != rounds.since {
            *rounds = self.rounds();
        } else if rounds.count >= FREE_ROUNDS {
            self.host.sleep(ROUND_COST).await;
            // This wait is no reason for more free rounds.
            rounds.since = self.host.now();
        }
        self.pause(streams).await;
        match flow {
            Flow::Next | Flow::Continue(1) => None,
            Flow::Break(1) => Some(Flow::Next),
            Flow::Break(levels) => Some(Flow::Break(levels - 1)),
            Flow::Continue(levels) => Some(Flow::Continue(levels - 1)),
            other => Some(other),
        }
    }
}
