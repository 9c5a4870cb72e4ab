//! The load control: many requests at once, and who answers.

use portside_browser_tests::visit;

#[test]
fn a_load_shows_who_answers_as_it_runs() {
    visit("load", |page| {
        page.find("textbox", "Terminal");
        page.click("tab", "Load");
        // From a node, for cluster addresses are not reached from outside.
        page.script(
            "const [from, to] = document.querySelectorAll('.load-panel select');
             const pick = (select, name) => {
               select.value = [...select.options].find((one) => one.textContent.includes(name)).value;
               select.dispatchEvent(new Event('change', { bubbles: true }));
             };
             pick(from, 'k8s-w1'); pick(to, 'demo/web:80');",
            &[],
        );
        page.click("button", "Start");
        let shown = page.wait_text("region", "Load", "pod demo/web-");
        assert!(shown.contains("answered"), "{shown}");
        page.click("button", "Stop");
        page.find("button", "Start");
        let ended = page.text("region", "Load");
        let backends = ended.lines().filter(|line| line.contains("pod demo/web-")).count();
        assert!((1..=3).contains(&backends), "{ended}");
    });
}
