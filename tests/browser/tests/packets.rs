//! Following packets: every hop opens, rules light up, flows fill, two packets stand side by side.

use portside_browser_tests::{Page, visit};

/// Sends a request to a Service with nobody behind it, from a node.
fn refused(page: &Page) {
    page.terminal("kubectl create service clusterip empty --tcp=80");
    let address = page.terminal("kubectl get svc empty -o jsonpath={.spec.clusterIP}");
    page.terminal("ssh k8s-w1");
    page.terminal(&format!("curl -sm 2 {address}"));
    page.terminal("exit");
}

/// Sends a request through the Service of the first world, from its client.
fn delivered(page: &Page) {
    page.terminal("kubectl -n demo exec client -- wget -qO /dev/null web");
}

#[test]
fn every_hop_opens_to_its_headers_and_rules() {
    visit("packets-hops", |page| {
        delivered(page);
        page.click("tab", "Packets");
        let trace = page.wait_text("article", "client → web:80", "Destination translated (DNAT)");
        // The hop that decided is open: both headers, and each rule with its table and chain.
        for words in ["before", "after", "nat · KUBE-SERVICES", "-j DNAT --to-destination 10.244."] {
            assert!(trace.contains(words), "{words:?} in:\n{trace}");
        }
        let closed = page.text("article", "client → web:80").lines().count();
        page.click("button", "1client");
        assert!(page.text("article", "client → web:80").lines().count() > closed, "another hop opens");
    });
}

#[test]
fn a_refused_packet_says_what_would_let_it_pass() {
    visit("packets-refused", |page| {
        refused(page);
        page.click("tab", "Packets");
        let trace = page.wait_text("article", "k8s-w1 → empty:80", "To pass:");
        assert!(trace.contains("Service empty must have a ready endpoint"), "{trace}");
        assert!(trace.contains("-j REJECT --reject-with icmp-port-unreachable"), "{trace}");
        page.click("button", "why svc/empty");
        page.wait_text("log", "Terminal", "empty");
    });
}

#[test]
fn rules_that_matched_light_up_among_all_of_the_node() {
    visit("packets-rules", |page| {
        delivered(page);
        let node = page.terminal("kubectl -n demo get pod client -o jsonpath={.spec.nodeName}");
        page.click("tab", "Rules");
        page.click("button", &node);
        let all = page.wait_text("region", &format!("Rules {node}"), "*nat");
        page.click("checkbox", "Only these");
        let matched = page.wait_text("region", &format!("Rules {node}"), "-A KUBE-SERVICES");
        assert!(matched.contains("demo/web"), "{matched}");
        assert!(matched.lines().count() < all.lines().count() / 2, "{matched}");
    });
}

#[test]
fn the_flow_table_fills() {
    visit("packets-flows", |page| {
        delivered(page);
        page.click("tab", "Flows");
        let address = page.script("return document.querySelector('.flows-panel').innerText", &[]);
        let table = address.as_str().unwrap_or_default();
        assert!(table.contains("tcp") && table.contains("udp"), "{table}");
        assert!(page.has("region", "Flows"));
    });
}

#[test]
fn two_packets_stand_side_by_side_and_it_is_said_where_they_part() {
    visit("packets-compare", |page| {
        delivered(page);
        refused(page);
        page.click("tab", "Packets");
        page.click("button", "Put beside the chosen one: client → web:80");
        assert_eq!(page.all("article", "").len(), 2);
        page.wait_text("region", "Packets", "They part at hop 1.");
    });
}

#[test]
fn what_programs_send_while_a_command_runs_is_not_followed() {
    visit("packets-programs", |page| {
        // The client of the first world calls every four seconds.
        page.terminal("sleep 9");
        page.click("tab", "Packets");
        assert!(!page.has("article", "client → web:80"), "nobody asked for the client's packets");
        page.click("tab", "Terminal");
        delivered(page);
        page.click("tab", "Packets");
        page.find("article", "client → web:80");
    });
}
