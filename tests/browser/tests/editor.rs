//! The editor script by itself, in the page and under the page's policy.

use portside_browser_tests::{Page, key, visit};
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::Duration;

/// Puts an editor into the page and leaves it at `window.editor`, its events in `window.events`.
fn open_editor(page: &Page, text: &str) {
    page.find("main", "");
    page.script(
        "const host = document.createElement('div');
         host.style.cssText = 'position:fixed;inset:0;height:400px;background:white;z-index:9';
         document.body.append(host);
         window.events = [];
         window.after = document.createElement('button');
         after.textContent = 'After the editor';
         after.style.cssText = 'position:fixed;bottom:0;z-index:9';
         document.body.append(after);
         portside.loadEditor().then(({ create }) => {
           window.editor = create(host, {
             doc: arguments[0], label: 'Trial',
             onChange: (text) => events.push(['change', text]),
             onSubmit: () => events.push(['submit']),
             completions: () => [{ label: 'metadata' }, { label: 'metal' }],
           });
         });",
        &[json!(text)],
    );
    page.find("textbox", "Trial");
    page.script("editor.focus()", &[]);
}

fn document(page: &Page) -> Value {
    page.script("return editor.getDoc()", &[])
}

#[test]
fn typing_reaches_the_page_and_ctrl_enter_submits() {
    visit("editor-typing", |page| {
        open_editor(page, "");
        page.type_into("textbox", "Trial", "kind: Pod");
        assert_eq!(document(page), json!("kind: Pod"));
        page.press(&[key::CONTROL, key::ENTER]);
        let events = page.script("return events.slice(-2)", &[]);
        assert_eq!(events, json!([["change", "kind: Pod"], ["submit"]]));
    });
}

#[test]
fn tab_indents_and_escape_then_tab_leaves() {
    visit("editor-tab", |page| {
        open_editor(page, "a:\n");
        page.press(&[key::DOWN]);
        page.press(&[key::TAB]);
        assert_eq!(document(page), json!("a:\n  "));
        page.press(&[key::ESCAPE]);
        page.press(&[key::TAB]);
        assert_eq!(document(page), json!("a:\n  "));
        let left = page.script("return document.activeElement === after", &[]);
        assert_eq!(left, json!(true));
    });
}

#[test]
fn marks_follow_what_the_page_says() {
    visit("editor-marks", |page| {
        open_editor(page, "kind: Service\nspec:\n  😀: 1\n");
        page.script(
            "editor.setDiagnostics([{ from_line: 3, from_col: 4, to_line: 3, to_col: 5, severity: 'error', message: 'no such field' }]);
             editor.highlightLine(2); editor.revealLine(2); editor.setTheme(true); editor.setTheme(false);",
            &[],
        );
        let root = "document.querySelector('[style*=inset]').shadowRoot";
        let marked = page.script(
            &format!(
                "return [{root}.querySelector('.cm-lintRange-error').textContent,
                         {root}.querySelector('.cm-marked-line').textContent]"
            ),
            &[],
        );
        // Column 4 is after the emoji: columns count characters.
        assert_eq!(marked, json!([":", "spec:"]));
    });
}

#[test]
fn each_file_has_an_undo_history_of_its_own() {
    visit("editor-files", |page| {
        open_editor(page, "");
        page.script("editor.open('a.yaml', 'a'); editor.focus()", &[]);
        page.type_into("textbox", "Trial", "1");
        let changed = document(page);
        page.script(
            "editor.open('b.yaml', 'b'); editor.focus(); window.first = arguments[0]",
            std::slice::from_ref(&changed),
        );
        page.press(&[key::CONTROL, 'z']);
        assert_eq!(document(page), json!("b"));
        page.script("editor.open('a.yaml', first); editor.focus()", &[]);
        page.press(&[key::CONTROL, 'z']);
        assert_eq!(document(page), json!("a"));
    });
}

#[test]
fn completions_come_from_the_page() {
    visit("editor-completion", |page| {
        open_editor(page, "");
        page.type_into("textbox", "Trial", "met");
        page.find("option", "metadata");
        // For 75 ms after the list opens CodeMirror takes no completion, lest one be taken by mistake.
        sleep(Duration::from_millis(150));
        page.press(&[key::ENTER]);
        assert_eq!(document(page), json!("metadata"));
    });
}

#[test]
fn fields_and_values_are_offered_with_what_they_are_for() {
    visit("editor-fields", |page| {
        page.wait_for("the editor script", |page| {
            page.script("return document.querySelector('.files .script')?.hidden === false", &[])
                .as_bool()
                .filter(|there| *there)
        });
        page.paste_file("shop.yaml", "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\nspec:\n  ");
        page.type_into("textbox", "YAML", "sess");
        page.find("option", "sessionAffinity");
        page.wait_for("what the field is for", |page| {
            let about = page.script("return document.querySelector('.files .script').shadowRoot.querySelector('.cm-completionInfo')?.textContent", &[]);
            about.as_str().filter(|text| text.contains("client")).map(str::to_owned)
        });
        // For 75 ms after the list opens CodeMirror takes no completion, lest one be taken by mistake.
        sleep(Duration::from_millis(150));
        page.press(&[key::ENTER]);
        page.type_into("textbox", "YAML", "Cl");
        page.find("option", "ClientIP");
        sleep(Duration::from_millis(150));
        page.press(&[key::ENTER]);
        assert!(page.yaml().ends_with("  sessionAffinity: ClientIP"), "{}", page.yaml());
    });
}
