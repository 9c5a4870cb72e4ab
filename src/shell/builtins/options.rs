//! `set`: the options of a shell and its positional parameters.

use crate::shell::interpreter::Shell;
use crate::shell::io::Streams;

pub(super) fn set(shell: &mut Shell, arguments: &[String], streams: &Streams) -> Result<(), String> {
    if arguments.is_empty() {
        for (name, variable) in &shell.variables {
            streams.stdout.line(&format!("{name}={}", variable.value));
        }
        return Ok(());
    }
    shell.set_options(arguments)
}

impl Shell {
    /// Reads the arguments of `set`: options, then positional parameters.
    ///
    /// # Errors
    /// The argument that is no option.
    pub fn set_options(&mut self, arguments: &[String]) -> Result<(), String> {
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let on = argument.starts_with('-');
            match argument.as_str() {
                "--" => {
                    self.positional = rest.cloned().collect();
                    return Ok(());
                }
                "-o" | "+o" => {
                    let Some(name) = rest.next() else { return Ok(()) };
                    *self.option(name).ok_or_else(|| name.clone())? = on;
                }
                letters if letters.len() > 1 && letters.starts_with(['-', '+']) => {
                    for letter in letters[1..].chars() {
                        let name = match letter {
                            'e' => "errexit",
                            'u' => "nounset",
                            'x' => "xtrace",
                            'f' => "noglob",
                            'o' => match rest.next() {
                                Some(name) => name,
                                None => return Ok(()),
                            },
                            _ => return Err(argument.clone()),
                        };
                        *self.option(name).ok_or_else(|| name.to_owned())? = on;
                    }
                }
                _ => {
                    self.positional = std::iter::once(argument).chain(rest).cloned().collect();
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn option(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "errexit" => &mut self.options.errexit,
            "nounset" => &mut self.options.nounset,
            "xtrace" => &mut self.options.xtrace,
            "noglob" => &mut self.options.noglob,
            "pipefail" => &mut self.options.pipefail,
            _ => return None,
        })
    }
}
