//! kube-proxy's rules as Services come, change and go: recorded walks are walked again, and after each step the rules
//! of a node are those that kube-proxy wrote.
//!
//! The walks are in `walks`; `proxy-rules MODE NODE` stands in them for "the rules of that node now", in the
//! form in which kube-proxy hands them over. Addresses of Pods, and what is hashed from them, are free; how many Pods
//! run on which node is not, so a world is taken whose chance put them there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use portside::cluster::settings::ProxyMode;
use portside::cluster::{Kubelets, Settings};
use portside::session::format::{Exchange, Session, Step};
use portside::session::replay::{File, Replay};

/// What tells the rules of the cluster's DNS: its name, the address of its Service, and its Pod's on the control plane.
/// It came up towards the end of the recordings, and its Pods run elsewhere here.
const DNS: [&str; 3] = ["kube-dns", "{ 10.96.0.10 ", "{ 10.244.0.2 "];

/// A rule that can be compared: its table and chain, and its options in any order.
type Rule = (String, BTreeSet<String>);

fn is_of_dns(line: &str) -> bool {
    DNS.iter().any(|sign| line.contains(sign))
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks").join(name)
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
    for line in text.lines().filter(|line| !is_of_dns(line)) {
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

/// Rules of nftables, line by line, without the hashes of endpoints. The recorded kube-proxy was told a smaller range of
/// Service addresses than the one of the measured network.
fn nftables_rules(text: &str) -> BTreeSet<Rule> {
    let text = text.replace("10.96.0.0/16", "10.96.0.0/12");
    let without_hash = |word: &str| {
        let hashed = ["endpoint-", "affinity-", "@affinity-"].into_iter().find(|kind| word.starts_with(kind));
        let Some((kind, name)) = hashed.and_then(|kind| Some((kind, word[kind.len()..].split_once('-')?.1)))
        else {
            return word.to_owned();
        };
        format!("{kind}{name}")
    };
    let line = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(without_hash).collect();
        (words.join(" "), BTreeSet::new())
    };
    text.lines().filter(|text| !text.starts_with('#') && !is_of_dns(text)).map(line).collect()
}

fn rules(mode: ProxyMode, text: &str) -> BTreeSet<Rule> {
    match mode {
        ProxyMode::Nftables => nftables_rules(text),
        _ => iptables_rules(&name_endpoints(text)),
    }
}

/// A world without Pods and without DNS, which the recorded cluster's kube-proxy did not know.
fn bare(mode: ProxyMode, seed: u64, files: &[File]) -> Replay {
    let settings = Settings { kubelet: Kubelets::StandIn, proxy_mode: mode, seed, ..Settings::default() };
    let mut replay = Replay::new(settings, files);
    replay.command("kubectl delete svc kube-dns -n kube-system");
    replay
}

/// The rules of a node once kube-proxy has heard of everything.
fn look(replay: &mut Replay, node: &str) -> String {
    replay.command("sleep 2");
    let found = replay.host().with(|simulation| match simulation.cluster.settings().proxy_mode {
        ProxyMode::Nftables => simulation.network.nftables(node),
        _ => simulation.network.iptables_save(node, ""),
    });
    found.expect("the node exists")
}

/// A world in which the first steps of a walk put as many Pods on each node as they did when it was recorded.
fn world(mode: ProxyMode, files: &[File], recorded: &BTreeSet<(String, String)>) -> Replay {
    let by_node = |pods: &BTreeSet<(String, String)>| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        pods.iter().for_each(|(node, _)| *counts.entry(node.clone()).or_default() += 1);
        counts
    };
    for seed in 1..100 {
        let mut replay = bare(mode, seed, files);
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
    let mut is_empty = true;
    for step in &session.steps {
        let Step::Command(Exchange { command, output, .. }) = step else {
            replay.step(step);
            continue;
        };
        let node = command.strip_prefix("proxy-rules ").and_then(|rest| rest.split(' ').nth(1));
        match node {
            None if command == "kubectl apply -f web.yaml" => is_empty = false,
            None => {
                replay.command(command);
            }
            Some(node) => {
                looked += 1;
                let mut output = output.clone();
                for (theirs, ours) in &addresses {
                    // Marked, so that what was replaced is not replaced again.
                    output = output.replace(theirs.as_str(), &format!("\u{1}{ours}"));
                }
                let theirs = rules(mode, &output.replace('\u{1}', ""));
                // The world that is walked has its Pods from the beginning.
                let found =
                    if is_empty { look(&mut bare(mode, 1, &files), node) } else { look(&mut replay, node) };
                let found = rules(mode, &found);
                let missing: Vec<_> = theirs.difference(&found).collect();
                let surplus: Vec<_> = found.difference(&theirs).collect();
                assert!(
                    missing.is_empty() && surplus.is_empty(),
                    "{name}, look {looked} at {node}\nmissing {missing:#?}\nsurplus {surplus:#?}"
                );
            }
        }
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
