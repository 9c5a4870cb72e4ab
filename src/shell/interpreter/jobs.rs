//! Background jobs of a shell.

use std::cell::Cell;
use std::rc::Rc;

use crate::shell::executor::{Notice, TaskId};
use crate::shell::host::Host;

/// What a job's task and its shell share.
#[derive(Default)]
pub struct JobState {
    status: Cell<Option<i32>>,
    ended: Notice,
}

impl JobState {
    /// The job ends with `status`.
    pub fn finish(&self, status: i32) {
        self.status.set(Some(status));
        self.ended.notify();
    }

    /// The status of an ended job.
    pub fn status(&self) -> Option<i32> {
        self.status.get()
    }

    /// Waits for the end of the job.
    pub async fn wait(&self) -> i32 {
        loop {
            match self.status.get() {
                Some(status) => return status,
                None => self.ended.next().await,
            }
        }
    }
}

/// One job.
#[derive(Clone)]
pub struct Job {
    /// Its number, from 1.
    pub number: u32,
    /// Its process id.
    pub pid: u32,
    /// Its source text.
    pub text: String,
    /// Whether it runs.
    pub state: Rc<JobState>,
    task: Option<TaskId>,
}

impl Job {
    /// As `jobs` shows it; `mark` is `+` for the newest, `-` for the one before it.
    pub fn shown(&self, mark: char) -> String {
        let state = match self.state.status() {
            None => "Running".to_owned(),
            Some(0) => "Done".to_owned(),
            Some(143) => "Terminated".to_owned(),
            Some(137) => "Killed".to_owned(),
            Some(status) => format!("Exit {status}"),
        };
        let running = if self.state.status().is_none() { " &" } else { "" };
        format!("[{}]{mark}  {state:<23} {}{running}", self.number, self.text)
    }
}

/// The jobs of a shell; a clone (a subshell's) has none.
#[derive(Default)]
pub struct Jobs {
    list: Vec<Job>,
    host: Option<Host>,
    /// Whether the jobs end with the shell, as those of a closed terminal do.
    pub end_with_shell: bool,
}

impl Clone for Jobs {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Jobs {
    /// A new job, whose task is set next.
    pub fn add(&mut self, host: &Host, text: &str) -> Job {
        let number = self.list.last().map_or(1, |job| job.number + 1);
        let job =
            Job { number, pid: host.next_process(), text: text.to_owned(), state: Rc::default(), task: None };
        self.list.push(job.clone());
        self.host = Some(host.clone());
        job
    }

    /// Says which task runs a job.
    pub fn set_task(&mut self, number: u32, task: TaskId) {
        if let Some(job) = self.list.iter_mut().find(|job| job.number == number) {
            job.task = Some(task);
        }
    }

    /// All jobs in order, with the mark that `jobs` shows.
    pub fn marked(&self) -> Vec<(char, Job)> {
        let count = self.list.len();
        let mark = |index: usize| match count - index {
            1 => '+',
            2 => '-',
            _ => ' ',
        };
        self.list.iter().enumerate().map(|(index, job)| (mark(index), job.clone())).collect()
    }

    /// The job that `%1`, `%%`, `%text` or a process id names.
    pub fn find(&self, name: &str) -> Option<&Job> {
        match name.strip_prefix('%') {
            Some("" | "%" | "+") => self.list.last(),
            Some(number) if number.parse::<u32>().is_ok() => {
                self.list.iter().find(|job| number == job.number.to_string())
            }
            Some(text) => self.list.iter().find(|job| job.text.starts_with(text)),
            None => self.list.iter().find(|job| name == job.pid.to_string()),
        }
    }

    /// Ends a job with `status`.
    pub fn end(&self, job: &Job, status: i32) {
        if let (Some(host), Some(task), None) = (&self.host, job.task, job.state.status()) {
            host.abort(task);
            job.state.finish(status);
        }
    }

    /// Takes out the jobs that have ended, with their marks.
    pub fn take_ended(&mut self) -> Vec<(char, Job)> {
        let ended = self.marked().into_iter().filter(|(_, job)| job.state.status().is_some()).collect();
        self.list.retain(|job| job.state.status().is_none());
        ended
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        if self.end_with_shell {
            for job in &self.list {
                self.end(job, 129);
            }
        }
    }
}
