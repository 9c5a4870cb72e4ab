//! The page as a test uses it: find by role and name, click, type, read, wait.

use crate::driver::{Driver, Extension};
use crate::site::Site;
use fantoccini::Client;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::{Element, ElementRef};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};
use tokio::runtime::{Builder, Runtime};

/// How long anything may take to appear before the test fails: generous, for busy machines.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition is looked at while it is waited for.
const GLANCE: Duration = Duration::from_millis(30);

/// What WebDriver calls an element by, in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The window of a laptop, which design and README speak of.
const LAPTOP: (u32, u32) = (1440, 900);

/// Keys that have no character of their own, as WebDriver writes them.
pub mod key {
    /// Escape.
    pub const ESCAPE: char = '\u{e00c}';
    /// Enter.
    pub const ENTER: char = '\u{e007}';
    /// Tab.
    pub const TAB: char = '\u{e004}';
    /// Control, to hold.
    pub const CONTROL: char = '\u{e009}';
    /// Shift, to hold.
    pub const SHIFT: char = '\u{e008}';
    /// Arrow up.
    pub const UP: char = '\u{e013}';
    /// Arrow down.
    pub const DOWN: char = '\u{e015}';
    /// Arrow left.
    pub const LEFT: char = '\u{e012}';
    /// Arrow right.
    pub const RIGHT: char = '\u{e014}';
}

/// The open page.
#[derive(Debug)]
pub struct Page {
    runtime: Runtime,
    client: Client,
    site: Site,
    errors: RefCell<Vec<String>>,
    requests: RefCell<Vec<String>>,
    // Last: the browser is gone before its driver.
    _driver: Driver,
}

/// Opens the site in a browser of its own and runs a test on it. When the test fails, its screenshot is
/// `screenshots/NAME-failed.png`.
///
/// # Panics
///
/// When the test does, when the console held an error, or when a request left this machine.
pub fn visit<T>(name: &str, test: impl FnOnce(&Page) -> T) -> T {
    let page = Page::open();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let result = test(&page);
        assert_eq!(page.console_errors(), Vec::<String>::new(), "errors in the console");
        assert_eq!(page.foreign_requests(), Vec::<String>::new(), "requests to others");
        result
    }));
    if outcome.is_err() {
        // The test has failed already: a failure to show why must not hide it.
        drop(catch_unwind(AssertUnwindSafe(|| {
            page.screenshot(&format!("{name}-failed"));
            eprintln!("console of {name}: {:#?}", page.console_errors());
        })));
    }
    page.close();
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

impl Page {
    fn open() -> Self {
        let site = Site::serve();
        let driver = Driver::start();
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let client = runtime.block_on(driver.browser(LAPTOP));
        let page = Self {
            runtime,
            client,
            site,
            errors: RefCell::default(),
            requests: RefCell::default(),
            _driver: driver,
        };
        page.size(LAPTOP.0, LAPTOP.1);
        page.load("");
        page
    }

    fn close(&self) {
        // The driver, which is killed next, takes a browser with it that does not close.
        drop(self.runtime.block_on(self.client.clone().close()));
    }

    /// Opens the page anew: with a fragment (`#…`) or a query, or none by "".
    pub fn load(&self, rest: &str) {
        let url = format!("{}{rest}", self.site.url());
        self.runtime.block_on(self.client.goto(&url)).expect("the page opens");
    }

    /// Reloads the page.
    pub fn reload(&self) {
        self.runtime.block_on(self.client.refresh()).expect("the page reloads");
    }

    /// Runs a script in the page (the body of a function) and returns its value.
    ///
    /// # Panics
    ///
    /// When the script throws.
    pub fn script(&self, body: &str, arguments: &[Value]) -> Value {
        self.runtime
            .block_on(self.client.execute(body, arguments.to_vec()))
            .unwrap_or_else(|error| panic!("script failed: {error}\n{body}"))
    }

    /// Calls a method of the Chrome DevTools protocol.
    ///
    /// # Panics
    ///
    /// When Chromium refuses it.
    pub fn devtools(&self, method: &str, parameters: &Value) -> Value {
        let command = Extension::devtools(method, parameters);
        self.runtime
            .block_on(self.client.issue_cmd(command))
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Makes the page this large, in CSS pixels; also narrower than a window can be.
    pub fn size(&self, width: u32, height: u32) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
    }

