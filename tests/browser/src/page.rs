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
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition is looked at while it is waited for.
pub(crate) const GLANCE: Duration = Duration::from_millis(30);

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
    pub(crate) runtime: Runtime,
    pub(crate) client: Client,
    pub(crate) site: Site,
    pub(crate) errors: RefCell<Vec<String>>,
    pub(crate) requests: RefCell<Vec<String>>,
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
    visit_holding("", name, test)
}

/// Like [`visit`], with a server that does not answer requests for files whose names end in `held` before
/// [`Page::release`].
///
/// # Panics
///
/// As [`visit`] does.
pub fn visit_holding<T>(held: &str, name: &str, test: impl FnOnce(&Page) -> T) -> T {
    let page = Page::open(held);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let result = test(&page);
        assert_eq!(page.foreign_requests(), Vec::<String>::new(), "requests to others");
        assert_eq!(page.console_errors(), Vec::<String>::new(), "errors in the console");
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
    fn open(held: &str) -> Self {
        let site = Site::serve(held);
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

    /// Lets the files arrive that the server has held back.
    pub fn release(&self) {
        self.site.held.release();
    }

    /// Lets them arrive in a while, whatever the page does meanwhile.
    pub fn release_after(&self, wait: Duration) {
        let held = self.site.held.clone();
        std::thread::spawn(move || {
            sleep(wait);
            held.release();
        });
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
        self.try_script(body, arguments).unwrap_or_else(|error| panic!("script failed: {error}\n{body}"))
    }

    /// Runs a script in the page; the error in words when it throws, or when an element that it is given is gone.
    ///
    /// # Errors
    ///
    /// What the browser says.
    pub fn try_script(&self, body: &str, arguments: &[Value]) -> Result<Value, String> {
        let run = self.client.execute(body, arguments.to_vec());
        self.runtime.block_on(run).map_err(|error| error.to_string())
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
}

/// An element as an argument of a script.
pub(crate) fn element_json(element: &Element) -> Value {
    json!({ ELEMENT: element.element_id().as_ref() })
}
