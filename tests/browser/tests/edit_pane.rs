//! `kubectl edit`: the pane that it opens in the place of the files, with Save and Cancel.

use portside_browser_tests::{Page, key, visit};

/// The command that the tests type.
const EDIT: &str = "kubectl edit service web -n demo";

/// Types the command and waits for its pane; the text that is to be edited.
fn open_pane(page: &Page) -> String {
    page.terminal_start(EDIT);
    page.find("button", "Save");
    let text = page.yaml();
    assert!(text.starts_with("# Please edit the object below."), "the object as text, but:\n{text}");
    text
}

/// What the service's port is now.
fn port(page: &Page) -> String {
    page.terminal("kubectl get service web -n demo -o jsonpath='{.spec.ports[0].port}'")
}

#[test]
fn saving_changes_the_object_and_gives_the_prompt_back() {
    visit("edit-save", |page| {
        let text = open_pane(page);
        page.paste_yaml(&text.replace("- port: 80\n", "- port: 8080\n"));
        page.click("button", "Save");
        page.wait_text("log", "Terminal", "service/web edited");
        // The files are back where they were, and the next command is taken.
        page.find("tab", "demo.yaml");
        assert_eq!(port(page), "8080");
    });
}

#[test]
fn cancelling_changes_nothing() {
    visit("edit-cancel", |page| {
        let text = open_pane(page);
        page.paste_yaml(&text.replace("- port: 80\n", "- port: 8080\n"));
        page.click("button", "Cancel");
        page.wait_text("log", "Terminal", "Edit cancelled, no changes made.");
        assert_eq!(port(page), "80");
    });
}

#[test]
fn what_the_server_refuses_comes_back_with_the_reason_and_keeps_what_was_typed() {
    visit("edit-refused", |page| {
        let text = open_pane(page);
        page.paste_yaml(&text.replace("- port: 80\n", "- port: 70000\n"));
        page.click("button", "Save");
        let again = page.wait_for("the text with the reason", |page| {
            let text = page.yaml();
            text.contains("must be between 1 and 65535").then_some(text)
        });
        assert!(again.contains("- port: 70000\n"), "what was typed is still there:\n{again}");
        // A correction is taken.
        page.paste_yaml(&again.replace("70000", "8080"));
        page.click("button", "Save");
        page.wait_text("log", "Terminal", "service/web edited");
        assert_eq!(port(page), "8080");
    });
}

#[test]
fn the_keyboard_alone_edits_and_saves_and_ctrl_c_takes_the_text_back() {
    visit("edit-keyboard", |page| {
        open_pane(page);
        // The text has the focus: its end is where the status stands.
        page.press(&[key::CONTROL, 'a']);
        page.press(&[key::RIGHT]);
        page.press(&[' ']);
        page.press(&[key::CONTROL, key::ENTER]);
        page.wait_text("log", "Terminal", "Edit cancelled, no changes made.");
        page.wait_for("the focus in the terminal", |page| {
            let name = page.script("return document.activeElement?.getAttribute('aria-label')", &[]);
            (name == "Terminal").then_some(())
        });
        open_pane(page);
        page.type_into("textbox", "Terminal", "");
        page.press(&[key::CONTROL, 'c']);
        page.find("tab", "demo.yaml");
        assert!(!page.has("button", "Save"), "the command is gone, and its text with it");
    });
}
