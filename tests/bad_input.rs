//! Broken manifests and command lines: the real cluster's words where they were recorded, and never a panic.
//!
//! How long hostile text takes is measured in benches/engine.rs, group `text`.

mod typist;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use typist::{Typist, holds};

/// Refusals that need what earlier commands of their session made.
const AFTER_OTHERS: &[&str] = &["seladd.yaml", "selchange.yaml", "ip-taken.yaml", "taken.yaml"];

/// Commands of a recorded session that name one file at most, with what they printed; only refused ones.
fn refused(session: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let (mut command, mut output) = (String::new(), String::new());
    for line in session.lines() {
        if let Some(next) = line.strip_prefix("$ ") {
            (command, output) = (next.to_owned(), String::new());
        } else if line == "[exit 1]" {
            found.push((command.clone(), output.clone()));
        } else if !line.starts_with("# ") {
            output.push_str(line);
            output.push('\n');
        }
    }
    found
}

fn recorded_file(session: &str, name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions").join(session).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn recorded_refusals_are_told_in_the_same_words() {
    let mut seen = 0;
    for session in
        ["50-bad-yaml", "51-bad-types", "53-bad-service-spec", "54-bad-names-labels", "55-bad-deployment"]
    {
        let person = Typist::new();
        for (command, expected) in refused(&recorded_file(session, "session.txt")) {
            let Some(name) = command.strip_prefix("kubectl apply -f ").filter(|name| !name.contains(' '))
            else {
                continue;
            };
            if AFTER_OTHERS.contains(&name) {
                continue;
            }
            person.writes(name, &recorded_file(session, name));
            person.sees(&command, expected.trim_end_matches('\n'), 1);
            seen += 1;
        }
    }
    assert!(seen >= 100, "only {seen} refusals were recorded");
}

#[test]
fn broken_command_lines_are_told_in_the_same_words() {
    let person = Typist::new();
    let session = recorded_file("42-help-and-usage", "session.txt");
    for (line, expected) in refused(&session).iter().take(6) {
        person.sees(line, expected.trim_end_matches('\n'), 1);
    }
}

/// Text that nobody means well with.
fn hostile() -> Vec<(&'static str, String)> {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let last = format!("*a{}", level - 1);
        let _ = writeln!(bomb, "a{level}: &a{level} [{}]", vec![last; 9].join(","));
    }
    let controls = |count: u32| -> String {
        (0..count).map(|number| char::from_u32(number % 32).expect("a control character")).collect()
    };
    let labels: String = (0..20_000).map(|number| format!("    l{number}: v{number}\n")).collect();
    let ports: String =
        (0..5_000).map(|number| format!("  - {{name: p{number}, port: {}}}\n", number + 1)).collect();
    let service =
        |spec: &str| format!("apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {spec}\n");
    let named = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name:?}}}\nspec: {{ports: [{{port: 80}}]}}\n"
        )
    };
    vec![
        ("nothing", String::new()),
        ("one megabyte of lines", "key: value # and a comment\n".repeat(40_000)),
        ("one megabyte in a line", "x".repeat(1_000_000)),
        ("one megabyte of spaces", " ".repeat(1_000_000)),
        ("four megabytes", "a: b\n".repeat(900_000)),
        ("an alias bomb", bomb),
        ("an alias of itself", "a: &a [*a]\n".to_owned()),
        ("a merge of itself", "a: &a {<<: *a}\n".to_owned()),
        ("3,000 nested brackets", "[".repeat(3_000)),
        ("3,000 closed brackets", "[".repeat(3_000) + &"]".repeat(3_000)),
        ("3,000 nested braces", "{a: ".repeat(3_000)),
        ("3,000 nested dashes", "- ".repeat(3_000)),
        ("3,000 nested question marks", "? ".repeat(3_000)),
        ("3,000 nested maps", (0..3_000).map(|number| format!("{}a:\n", " ".repeat(number))).collect()),
        ("3,000 JSON lists", format!("{{\"a\":{}", "[".repeat(3_000))),
        ("JSON cut off", "{\"kind\": \"Service\", \"metadata\": {\"name\": \"we".to_owned()),
        ("control characters", controls(100_000)),
        ("a NUL byte", "apiVersion: v1\0\nkind: Service\n".to_owned()),
        ("a byte order mark", format!("\u{feff}{}", named("web"))),
        ("marks of right-to-left", named("we\u{202e}b\u{200f}")),
        ("invisible spaces", named("we\u{200b}b")),
        ("a name of a megabyte", named(&"x".repeat(1_000_000))),
        ("a name of combining marks", named(&"e\u{301}".repeat(1_000))),
        ("a name of emoji", named("👩‍👩‍👧‍👦")),
        ("replacement characters", named("\u{fffd}\u{fffd}")),
        (
            "20,000 labels",
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels:\n{labels}spec: {{containers: [{{name: c, image: nginx}}]}}\n"
            ),
        ),
        (
            "5,000 ports",
            format!("apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec:\n  ports:\n{ports}"),
        ),
        ("a huge port", service("{ports: [{port: 99999999999999999999999999999}]}")),
        ("a port below all", service("{ports: [{port: -9223372036854775808}]}")),
        ("a port that is no number", service("{ports: [{port: .nan}, {port: .inf}, {port: -.inf}]}")),
        ("a port of 1e400", service("{ports: [{port: 1e400}]}")),
        ("a node port at the end", service("{type: NodePort, ports: [{port: 65536, nodePort: 65536}]}")),
        (
            "an affinity of long ago",
            service(
                "{sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: -2147483649}}, ports: [{port: 80}]}",
            ),
        ),
        ("two billion replicas", deployment("replicas: 2147483648")),
        ("replicas below zero", deployment("replicas: -9223372036854775809")),
        (
            "a quantity of 1e999",
            pod("resources: {requests: {cpu: '1e999', memory: '99999999999999999999Ei'}}"),
        ),
        ("a negative quantity", pod("resources: {requests: {cpu: '-1', memory: '--'}}")),
        ("an image of colons", pod("image: ':::@@@'")),
        ("an empty image", pod("image: ''")),
        ("10,000 documents", "---\na: b\n".repeat(10_001)),
        ("only separators", "---\n".repeat(50_000)),
        ("quotes without an end", "a: \"".repeat(1_000)),
        ("tabs", "\t\t\ta:\n\t- b\n".repeat(100)),
        ("percent signs", "%YAML 9.9\n---\na: b\n".to_owned()),
        ("unknown tags", "a: !!binary ////\nb: !mine {c: d}\nc: !<tag:x> y\n".to_owned()),
        ("carriage returns", named("web").replace('\n', "\r")),
        ("a block scalar indented by 9", "a: |9\n  b\n".to_owned()),
    ]
}

