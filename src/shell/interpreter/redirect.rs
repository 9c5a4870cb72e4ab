//! Redirections: streams led elsewhere.

use super::Shell;
use crate::shell::filesystem::FileError;
use crate::shell::io::{Input, Output, Streams};
use crate::shell::language::tree::{Redirect, RedirectKind};
use crate::shell::places::Dialect;
use crate::shell::tty::Stream;

impl Shell {
    /// The streams of a command after its redirections.
    pub(super) async fn redirected(
        &mut self,
        redirects: &[Redirect],
        streams: &Streams,
    ) -> Result<Streams, String> {
        let mut led = streams.clone();
        for redirect in redirects {
            self.redirect(redirect, &mut led).await?;
        }
        Ok(led)
    }

    async fn redirect(&mut self, redirect: &Redirect, led: &mut Streams) -> Result<(), String> {
        if redirect.descriptor > 2 {
            let nearest = "descriptors 0, 1 and 2";
            return Err(format!(
                "redirection of {} is not simulated in Portside; nearest: {nearest}",
                redirect.descriptor
            ));
        }
        let outer = led.clone();
        let target = match &redirect.kind {
            RedirectKind::Here(text) => {
                let parts = text.get().map(Vec::as_slice).unwrap_or_default();
                led.stdin = Input::text(self.expand_quoted(parts, &outer).await?);
                return Ok(());
            }
            _ => self.expand_single(&redirect.target, &outer).await?,
        };
        let output = match &redirect.kind {
            RedirectKind::HereString => {
                led.stdin = Input::text(target + "\n");
                return Ok(());
            }
            RedirectKind::Read => {
                led.stdin = self.open_input(&target, led)?;
                return Ok(());
            }
            RedirectKind::Duplicate if target.parse::<u32>().is_ok() || target == "-" => {
                return self.duplicate(redirect.descriptor, &target, led);
            }
            RedirectKind::Append | RedirectKind::AppendBoth => self.open_output(&target, true, led)?,
            _ => self.open_output(&target, false, led)?,
        };
        let both = !matches!(redirect.kind, RedirectKind::Write | RedirectKind::Append);
        if both || redirect.descriptor == 2 {
            led.stderr = output.clone();
        }
        if both || redirect.descriptor == 1 {
            led.stdout = output;
        }
        Ok(())
    }

    fn duplicate(&self, descriptor: u32, target: &str, led: &mut Streams) -> Result<(), String> {
        let output = match target {
            "-" => Output::null(),
            "1" => led.stdout.clone(),
            "2" => led.stderr.clone(),
            "0" if descriptor == 0 => return Ok(()),
            other => return Err(format!("{other}: Bad file descriptor")),
        };
        match descriptor {
            0 => led.stdin = Input::null(),
            1 => led.stdout = output,
            _ => led.stderr = output,
        }
        Ok(())
    }

    fn open_input(&self, target: &str, led: &Streams) -> Result<Input, String> {
        match target {
            "/dev/null" => return Ok(Input::null()),
            "/dev/stdin" => return Ok(led.stdin.clone()),
            "/dev/tty" => {
                if let Some(tty) = &self.tty {
                    return Ok(Input::terminal(tty));
                }
            }
            _ => {}
        }
        let files = self.place.files(&self.host);
        let text = files.borrow().read(&self.path(target));
        match text {
            Ok(text) => Ok(Input::text(text.to_string())),
            Err(error) => Err(self.cannot("open", target, error)),
        }
    }

    fn open_output(&self, target: &str, append: bool, led: &Streams) -> Result<Output, String> {
        match target {
            "/dev/null" => return Ok(Output::null()),
            "/dev/stdout" => return Ok(led.stdout.clone()),
            "/dev/stderr" => return Ok(led.stderr.clone()),
            "/dev/tty" => {
                if let Some(tty) = &self.tty {
                    return Ok(Output::terminal(tty, Stream::Output));
                }
            }
            _ => {}
        }
        let path = self.path(target);
        let files = self.place.files(&self.host);
        let exists = files.borrow().entry(&path).is_some();
        let opened = if append && exists {
            files.borrow().check_writable(&path)
        } else {
            files.borrow_mut().write(&path, "")
        };
        match opened {
            Ok(()) => Ok(Output::file(&files, path)),
            Err(error) => Err(self.cannot("create", target, error)),
        }
    }

    /// A file that cannot be opened, in the words of this shell.
    fn cannot(&self, what: &str, target: &str, error: FileError) -> String {
        let words = match (self.dialect, error, what) {
            (Dialect::Bash, _, _) => return format!("{target}: {}", error.words()),
            (Dialect::Ash, FileError::NotFound, "open") => "no such file",
            (Dialect::Ash, FileError::NotFound, _) => "nonexistent directory",
            (Dialect::Dash, FileError::NotFound, "open") => "No such file",
            (Dialect::Dash, FileError::NotFound, _) => "Directory nonexistent",
            _ => error.words(),
        };
        let cannot = if self.dialect == Dialect::Ash { "can't" } else { "cannot" };
        format!("{cannot} {what} {target}: {words}")
    }
}
