//! kube-proxy's rules as Services come, change and go: recorded walks are walked again, and after each step the rules
//! of a node are those that kube-proxy wrote.
//!
//! The walks are `network/rules-walk`; `proxy-rules MODE NODE` stands in them for "the rules of that node now", in the
//! form in which kube-proxy hands them over. Addresses of Pods, and what is hashed from them, are free; how many Pods
//! run on which node is not, so a world is taken whose chance put them there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use portside::cluster::settings::ProxyMode;
use portside::cluster::{Kubelets, Settings};
use portside::session::format::{Exchange, Session, Step};
use portside::session::replay::{File, Replay};

/// A rule that can be compared: its table and chain, and its options in any order.
type Rule = (String, BTreeSet<String>);

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/network/rules-walk").join(name)
}

fn files(folder: &Path) -> Vec<File> {
    let entries =
        fs::read_dir(folder).expect("the walk is there").map(|entry| entry.expect("it can be listed"));
    entries
        .map(|entry| {
            let text = fs::read_to_string(entry.path()).expect("walks are text");
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect()
}

/// The Pods of a `get pods -o wide` by node and address, the nodes and addresses as text.
fn pods(output: &str) -> BTreeSet<(String, String)> {
    let rows = output.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|cells| cells.len() > 6).map(|cells| (cells[6].to_owned(), cells[5].to_owned())).collect()
}

/// Rules of `iptables`, as kube-proxy writes them or as `iptables-save` prints them.
fn iptables_rules(text: &str) -> BTreeSet<Rule> {
    let (mut table, mut rules) = (String::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            name.clone_into(&mut table);
        } else if let Some(rule) = line.strip_prefix("-A ") {
            let (chain, rest) = rule.split_once(' ').expect("a rule does something");
            if !rule.contains("FLANNEL") && !rule.contains("flanneld") {
                rules.insert((format!("{table} {chain}"), options(rest)));
            }
        }
    }
    rules
}

/// The options of a rule. A comment lasts until the next option, with or without quotes.
fn options(rule: &str) -> BTreeSet<String> {
    let mut options: Vec<String> = Vec::new();
    let mut not = "";
    let mut quoted = false;
    for word in rule.split(' ') {
        let starts = !quoted && word.starts_with('-') && word.len() > 1 && word != "->";
        if !quoted && word == "!" {
            not = "! ";
        } else if starts {
            options.push(format!("{not}{word}"));
            not = "";
        } else {
            let last = options.last_mut().expect("a rule begins with an option");
            last.push(' ');
            last.push_str(&word.replace('"', ""));
        }
        quoted ^= word.matches('"').count() % 2 == 1;
    }
    options.into_iter().filter_map(|option| plain(&option)).collect()
}

/// An option as both sides say it; `None` for what only one of them says.
fn plain(option: &str) -> Option<String> {
    let (name, value) = option.rsplit_once(' ').unwrap_or((option, ""));
    let plain = match name.trim_start_matches("! ") {
        "-m" | "--mask" | "--reject-with" => return None,
        _ if option == "--rsource" => return None,
        "-s" | "-d" if !value.contains('/') => format!("{name} {value}/32"),
        "--xor-mark" => format!("--set-xmark {value}/0x0"),
        "--or-mark" => format!("--set-xmark {value}/{value}"),
        "--probability" => format!("{name} {:.8}", value.parse::<f64>().expect("a probability is a number")),
        "--ctstate" => {
            let mut states: Vec<&str> = value.split(',').collect();
            states.sort_unstable();
            format!("{name} {}", states.join(","))
        }
        _ => option.to_owned(),
    };
    Some(plain)
}

/// Chains of endpoints, whose names are hashed from addresses, get their endpoints for names.
fn name_endpoints(text: &str) -> String {
    let mut named = text.to_owned();
    for line in text.lines().filter(|line| line.contains("--to-destination")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let chain = words.iter().find(|word| word.starts_with("KUBE-SEP-")).expect("endpoints have chains");
        let service = line.split("--comment ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("");
        let to = words.last().expect("a rule has words");
        named = named.replace(chain, &format!("SEP[{}:{to}]", service.trim_matches('"')));
    }
    named
}

/// Rules of nftables, line by line, without the hashes of endpoints.
fn nftables_rules(text: &str) -> BTreeSet<Rule> {
    let without_hash = |word: &str| match word.strip_prefix("endpoint-") {
        Some(rest) => format!("endpoint-{}", rest.split_once('-').map_or(rest, |(_, name)| name)),
        None => word.to_owned(),
    };
    let line = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(without_hash).collect();
        (words.join(" "), BTreeSet::new())
    };
    text.lines().filter(|text| !text.starts_with('#')).map(line).collect()
}