fn deployment(replicas: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  {replicas}\n  selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec: {{containers: [{{name: c, image: nginx}}]}}\n"
    )
}

fn pod(more: &str) -> String {
    let image = if more.starts_with("image") { "" } else { "image: nginx, " };
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers: [{{name: c, {image}{more}}}]\n"
    )
}

#[test]
fn hostile_manifests_are_refused_or_survived() {
    for (name, text) in hostile() {
        let person = Typist::new();
        let written = portside::shell::places::Place::workstation().files(&person.host);
        if written.borrow_mut().write("/root/bad.yaml", &text).is_err() {
            continue;
        }
        for verb in ["create", "apply", "replace", "delete"] {
            let output = person.types(&format!("kubectl {verb} -f bad.yaml"));
            assert!(!output.is_empty(), "{name}: kubectl {verb} says something");
            assert!(output.len() < 5_000_000, "{name}: kubectl {verb} says {} bytes", output.len());
            assert!(!person.terminal.is_busy(), "{name}: kubectl {verb} ends");
        }
        person.sees("echo alive", "alive", 0);
        holds(&person.types("kubectl get svc"), &["kubernetes"]);
    }
}

/// Command lines that want to hurt. Whatever they print, the shell must come back, at the latest by Ctrl-C.
fn hostile_lines() -> Vec<String> {
    let long = "x".repeat(100_000);
    vec![
        format!("kubectl get pod {long}"),
        format!("kubectl get {long}"),
        format!("kubectl {long}"),
        long.clone(),
        format!("kubectl get pods {}", "--all-namespaces ".repeat(5_000)),
        format!("kubectl get pods {}", "--nonsense ".repeat(5_000)),
        format!("kubectl get pods -{}", "A".repeat(10_000)),
        format!("kubectl get pods -l '{}'", "a=b,".repeat(10_000)),
        format!("kubectl get pods -l '{}'", "a in (".repeat(2_000)),
        format!("kubectl get pods -o jsonpath='{}'", "{range .items[*]}".repeat(2_000)),
        format!("kubectl get pods -o jsonpath='{{{}}}'", "..".repeat(2_000)),
        format!("kubectl get pods -o jsonpath='{{.items[{}]}}'", "9".repeat(40)),
        "kubectl get pods -o jsonpath='{.items[-9223372036854775808:9223372036854775807:-9223372036854775808]}'".to_owned(),
        "kubectl get pods -o jsonpath='{.items[?(@.a==\"\u{301}é\")]}{\"".to_owned(),
        "kubectl get pods -o custom-columns=é:.é,,:::".to_owned(),
        "kubectl get pods -o custom-columns-file=/nosuch".to_owned(),
        "kubectl get pods --field-selector '=,!=,==é'".to_owned(),
        "kubectl get pods --sort-by '{.é['".to_owned(),
        "kubectl get pods/é//x".to_owned(),
        "kubectl get svc,,,po,é".to_owned(),
        "kubectl get /".to_owned(),
        "kubectl get --raw '/api/v1/é%zz?x=%'".to_owned(),
        "kubectl scale deployment x --replicas=99999999999999999999".to_owned(),
        "kubectl scale deployment x --replicas=-1".to_owned(),
        "kubectl create deployment x --image=nginx --replicas=2147483647 --dry-run=client".to_owned(),
        "kubectl create deployment é --image=é".to_owned(),
        "kubectl create deployment x --image= --port=99999999999".to_owned(),
        "kubectl create service clusterip x --tcp=99999:é".to_owned(),
        "kubectl create service nodeport x --tcp=80 --node-port=99999999999999".to_owned(),
        "kubectl create configmap x --from-literal==".to_owned(),
        "kubectl create configmap x --from-literal=é=\u{202e}".to_owned(),
        "kubectl label pod x é=é 'a b=c' =d e- -".to_owned(),
        "kubectl delete pod --all --grace-period=-9999999999999999999".to_owned(),
        "kubectl delete pod x --timeout=99999999999999999999h".to_owned(),
        "kubectl get pods --request-timeout=9e999".to_owned(),
        "kubectl get pods -w --watch-only -o é".to_owned(),
        "kubectl -n '' get pods; kubectl -n é get pods; kubectl -n '../..' get pods".to_owned(),
        "kubectl config set-context é --namespace=\u{202e}; kubectl config use-context é".to_owned(),
        "kubectl apply -f - <<< '\u{0}'".to_owned(),
        "kubectl apply -f /; kubectl apply -f é; kubectl apply -f http://é/".to_owned(),
        "kubectl run é --image=é -- é; kubectl run".to_owned(),
        "kubectl run x --image=nginx --port=99999999999999999999".to_owned(),
        "kubectl run x --image=nginx --overrides='{{{'".to_owned(),
        "kubectl run x --image=nginx --env=é --labels==".to_owned(),
        "kubectl exec -it nosuch -c é -- sh; kubectl exec".to_owned(),
        "kubectl logs --tail=-99999999999999999999 x; kubectl logs --since=é x".to_owned(),
        "kubectl expose pod x --port=0 --target-port=é".to_owned(),
        "kubectl wait --for=condition= pod x; kubectl wait --for=jsonpath='{' pod/x".to_owned(),
        "kubectl describe é/é; kubectl describe pod é".to_owned(),
        "kubectl patch svc kubernetes -p '{{{'; kubectl patch svc kubernetes -p ''; kubectl patch svc kubernetes --type=json -p '[{}]'".to_owned(),
        "why svc/é; why é; why svc/; why ''".to_owned(),
        "trace curl é; trace; trace trace trace".to_owned(),
        "curl é; curl http://[::1; curl ':///'; curl http://x:99999999; curl -m é x; curl -m 1e999 10.96.0.1".to_owned(),
        "curl -w '%{é}%{http_code' -s -m 1 10.96.0.1; curl -H é 10.96.0.1 -m 1; curl -X '' -m 1 10.96.0.1".to_owned(),
        "wget é; wget -T -1 é; wget -O /nosuch/x 10.96.0.1 -T 1 -t 1".to_owned(),
        format!("nslookup {}", "a.".repeat(500)),
        format!("nslookup {}", "é".repeat(500)),
        "ping -c -1 k8s-w1; ping -c 99999999999999999999 k8s-w1; ping é; ping -c 1 -s 99999999 k8s-w1".to_owned(),
        "nc -zv k8s-w1 0-99999999; nc -w é x 1; nc x é".to_owned(),
        "ssh é; ssh ''; ssh @; ssh -p é k8s-w1".to_owned(),
        "echo 'never closed".to_owned(),
        "echo \"never closed $(".to_owned(),
        "echo ${never; echo ${}; echo ${é}; echo ${#}; echo ${x:9999999999999999999}; echo ${x:-${y:-${z".to_owned(),
        format!("echo {}", "$(echo ".repeat(2_000)),
        format!("echo {}x{}", "$(echo ".repeat(2_000), ")".repeat(2_000)),
        format!("echo {}x{}", "$(echo ".repeat(60), ")".repeat(60)),
        "`".repeat(5_001),
        format!("{}true{}", "( ".repeat(3_000), ")".repeat(3_000)),
        "{ ".repeat(3_000),
        "if ".repeat(3_000),
        "while true; do ".repeat(1_000),
        "case x in ".repeat(1_000),
        "! ".repeat(5_000) + "true",
        "true && ".repeat(20_000) + "true",
        "true | ".repeat(500) + "cat",
        format!("echo {}", "{a,b}".repeat(40)),
        "echo {1..999999999}".to_owned(),
        "echo {-9223372036854775808..9223372036854775807..9223372036854775807}".to_owned(),
        "seq 1 99999999999999999999 | head -1; seq 1 0 5 | head -2; seq é".to_owned(),
        "echo $((9223372036854775807 + 1)) $((-9223372036854775808 / -1)) $((-9223372036854775808 % -1)) $((1 << 99)) $((2 ** 9999)) $((1/0))".to_owned(),
        format!("echo $(({}1{}))", "(".repeat(3_000), ")".repeat(3_000)),
        format!("echo $(({}1))", "-".repeat(10_000)),
        format!("echo $(({}))", "1+".repeat(20_000) + "1"),
        "f() { f; }; f".to_owned(),
        "f() { f | f; }; f".to_owned(),
        "while :; do :; done".to_owned(),
        "yes".to_owned(),
        "cat".to_owned(),
        "sleep 99999999999999999999999".to_owned(),
        "sleep -1; sleep é; sleep 1e400; sleep infinity & kill %1".to_owned(),
        "for i in $(seq 1 3); do kubectl get $(kubectl get $(echo pods) -o name) -o name; done".to_owned(),
        "alias a=b b=a; a; alias é=é; é".to_owned(),
        "sed 's/\\(/x/' <<< é; sed 's/é/\\9/' <<< é; sed '99999999999999999999p' <<< é; sed 's/'".to_owned(),
        "grep '[' <<< é; grep -E '(' <<< é; grep -A 99999999999999999999 é <<< é; grep -E 'a{99999}' <<< a".to_owned(),
        "cut -c 2-1 <<< é; cut -c 99999999999999999999 <<< é; cut -b 2 <<< é; cut -d é -f 1 <<< aéb".to_owned(),
        "head -c 1 <<< é; tail -c 1 <<< é; head -n -99999999999999999999 <<< é; tail -n +99999999999999999999 <<< é".to_owned(),
        "tr é e <<< é; tr z-a b <<< x; tr -d '\\' <<< x; tr '' x <<< y".to_owned(),
        "printf '%99999999999d' 1; printf '%é'; printf '\\xzz\\u{'; printf '%s%s%d\\n' é".to_owned(),
        "sort -k 99999999999,é <<< é; uniq -f é <<< x; wc -é <<< é".to_owned(),
        "awk '{' <<< é; awk '{print $99999999999}' <<< é; awk 'BEGIN{while(1){}}'".to_owned(),
        "xargs -n 0 <<< x; xargs -n é <<< x; xargs -I é echo é <<< x".to_owned(),
        "date -d é; date +%é%; hostname é; basename ''; dirname ''".to_owned(),
        "watch -n 0 true".to_owned(),
        "timeout é true; timeout 99999999999999999999 true; time; env -é; env =x true".to_owned(),
        "cd é; cd -; cd ''; cd ~é; ls é; cat é /; rm -rf /; mkdir /; mkdir -p a/b; touch ''; cp a; mv a".to_owned(),
        "echo x > /; echo x > é/y; cat < é; echo x >&9; echo x <&é; exec 9<&-".to_owned(),
        "export é=1; export =; unset é; read é <<< x; set -é; shift 99999999999999999999; exit é".to_owned(),
        "[ é -eq 1 ]; [ 99999999999999999999 -lt 1 ]; [ ( ]; [[ x =~ ( ]]; test é é é é é".to_owned(),
        "jobs %é; fg %99999999999999999999; kill -é 1; kill é; wait é; trap é é".to_owned(),
        "history é; history -d 99999999999999999999; !!é; type é; which ''; help é".to_owned(),
        "\u{202e}kubectl\u{202c} get \u{200b}pods".to_owned(),
        "\u{1b}[31m\u{7}\u{8}\u{0}".to_owned(),
        "kubectl get pods \u{0}\u{1}\u{7f}".to_owned(),
        "kubectl　get　pods".to_owned(),
        "“kubectl” get ‘pods’ —all".to_owned(),
    ]
}

#[test]
fn the_shell_comes_back_from_hostile_lines() {
    let lines = hostile_lines();
    assert!(lines.len() >= 100, "{} lines", lines.len());
    let mut broken = Vec::new();
    for line in &lines {
        let shown: String = line.chars().take(80).collect();
        if std::panic::catch_unwind(|| comes_back(line)).is_err() {
            broken.push(shown);
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

fn comes_back(line: &str) {
    let person = Typist::new();
    person.starts(line, Duration::from_secs(20));
    if person.terminal.is_busy() {
        person.interrupts();
    }
    // A quote or a here-document may still be open, another shell may run: Ctrl-C gives a fresh prompt.
    person.interrupts();
    person.sees("echo alive", "alive", 0);
}
