//! The whole way by keyboard alone: no test here touches a mouse.

use portside_browser_tests::{Page, key, visit};
use serde_json::{Value, json};

/// What has the focus: its role or tag, its name, and whether the focus can be seen on it.
fn focused(page: &Page) -> (String, String, bool) {
    let found = page.script(
        "let at = document.activeElement;
         while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
         const seen = (element) => {
           for (let one = element; one; one = one.parentElement ?? one.getRootNode().host) {
             const style = getComputedStyle(one);
             if (one === element && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) return true;
             // Where text is typed, the caret or the frame of the field says it.
             if (element.matches('input[type=text], input:not([type]), textarea, [contenteditable=true]')) return true;
           }
           return false;
         };
         const name = at.getAttribute('aria-label') || [...(at.labels ?? [])].map((one) => one.textContent).join(' ') || at.textContent || '';
         return [at.getAttribute('role') ?? at.tagName.toLowerCase(), name.trim().slice(0, 80), seen(at)];",
        &[],
    );
    let text = |at: usize| found[at].as_str().unwrap_or_default().to_owned();
    (text(0), text(1), found[2] == json!(true))
}

/// Presses Tab (or Shift-Tab) until what has the focus is called so.
fn tab_to(page: &Page, name: &str, back: bool) {
    let mut passed = Vec::new();
    for _ in 0..120 {
        let (role, found, _) = focused(page);
        if found == name || (role == "button" && found.starts_with(name)) {
            return;
        }
        passed.push(format!("{role} {found}"));
        if back { page.press(&[key::SHIFT, key::TAB]) } else { page.press(&[key::TAB]) }
    }
    panic!("Tab never leads to {name:?}, but to {passed:#?}");
}

/// Types characters, wherever the focus is.
fn type_keys(page: &Page, text: &str) {
    for character in text.chars() {
        match character {
            c if c.is_ascii_uppercase() => page.press(&[key::SHIFT, c]),
            c => page.press(&[c]),
        }
    }
}

#[test]
fn the_walk_from_a_manifest_to_a_packet_needs_no_mouse() {
    visit("keyboard-walk", |page| {
        page.find("textbox", "Terminal");
        // A new file, by its button, named and left.
        tab_to(page, "New file", false);
        page.press(&[key::ENTER]);
        page.find("textbox", "File name");
        type_keys(page, "shop.yaml");
        page.press(&[key::ENTER]);
        page.find("tab", "shop.yaml");
        // The editor, by Tab; a paste; Escape and Tab leave it.
        tab_to(page, "YAML", false);
        page.paste_yaml(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: shop\n  labels:\n    app: shop\nspec:\n  containers:\n  - name: nginx\n    image: nginx\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: shop\nspec:\n  selector:\n    app: shop\n  ports:\n  - port: 80\n",
        );
        page.wait_text("list", "Applying would change", "Service shop");
        // Apply, by its shortcut.
        page.press(&[key::CONTROL, key::ENTER]);
        page.wait_text("log", "Terminal", "service/shop created");
        page.press(&[key::ESCAPE]);
        tab_to(page, "Terminal", false);
        type_keys(page, "kubectl wait pod shop --for=condition=ready");
        page.press(&[key::ENTER]);
        page.wait_text("log", "Terminal", "condition met");
        // The inspector, by the palette.
        page.press(&[key::CONTROL, 'k']);
        page.find("dialog", "Find anything");
        type_keys(page, "shop");
        page.wait_for("the Service to be found", |page| page.has("option", "◎shop").then_some(()));
        page.press(&[key::ENTER]);
        page.wait_text("region", "Inspector", "ClusterIP");
        // A packet, by its form, from the workstation's node.
        tab_to(page, "Send a packet", true);
        page.press(&[key::ENTER]);
        page.wait_for("the form to take the focus", |page| (focused(page).0 == "select").then_some(()));
        page.press(&[key::DOWN]);
        tab_to(page, "Send", false);
        page.press(&[key::ENTER]);
        page.wait_for("the packet", |page| page.has("button", "Next hop").then_some(()));
        // Its hops, one by one, and all of them.
        tab_to(page, "Next hop", false);
        page.press(&[key::ENTER]);
        tab_to(page, "Packets", false);
        page.press(&[key::ENTER]);
        page.find("region", "Packets");
        // And away with it all.
        page.press(&[key::ESCAPE]);
        page.wait_for("the inspector to close", |page| {
            let open = page.script("return document.querySelectorAll('.inspector.open').length", &[]);
            (open == json!(0)).then_some(())
        });
    });
}

