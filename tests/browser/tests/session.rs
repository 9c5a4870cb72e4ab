//! What a session is: shared by a link, begun anew, taken back; nothing is lost by a click.

use portside_browser_tests::{Page, key, visit};
use serde_json::json;

/// Pastes a text where the focus is, as a person does outside of the editor.
fn paste_anywhere(page: &Page, text: &str) {
    page.script(
        r#"const data = new DataTransfer();
           data.setData("text/plain", arguments[0]);
           document.querySelector("main").dispatchEvent(
             new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));"#,
        &[json!(text)],
    );
}

#[test]
fn a_link_carries_the_session_and_is_offered_to_be_opened() {
    let link = visit("session-share", |page| {
        page.terminal("kubectl create deployment carried --image=nginx");
        page.click("button", "Share by a link");
        let link = page.find("textbox", "Link");
        drop(link);
        let link = page.script("return document.querySelector('.link-field').value", &[]);
        link.as_str()
            .and_then(|link| link.split_once('#'))
            .map(|(_, rest)| rest.to_owned())
            .expect("a fragment")
    });
    assert!(link.len() < 8_000, "a small session is a short link: {} characters", link.len());
    visit("session-open", |page| {
        page.load(&format!("?opened#{link}"));
        page.find("button", "Ignore");
        let before = page.terminal("kubectl get deployment carried");
        assert!(before.contains("NotFound"), "nothing is opened by itself: {before}");
        page.click("button", "Open");
        page.find("button", "Bring it back");
        page.terminal_until("kubectl get deployment carried", "1/1");
        page.click("button", "Bring it back");
        page.wait_for("the session from before", |page| (!page.has("button", "Bring it back")).then_some(()));
        assert!(page.terminal("kubectl get deployment carried").contains("NotFound"));
    });
}

#[test]
fn a_link_that_is_not_ours_is_refused_in_words() {
    visit("session-bad-link", |page| {
        page.load("?bad#s=AAAA");
        page.wait_for("the words", |page| {
            let said = page.all("status", "");
            (!said.is_empty()
                && page
                    .script("return document.querySelector('.notices').innerText", &[])
                    .as_str()?
                    .contains("cannot be read"))
            .then_some(())
        });
        page.find("textbox", "Terminal");
    });
}

#[test]
fn a_new_cluster_has_the_settings_that_were_chosen() {
    visit("session-settings", |page| {
        page.click("button", "Cluster settings");
        page.find("textbox", "Nodes");
        page.script(
            "const named = (label) => label.textContent.startsWith('Nodes');
             [...document.querySelectorAll('.settings label')].filter(named)
               .find((label) => label.querySelector('input')).querySelector('input').select();",
            &[],
        );
        page.press(&['5']);
        page.press(&[key::TAB]);
        page.click("button", "New cluster");
        page.find("button", "Bring it back");
        assert_eq!(page.terminal("kubectl get nodes -o name").lines().count(), 5);
        page.reload();
        page.find("textbox", "Terminal");
        assert_eq!(page.terminal("kubectl get nodes -o name").lines().count(), 5, "it stays so");
    });
}

#[test]
fn a_deleted_file_comes_back_by_one_click() {
    visit("session-undo-file", |page| {
        let text = page.yaml();
        page.click("button", "Delete");
        page.wait_for("the file to go", |page| (!page.has("tab", "demo.yaml")).then_some(()));
        page.find("button", "Close");
        page.script("document.querySelector('.notice .primary').click()", &[]);
        page.find("tab", "demo.yaml");
        assert_eq!(page.yaml().trim(), text.trim());
    });
}

#[test]
fn a_manifest_pasted_anywhere_is_offered_to_be_opened_as_a_file() {
    visit("session-paste", |page| {
        page.find("textbox", "Terminal");
        paste_anywhere(page, "apiVersion: v1\nkind: Service\nmetadata:\n  name: pasted\n");
        page.click("button", "Open as a file");
        page.find("tab", "pasted-service.yaml");
    });
}

#[test]
fn it_is_said_what_applying_would_change_before_it_changes_and_undo_takes_it_back() {
    visit("session-apply", |page| {
        let text = page.yaml();
        page.paste_yaml(&text.replace("replicas: 3", "replicas: 4"));
        let planned = page.wait_text("list", "Applying would change", "spec.replicas");
        assert!(planned.contains("3 → 4"), "{planned}");
        let replicas = "kubectl -n demo get deployment web -o jsonpath={.spec.replicas}";
        assert_eq!(page.terminal(replicas), "3", "nothing has changed yet");
        page.click("button", "Apply");
        page.wait_for("four replicas", |page| (page.terminal(replicas) == "4").then_some(()));
        page.click("button", "Undo");
        page.wait_for("three again", |page| (page.terminal(replicas) == "3").then_some(()));
    });
}
