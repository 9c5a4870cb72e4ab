//! The page as a whole.

use portside_browser_tests::{key, visit, visit_holding};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn the_page_opens_under_a_sub_path_and_asks_nobody_else_for_anything() {
    visit("opens", |page| {
        page.find("main", "");
        let requests = page.requests();
        assert!(requests.iter().any(|url| url.ends_with(".wasm")), "the program was loaded: {requests:?}");
    });
}

/// The part of the program that comes after the first paint.
const SECOND_PART: &str = "_second.wasm";

/// Everything that is needed to type the first command, by brotli: the second part of the program and the
/// editor script come later. The plan allows 350 KB; this holds what is reached, so that it only shrinks.
const FIRST_LOAD_LIMIT_BYTES: usize = 330_000;

#[test]
fn the_first_load_does_not_grow() {
    visit_holding(SECOND_PART, "first-load", |page| {
        page.find("button", "Service web");
        page.type_into("textbox", "Terminal", "kubectl get pods");
        let bytes = page.loaded_bytes();
        assert!(bytes <= FIRST_LOAD_LIMIT_BYTES, "{bytes} bytes; PORTSIDE_SIZES=1 lists the files");
        assert_eq!(typed(page), "kubectl get pods");
    });
}

/// What stands in the terminal's line.
fn typed(page: &portside_browser_tests::Page) -> Value {
    page.script("return document.getElementById('terminal-input').value", &[])
}

/// How the page asked for the second part: by `fetch`, or at once by `xmlhttprequest`.
fn requests_for_the_second_part(page: &portside_browser_tests::Page) -> Value {
    page.script(
        "return performance.getEntriesByType('resource')
           .filter((entry) => entry.name.endsWith(arguments[0])).map((entry) => entry.initiatorType)",
        &[json!(SECOND_PART)],
    )
}

#[test]
fn a_command_typed_before_the_whole_program_is_there_runs_when_it_is() {
    visit_holding(SECOND_PART, "early-command", |page| {
        let command = "kubectl get service web -n demo";
        page.terminal_start(command);
        assert!(
            page.wait_text("log", "Terminal", command).contains("ci-base"),
            "it stands behind its prompt"
        );
        page.type_into("textbox", "Terminal", "kubectl get");
        assert!(!page.text("log", "Terminal").contains("CLUSTER-IP"), "nothing can have run yet");
        page.release();
        page.wait_text("log", "Terminal", "CLUSTER-IP");
        assert_eq!(typed(page), "kubectl get", "what was typed meanwhile stays");
        page.type_into("textbox", "Terminal", &format!(" pods -n demo{}", key::ENTER));
        page.wait_text("log", "Terminal", "Running");
        assert_eq!(
            requests_for_the_second_part(page),
            json!(["fetch"]),
            "nothing had to wait for it in place"
        );
    });
}

#[test]
fn a_click_that_needs_the_second_part_waits_for_it() {
    visit_holding(SECOND_PART, "early-click", |page| {
        page.find("button", "Service web");
        page.release_after(Duration::from_millis(700));
        page.click("button", "Service web");
        page.wait_text("region", "Inspector", "10.");
        let asked = requests_for_the_second_part(page);
        assert!(asked.as_array().is_some_and(|asked| asked.contains(&json!("xmlhttprequest"))), "{asked}");
        assert!(page.terminal("kubectl get service web -n demo").contains("CLUSTER-IP"));
    });
}

#[test]
fn the_second_part_comes_once_and_after_the_first_paint() {
    visit("second-part", |page| {
        assert!(page.terminal("kubectl get service web -n demo").contains("CLUSTER-IP"));
        assert_eq!(requests_for_the_second_part(page), json!(["fetch"]));
        let order = page.script(
            "const [painted] = performance.getEntriesByName('first-contentful-paint');
             const second = performance.getEntriesByType('resource').find((entry) => entry.name.endsWith(arguments[0]));
             return painted.startTime < second.startTime",
            &[json!(SECOND_PART)],
        );
        assert_eq!(order, json!(true));
    });
}

/// An overflow of no pixels.
fn fits(overflow: &Value) -> bool {
    overflow.as_f64().is_some_and(|by| by <= 0.0)
}

#[test]
fn one_screen_holds_it_all() {
    visit("sizes", |page| {
        page.find("main", "");
        let overflow = "const page = document.scrollingElement;
                        return [page.scrollWidth - innerWidth, page.scrollHeight - innerHeight];";
        for (width, height) in [(1280, 720), (1440, 900), (3840, 2160)] {
            page.size(width, height);
            let by = page.script(overflow, &[]);
            assert!(fits(&by[0]) && fits(&by[1]), "{width} by {height}: {by}");
        }
        // A phone may scroll down, never sideways.
        page.size(360, 740);
        let by = page.script(overflow, &[]);
        assert!(fits(&by[0]), "360 wide: {by}");
    });
}

#[test]
fn the_policy_forbids_inline_scripts() {
    visit("policy", |page| {
        let ran = page.script(
            "const script = document.createElement('script');
             script.textContent = 'globalThis.inlineScriptRan = true';
             document.body.append(script);
             return globalThis.inlineScriptRan === true;",
            &[],
        );
        assert_eq!(ran, json!(false));
        let refused = page.console_errors();
        assert!(
            refused.iter().any(|error| error.contains("inline script")),
            "the browser says so: {refused:?}"
        );
        page.forget_errors();
    });
}