#[test]
fn wherever_tab_leads_the_focus_can_be_seen() {
    visit("keyboard-focus", |page| {
        page.terminal("kubectl -n demo exec client -- wget -qO /dev/null web");
        page.click("tab", "Packets");
        // From the first thing on the page to the last.
        page.script("document.querySelector('a').focus()", &[]);
        let mut unseen = Vec::new();
        let mut seen = 0;
        for _ in 0..90 {
            page.press(&[key::TAB]);
            let (role, name, visible) = focused(page);
            if role == "body" {
                break;
            }
            // The editor keeps Tab for itself: Escape lets it go.
            if name == "YAML" {
                page.press(&[key::ESCAPE]);
            }
            if visible { seen += 1 } else { unseen.push(format!("{role} {name}")) }
        }
        assert_eq!(unseen, Vec::<String>::new());
        assert!(seen > 20, "Tab went through the page: {seen}");
    });
}

#[test]
fn a_dialog_holds_the_focus_and_gives_it_back() {
    visit("keyboard-dialog", |page| {
        page.find("textbox", "Terminal");
        tab_to(page, "Cluster settings", false);
        page.press(&[key::ENTER]);
        page.find("dialog", "Cluster settings");
        for _ in 0..30 {
            page.press(&[key::TAB]);
            let inside = page.script(
                "return document.activeElement === document.body || !!document.activeElement.closest('[role=dialog]')",
                &[],
            );
            assert_eq!(inside, json!(true), "{:?}", focused(page));
        }
        tab_to(page, "Close", false);
        page.press(&[key::ESCAPE]);
        page.wait_for("the focus to come back", |page| (focused(page).1 == "Cluster settings").then_some(()));
    });
}

/// Everything that can be reached and has no name.
const NAMELESS: &str = "
const nameless = [];
for (const one of document.querySelectorAll('button, a[href], input, select, textarea, [tabindex=\"0\"], [role=dialog], section')) {
  if (!one.getClientRects().length) continue;
  const name = one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.textContent.trim() || one.title
    || [...(one.labels ?? [])].map((label) => label.textContent.trim()).join('');
  if (!name) nameless.push(one.outerHTML.slice(0, 120));
}
return nameless;";

#[test]
fn everything_has_a_name_in_both_languages() {
    visit("keyboard-names", |page| {
        page.terminal("kubectl -n demo exec client -- wget -qO /dev/null web");
        for (language, packets) in [("en", "Packets"), ("zh-CN", "数据包")] {
            assert_eq!(page.script("return document.documentElement.lang", &[]), json!(language));
            page.click("tab", packets);
            assert_eq!(page.script(NAMELESS, &[]), Value::Array(Vec::new()));
            page.click("button", if language == "en" { "中文" } else { "English" });
        }
    });
}

#[test]
fn with_reduced_motion_the_way_stands_there_with_numbers() {
    visit("keyboard-still", |page| {
        page.media(&[("prefers-reduced-motion", "reduce")]);
        page.terminal("kubectl -n demo exec client -- wget -qO /dev/null web");
        let shown = page.wait_for("the numbered way", |page| {
            let numbers = page.script("return document.querySelectorAll('.way.still text').length", &[]);
            numbers.as_u64().filter(|count| *count > 1)
        });
        assert!(shown >= 3, "client, node, Pod: {shown}");
        let moving = page.script(
            "return document.getAnimations().filter((one) => one.playState === 'running').length",
            &[],
        );
        assert_eq!(moving, json!(0), "nothing moves");
    });
}
