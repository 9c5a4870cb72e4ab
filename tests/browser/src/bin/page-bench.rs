//! Measures the page rows of `make bench` on the built site in headless Chromium and prints them as rows of
//! a Markdown table: what, must hold, measured. A page that cannot be measured fails the program. An argument chooses
//! the groups whose name contains it: `load`, `open`, `command`, `flight`.

use portside_browser_tests::{Page, visit, visit_holding};
use serde_json::{Value, json};
use std::time::Duration;

/// A figure is the median of this many: the machine has other things to do.
const RUNS: usize = 9;

/// Notes, in milliseconds since navigation began, when the terminal is there and has been painted.
const WATCH_OPENING: &str = r#"
new MutationObserver((_, observer) => {
  const box = document.querySelector('[aria-label="Terminal"]:is(textarea, input, [role=textbox])');
  if (!box || box.disabled || box.readOnly) return;
  observer.disconnect();
  requestAnimationFrame(() => {
    const painted = new MessageChannel();
    painted.port1.onmessage = () => { globalThis.terminalReady = performance.now(); };
    painted.port2.postMessage(null);
  });
}).observe(document, { childList: true, subtree: true, attributes: true });
"#;

/// Notes how long the next command takes: from Enter to the frame after the prompt is back.
const WATCH_COMMAND: &str = r#"
const log = document.querySelector('[role=log][aria-label="Terminal"]');
globalThis.commandTook = null;
addEventListener("keydown", function enter(event) {
  if (event.key !== "Enter") return;
  removeEventListener("keydown", enter, true);
  const before = log.textContent.length;
  const started = event.timeStamp;
  (function look() {
    if (log.getAttribute("aria-busy") === "true" || log.textContent.length <= before) return requestAnimationFrame(look);
    const painted = new MessageChannel();
    painted.port1.onmessage = () => { globalThis.commandTook = performance.now() - started; };
    // This is a frame's callback: what it sees is painted before a message can arrive.
    painted.port2.postMessage(null);
  })();
}, true);
"#;

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let groups: [(&str, fn()); 4] = [
        ("load", load),
        ("open", open),
        ("command", || visit("bench-command", command)),
        ("flight", || visit("bench-flight", flight)),
    ];
    for (_, run) in groups.iter().filter(|(name, _)| name.contains(&filter)) {
        run();
    }
}

fn load() {
    visit_holding("_second.wasm", "bench-load", |page| {
        let kilobytes = || format!("{:.1} KB", page.loaded_bytes() as f64 / 1000.0);
        page.find("button", "Service web");
        let first = "first load, everything needed to type the first command, brotli";
        row(first, "≤ 350 KB (aim 300)", &kilobytes());
        page.release();
        page.terminal("kubectl get pods");
        row("whole program with it, fetched after the first paint, brotli", "", &kilobytes());
    });
}

fn open() {
    let openings = (0..RUNS).map(|run| visit("bench-open", |page| opening_ms(page, run)));
    row(
        "page open → terminal accepts a command, fresh profile",
        "≤ 500 ms",
        &milliseconds(openings.collect()),
    );
}

fn command(page: &Page) {
    page.terminal("kubectl create deployment bench --image=nginx --replicas=100");
    page.terminal("kubectl rollout status deployment/bench");
    let pods = page.terminal("kubectl get pods");
    let ready = pods.lines().filter(|line| line.contains(" 1/1 ")).count();
    assert!(ready >= 100, "100 Pods are ready:\n{pods}");
    let took = (0..RUNS).map(|_| command_ms(page, "kubectl get pods"));
    row("`kubectl get pods` → output painted, 100 Pods", "≤ 16 ms", &milliseconds(took.collect()));
}

/// Counts frames from now on, for a second and a bit; `frames` then holds when each was.
const WATCH_FRAMES: &str = "
globalThis.frames = [];
const until = performance.now() + 1500;
requestAnimationFrame(function frame(now) {
  globalThis.frames.push(now);
  if (now < until) requestAnimationFrame(frame);
});
";

/// Two hundred packets at one instant: each call asks DNS and opens a connection.
const VOLLEY: &str =
    "kubectl -n demo exec client -- sh -c 'for i in $(seq 100); do wget -qO /dev/null web; done'";

fn flight(page: &Page) {
    // A node holds 110 Pods: 300 need all three.
    page.terminal("kubectl taint nodes k8s-master node-role.kubernetes.io/control-plane-");
    page.terminal("kubectl create deployment crowd --image=nginx --replicas=300");
    page.terminal("kubectl expose deployment crowd --port=80");
    page.terminal("kubectl rollout status deployment/crowd");
    let rates = (0..RUNS).map(|_| {
        page.script(WATCH_FRAMES, &[]);
        page.terminal_start(VOLLEY);
        std::thread::sleep(Duration::from_millis(1700));
        let frames = page.script("return globalThis.frames", &[]);
        let times: Vec<f64> = frames.as_array().into_iter().flatten().filter_map(number).collect();
        let (first, last) = (times.first().expect("frames came"), times.last().expect("frames came"));
        (times.len() - 1) as f64 * 1000.0 / (last - first)
    });
    let mut rates: Vec<f64> = rates.collect();
    rates.sort_by(f64::total_cmp);
    let figure = format!("{:.0} ({:.0} to {:.0}, {RUNS} runs)", rates[RUNS / 2], rates[0], rates[RUNS - 1]);
    row("frames a second while 200 packets fly over 300 Pods", "60", &figure);
}

fn opening_ms(page: &Page, run: usize) -> f64 {
    page.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": WATCH_OPENING }));
    page.devtools("Network.clearBrowserCache", &json!({}));
    page.load(&format!("?run={run}"));
    page.wait_for("the terminal", |page| number(&page.script("return globalThis.terminalReady", &[])))
}

fn command_ms(page: &Page, command: &str) -> f64 {
    // Old output leaves the scrollback in time: every run begins with an empty one.
    page.terminal("clear");
    std::thread::sleep(Duration::from_millis(200));
    page.script(WATCH_COMMAND, &[]);
    page.terminal(command);
    // What the terminal does next must not fall into the next measurement.
    std::thread::sleep(Duration::from_millis(200));
    page.wait_for("the output", |page| number(&page.script("return globalThis.commandTook", &[])))
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

/// Median and range.
fn milliseconds(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let median = values[values.len() / 2];
    let range = (values[0], values[values.len() - 1]);
    format!("{median:.1} ms ({:.1} to {:.1}, {RUNS} runs)", range.0, range.1)
}

fn row(what: &str, must_hold: &str, measured: &str) {
    println!("| {what} | {must_hold} | {measured} |");
}