    /// Sets media features, such as `("prefers-color-scheme", "dark")`.
    pub fn media(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Waits until a question has an answer.
    ///
    /// # Panics
    ///
    /// When it has none in time; `what` says what was waited for.
    pub fn wait_for<T>(&self, what: &str, mut answer: impl FnMut(&Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(answer) = answer(self) {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
            sleep(GLANCE);
        }
    }

    /// All visible elements of a role whose accessible name is `name` or begins with it.
    pub fn all(&self, role: &str, name: &str) -> Vec<Element> {
        let found = self.script(include_str!("find.js"), &[json!(role), json!(name)]);
        let found = found.as_array().cloned().unwrap_or_default();
        found
            .into_iter()
            .map(|element| {
                let id = element[ELEMENT].as_str().expect("find.js returns elements");
                Element::from_element_id(self.client.clone(), ElementRef::from(id.to_owned()))
            })
            .collect()
    }

    /// The element of a role and a name; waits until it is there.
    ///
    /// # Panics
    ///
    /// When it does not appear in time.
    pub fn find(&self, role: &str, name: &str) -> Element {
        self.wait_for(&format!("a {role} named {name:?}"), |page| page.all(role, name).into_iter().next())
    }

    /// Whether an element of this role and name is to be seen now.
    pub fn has(&self, role: &str, name: &str) -> bool {
        !self.all(role, name).is_empty()
    }

    /// Clicks what has this role and name.
    ///
    /// # Panics
    ///
    /// When it is not there or something covers it.
    pub fn click(&self, role: &str, name: &str) {
        let element = self.find(role, name);
        self.runtime
            .block_on(element.click())
            .unwrap_or_else(|error| panic!("cannot click the {role} {name:?}: {error}"));
    }

    /// The text of what has this role and name, as it is rendered.
    pub fn text(&self, role: &str, name: &str) -> String {
        let element = self.find(role, name);
        let text = self.script("return arguments[0].innerText", &[element_json(&element)]);
        text.as_str().unwrap_or_default().replace('\u{a0}', " ")
    }

    /// Waits until the text of what has this role and name contains some words; returns it all.
    ///
    /// # Panics
    ///
    /// When they do not appear in time.
    pub fn wait_text(&self, role: &str, name: &str, words: &str) -> String {
        let started = Instant::now();
        loop {
            let text = self.text(role, name);
            if text.contains(words) {
                return text;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "waited {PATIENCE:?} for {words:?} in the {role} {name:?}, which holds:\n{text}"
            );
            sleep(GLANCE);
        }
    }

    /// Types into what has this role and name; [`key`] has Enter and the like.
    ///
    /// # Panics
    ///
    /// When it cannot be typed into.
    pub fn type_into(&self, role: &str, name: &str, text: &str) {
        let element = self.find(role, name);
        self.runtime
            .block_on(element.send_keys(text))
            .unwrap_or_else(|error| panic!("cannot type into the {role} {name:?}: {error}"));
    }

    /// Presses keys together, wherever the focus is: `[key::CONTROL, 'c']`.
    ///
    /// # Panics
    ///
    /// When the browser refuses.
    pub fn press(&self, keys: &[char]) {
        let down = keys.iter().map(|&value| KeyAction::Down { value });
        let up = keys.iter().rev().map(|&value| KeyAction::Up { value });
        let actions = down.chain(up).fold(KeyActions::new("keyboard".to_owned()), KeyActions::then);
        self.runtime.block_on(self.client.perform_actions(actions)).expect("keys can be pressed");
    }

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
        let editor = self.find("textbox", "YAML");
        let text =
            self.script("return arguments[0].value ?? arguments[0].innerText", &[element_json(&editor)]);
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Replaces the text in the YAML editor, as one who selects all and pastes does.
    pub fn paste_yaml(&self, text: &str) {
        let editor = self.find("textbox", "YAML");
        self.script("arguments[0].focus(); arguments[0].select?.()", &[element_json(&editor)]);
        self.press(&[key::CONTROL, 'a']);
        self.script(
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
    }

    /// Saves what the page shows as `screenshots/NAME.png` and returns the picture.
    ///
    /// # Panics
    ///
    /// When it cannot be taken or written.
    pub fn screenshot(&self, name: &str) -> Vec<u8> {
        let picture = self.runtime.block_on(self.client.screenshot()).expect("a screenshot can be taken");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
        fs::create_dir_all(&folder).expect("the folder of screenshots can be made");
        fs::write(folder.join(format!("{name}.png")), &picture).expect("a screenshot can be written");
        picture
    }

    /// Takes a picture for the documentation: kept as `docs/NAME.png` when `PORTSIDE_PICTURES` is set, so
    /// that what README shows is what the page does.
    ///
    /// # Panics
    ///
    /// When it cannot be taken or written.
    pub fn picture(&self, name: &str) {
        let picture = self.screenshot(name);
        if env::var_os("PORTSIDE_PICTURES").is_some() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
            fs::create_dir_all(&folder).expect("the folder of documents can be made");
            fs::write(folder.join(format!("{name}.png")), picture).expect("a picture can be written");
        }
    }

    /// Errors and warnings of the Content-Security-Policy and of failed requests included, so far.
    pub fn console_errors(&self) -> Vec<String> {
        for entry in self.log("browser") {
            if entry["level"] == "SEVERE" {
                let message = entry["message"].as_str().unwrap_or_default().to_owned();
                self.errors.borrow_mut().push(message);
            }
        }
        self.errors.borrow().clone()
    }

    /// Forgets the errors so far, for a test that provokes some.
    pub fn forget_errors(&self) {
        self.errors.borrow_mut().clear();
    }

    /// Addresses that the page asked for, in order.
    pub fn requests(&self) -> Vec<String> {
        for entry in self.log("performance") {
            let message = entry["message"].as_str().unwrap_or_default();
            let message: Value = serde_json::from_str(message).unwrap_or_default();
            if message["message"]["method"] == "Network.requestWillBeSent" {
                let url = &message["message"]["params"]["request"]["url"];
                let url = url.as_str().unwrap_or_default().to_owned();
                self.requests.borrow_mut().push(url);
            }
        }
        self.requests.borrow().clone()
    }

    /// Those of [`Self::requests`] that went to another place than the site itself.
    pub fn foreign_requests(&self) -> Vec<String> {
        let own = format!("{}/", self.site.origin());
        let mut requests = self.requests();
        requests
            .retain(|url| !url.starts_with(&own) && !url.starts_with("data:") && !url.starts_with("blob:"));
        requests
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self
            .runtime
            .block_on(self.client.issue_cmd(Extension::log(kind)))
            .expect("chromedriver keeps logs");
        entries.as_array().cloned().unwrap_or_default()
    }
}

/// An element as an argument of a script.
fn element_json(element: &Element) -> Value {
    json!({ ELEMENT: element.element_id().as_ref() })
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
