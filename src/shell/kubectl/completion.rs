//! `kubectl completion`: Tab completes kubectl in Portside's terminal without any script.

use super::call::Call;
use super::failure::Outcome;
use super::verb::{Action, Operands, Verb, flags};
use crate::words::Words;

const SHELLS: [&str; 4] = ["bash", "fish", "powershell", "zsh"];

/// `completion`.
pub static VERB: Verb = Verb {
    name: "completion",
    aliases: &[],
    usage: "bash|zsh|fish|powershell",
    summary: Words { en: "Tab completes kubectl already", zh: "Tab 键已能补全 kubectl" },
    flags: flags![],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(run),
};

/// Prints a script that does nothing when it is sourced: the terminal itself completes.
fn run(call: &Call) -> Outcome {
    match call.operands() {
        [] => Err(call.usage_error("Shell not specified.")),
        [shell] if SHELLS.contains(&shell.as_str()) => {
            call.say("# Portside completes kubectl by itself: press Tab. Nothing needs to be loaded.");
            Ok(())
        }
        [shell] => Err(call.usage_error(&format!("Unsupported shell type \"{shell}\"."))),
        _ => Err(call.usage_error("Too many arguments. Expected only the shell type.")),
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn a_script_for_a_known_shell_can_be_sourced() {
        check("kubectl completion bash > script; source script && echo ok", "ok", 0);
        check(
            "kubectl completion tcsh",
            "error: Unsupported shell type \"tcsh\".\nSee 'kubectl completion -h' for help and examples",
            1,
        );
    }
}