fn rules(mode: ProxyMode, text: &str) -> BTreeSet<Rule> {
    match mode {
        ProxyMode::Nftables => nftables_rules(text),
        _ => iptables_rules(&name_endpoints(text)),
    }
}

/// A world in which the first steps of a walk put as many Pods on each node as they did when it was recorded.
fn world(mode: ProxyMode, files: &[File], recorded: &BTreeSet<(String, String)>) -> Replay {
    let by_node = |pods: &BTreeSet<(String, String)>| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        pods.iter().for_each(|(node, _)| *counts.entry(node.clone()).or_default() += 1);
        counts
    };
    for seed in 1..100 {
        let settings = Settings { kubelet: Kubelets::StandIn, proxy_mode: mode, seed, ..Settings::default() };
        let mut replay = Replay::new(settings, files);
        // The recorded cluster's kube-proxy knew no DNS.
        replay.command("kubectl delete svc kube-dns -n kube-system");
        replay.command("kubectl create -f web.yaml");
        replay.step(&Step::Directive("until".to_owned(), "endpoints web 3".to_owned()));
        let found = pods(&replay.command("kubectl get pods -o wide").output);
        if by_node(&found) == by_node(recorded) {
            return replay;
        }
    }
    panic!("no world has its Pods where they were");
}

/// Walks a walk; `wanted` is how often rules are looked at.
fn walk(name: &str, mode: ProxyMode, wanted: usize) {
    let folder = folder(name);
    let files = files(&folder);
    let text = fs::read_to_string(folder.join("session.txt")).expect("the walk is there");
    let session = Session::parse(&text);
    let listed = session.exchanges().find(|one| one.command == "kubectl get pods -o wide");
    let recorded = pods(&listed.expect("the walk lists its Pods").output);
    let mut replay = world(mode, &files, &recorded);
    let ours = pods(&replay.command("kubectl get pods -o wide").output);
    let addresses: Vec<(&String, &String)> =
        recorded.iter().map(|(_, ip)| ip).zip(ours.iter().map(|(_, ip)| ip)).collect();
    let mut looked = 0;
    let mut begun = false;
    for step in &session.steps {
        let Step::Command(Exchange { command, output, .. }) = step else {
            replay.step(step);
            continue;
        };
        begun |= command == "kubectl apply -f web.yaml";
        let Some(node) = command.strip_prefix("proxy-rules ").and_then(|rest| rest.split(' ').nth(1)) else {
            if command != "kubectl apply -f web.yaml" {
                replay.command(command);
            }
            continue;
        };
        looked += 1;
        if !begun {
            continue; // The world has its Pods already; the same rules stand beside others later.
        }
        replay.command("sleep 2");
        let found = replay.host().with(|simulation| match mode {
            ProxyMode::Nftables => simulation.network.nftables(node),
            _ => simulation.network.iptables_save(node, ""),
        });
        let mut output = output.clone();
        for (theirs, ours) in &addresses {
            // Marked, so that what was replaced is not replaced again.
            output = output.replace(theirs.as_str(), &format!("\u{1}{ours}"));
        }
        let output = output.replace('\u{1}', "");
        let (theirs, found) = (rules(mode, &output), rules(mode, &found.expect("the node exists")));
        let missing: Vec<_> = theirs.difference(&found).collect();
        let surplus: Vec<_> = found.difference(&theirs).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{name}, look {looked} at {node}\nmissing {missing:#?}\nsurplus {surplus:#?}"
        );
    }
    assert_eq!(looked, wanted, "{name}");
}

#[test]
fn iptables_follow_services_as_kube_proxy_wrote_them() {
    walk("97-kube-proxy-iptables", ProxyMode::Iptables, 11);
}

#[test]
fn nftables_follow_services_as_kube_proxy_wrote_them() {
    walk("98-kube-proxy-nftables", ProxyMode::Nftables, 3);
}
