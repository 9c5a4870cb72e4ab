//! The harness itself, on a page of its own making: what it says of a page must be so.

use portside_browser_tests::{Page, visit};

/// Replaces the page by a terminal that answers each line after a while, and an editor.
fn stage(page: &Page) {
    page.find("main", "");
    page.script(
        r#"
        document.body.innerHTML = `
          <div role="log" aria-label="Terminal"></div>
          <input aria-label="Terminal">
          <textarea aria-label="YAML">old</textarea>
          <button hidden>Hidden</button><button>Shown or not</button>`;
        const log = document.querySelector("[role=log]");
        const say = (line) => { const row = document.createElement("div"); row.textContent = line; log.append(row); };
        document.querySelector("input").addEventListener("keydown", (event) => {
          if (event.key !== "Enter") return;
          const command = event.target.value;
          event.target.value = "";
          log.setAttribute("aria-busy", "true");
          say("$ " + command);
          setTimeout(() => { say("one " + command); say("two"); log.removeAttribute("aria-busy"); }, 300);
        });
        "#,
        &[],
    );
}

#[test]
fn a_command_is_typed_and_its_output_read() {
    visit("harness-terminal", |page| {
        stage(page);
        for _ in 0..2 {
            assert_eq!(page.terminal("say it"), "one say it\ntwo");
        }
    });
}

#[test]
fn a_paste_replaces_the_text() {
    visit("harness-paste", |page| {
        stage(page);
        page.paste_yaml("kind: Pod\nspec:\n\tx");
        assert_eq!(page.yaml(), "kind: Pod\nspec:\n\tx");
    });
}

#[test]
fn only_what_can_be_seen_is_found() {
    visit("harness-find", |page| {
        stage(page);
        assert!(page.has("button", "Shown"), "a name may be given by its beginning");
        assert!(!page.has("button", "Hidden"));
        assert!(!page.has("link", "Shown"));
    });
}

#[test]
#[should_panic(expected = "errors in the console")]
fn an_error_in_the_console_fails_a_test() {
    visit("harness-console", |page| {
        page.script("console.error('as an example')", &[]);
    });
}

#[test]
#[should_panic(expected = "requests to others")]
fn a_request_to_another_host_fails_a_test() {
    visit("harness-requests", |page| {
        // The page's own policy would not even let it be tried.
        page.devtools("Page.setBypassCSP", &serde_json::json!({ "enabled": true }));
        page.reload();
        page.script("fetch('http://127.0.0.1:9/').catch(() => {})", &[]);
        page.wait_for("the request", |page| (!page.foreign_requests().is_empty()).then_some(()));
    });
}
