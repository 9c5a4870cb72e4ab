//! The terminal and the YAML editor of the page, as one uses them.

use crate::page::{GLANCE, PATIENCE, Page, element_json, key};
use serde_json::json;
use std::thread::sleep;
use std::time::Instant;

impl Page {
    /// Types a line into the terminal, presses Enter, waits until the prompt is back and returns what was
    /// printed. The log says by `aria-busy` that nothing waits for input yet.
    pub fn terminal(&self, command: &str) -> String {
        let before = echoes(&self.text("log", "Terminal"), command).count();
        self.terminal_start(command);
        self.wait_for(&format!("the prompt after `{command}`"), |page| {
            let log = page.find("log", "Terminal");
            let busy = page
                .script("return arguments[0].getAttribute('aria-busy') === 'true'", &[element_json(&log)]);
            if busy == json!(true) {
                return None;
            }
            let text = page.text("log", "Terminal");
            if command == "clear" {
                return Some(String::new());
            }
            let echo_end = echoes(&text, command).nth(before)?;
            Some(output_after(&text, echo_end, command))
        })
    }

    /// Repeats a command until it prints some words; returns that output.
    ///
    /// # Panics
    ///
    /// When it does not print them in time.
    pub fn terminal_until(&self, command: &str, words: &str) -> String {
        let started = Instant::now();
        loop {
            let output = self.terminal(command);
            if output.contains(words) {
                return output;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "`{command}` did not print {words:?} within {PATIENCE:?}, but:\n{output}"
            );
            sleep(GLANCE * 10);
        }
    }

    /// Types a line into the terminal and presses Enter, for a command that goes on until Ctrl-C.
    pub fn terminal_start(&self, command: &str) {
        self.type_into("textbox", "Terminal", command);
        self.type_into("textbox", "Terminal", &key::ENTER.to_string());
    }

    /// Brings a file into the editor, a new one if there is none of this name, and pastes text over it.
    pub fn paste_file(&self, name: &str, text: &str) {
        if self.has("tab", name) {
            self.click("tab", name);
        } else {
            self.click("button", "New file");
            self.type_into("textbox", "File name", &format!("{name}{}", key::ENTER));
            self.find("tab", name);
        }
        self.paste_yaml(text);
    }

    /// The text in the YAML editor.
    pub fn yaml(&self) -> String {
        let text = self.wait_for("the editor's text", |page| {
            let editor = page.find("textbox", "YAML");
            // The editor script has an element for each line; innerText would count empty ones twice.
            let text = "const [editor] = arguments;
                        return editor.value ?? [...editor.children].map((line) => line.textContent).join('\\n');";
            page.try_script(text, &[element_json(&editor)]).ok()
        });
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Replaces the text in the YAML editor, as one who selects all and pastes does.
    pub fn paste_yaml(&self, text: &str) {
        // The plain editor gives way to the better one once that has loaded: then it is tried again.
        self.wait_for("an editor that takes a paste", |page| page.try_paste_yaml(text));
    }

    fn try_paste_yaml(&self, text: &str) -> Option<()> {
        let editor = self.find("textbox", "YAML");
        self.try_script("arguments[0].focus(); arguments[0].select?.()", &[element_json(&editor)]).ok()?;
        self.press(&[key::CONTROL, 'a']);
        let pasted = self.try_script(
            r#"
            const [editor, text] = arguments;
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true, composed: true });
            // A page that does not handle the paste leaves it to the browser, which ignores a scripted one.
            if (editor.dispatchEvent(paste)) document.execCommand("insertText", false, text);
            "#,
            &[element_json(&editor), json!(text)],
        );
        pasted.ok().map(|_| ())
    }
}

/// Where the lines end that show a prompt and this command.
fn echoes<'a>(log: &'a str, command: &'a str) -> impl Iterator<Item = usize> + 'a {
    let mut end = 0;
    log.split_inclusive('\n').filter_map(move |line| {
        end += line.len();
        let shown = line.trim_end();
        shown.ends_with(command).then_some(end)
    })
}

/// What the log holds after a command's line, without the prompt that followed it.
fn output_after(log: &str, echo_end: usize, command: &str) -> String {
    let echo = log[..echo_end].trim_end();
    let echo = &echo[echo.rfind('\n').map_or(0, |at| at + 1)..];
    let prompt = echo.strip_suffix(command).unwrap_or_default().trim();
    let output = log[echo_end..].trim_end();
    let without_prompt = output.strip_suffix(prompt).unwrap_or(output);
    without_prompt.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{echoes, output_after};

    #[test]
    fn output_is_what_follows_the_last_line_with_the_command() {
        let log = "$ ls\na.yaml\n$ ls\na.yaml\nb.yaml\n$ ";
        let last = echoes(log, "ls").last().expect("it was typed");
        assert_eq!(output_after(log, last, "ls"), "a.yaml\nb.yaml");
        assert_eq!(echoes(log, "ls").count(), 2);
    }

    #[test]
    fn a_command_without_output_leaves_nothing() {
        let log = "[root@ci-base ~]# true\n[root@ci-base ~]#";
        let last = echoes(log, "true").last().expect("it was typed");
        assert_eq!(output_after(log, last, "true"), "");
    }
}
