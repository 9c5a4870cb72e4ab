//! The verbs and flags of kubectl v1.36, as its reference lists them.
//!
//! A flag that is real is declared (if need be as not simulated), and one that is declared is real. Groups in
//! capital letters are shared: `PRINT`, `FILES`. A flag is `name`, `name/letter`, with `=` if it takes a value
//! and `?` if the value may be left away.
//! Source: <https://kubernetes.io/docs/reference/kubectl/generated/>.

use super::VERBS;
use super::verb::{GLOBAL, Verb};
use crate::shell::command::{Flag, Value};

const PRINT: &str = "allow-missing-template-keys output/o= show-managed-fields template=";
const FILES: &str = "filename/f= kustomize/k= recursive/R";
const EVERYWHERE: &str = "as= as-group= as-uid= as-user-extra= cache-dir= certificate-authority= \
    client-certificate= client-key= cluster= context= disable-compression help/h insecure-skip-tls-verify \
    kubeconfig= kuberc= log-flush-frequency= match-server-version namespace/n= password= profile= \
    profile-output= request-timeout= server/s= tls-server-name= token= user= username= v/v= vmodule= \
    warnings-as-errors";

const GENERATOR: &str = "PRINT dry-run? field-manager= save-config validate?";

const VERB_FLAGS: &[(&str, &str)] = &[
    (
        "annotate",
        "PRINT FILES all all-namespaces/A dry-run? field-manager= field-selector= list local overwrite record resource-version= selector/l=",
    ),
    (
        "api-resources",
        "api-group= cached categories= namespaced no-headers output/o= sort-by= verbs= show-managed-fields",
    ),
    ("api-versions", ""),
    (
        "apply",
        "PRINT FILES all cascade? dry-run? field-manager= force force-conflicts grace-period= openapi-patch overwrite prune prune-allowlist= record selector/l= server-side subresource= timeout= validate? wait",
    ),
    ("apply edit-last-applied", "PRINT FILES field-manager= record validate? windows-line-endings"),
    ("apply set-last-applied", "PRINT create-annotation dry-run? filename/f="),
    ("apply view-last-applied", "FILES all output/o= selector/l="),
    ("attach", "container/c= pod-running-timeout= quiet/q stdin/i tty/t"),
    ("auth", ""),
    ("auth can-i", "all-namespaces/A list no-headers quiet/q subresource="),
    ("auth reconcile", "PRINT FILES dry-run? remove-extra-permissions remove-extra-subjects"),
    ("auth whoami", "PRINT"),
    (
        "autoscale",
        "PRINT FILES cpu= cpu-percent= dry-run? field-manager= max= memory= min= name= record save-config",
    ),
    ("certificate", ""),
    ("certificate approve", "PRINT FILES force"),
    ("certificate deny", "PRINT FILES force"),
    ("cluster-info", ""),
    ("cluster-info dump", "PRINT all-namespaces/A namespaces= output-directory= pod-running-timeout="),
    ("completion", ""),
    ("config", ""),
    ("config current-context", ""),
    ("config delete-cluster", ""),
    ("config delete-context", ""),
    ("config delete-user", ""),
    ("config get-clusters", ""),
    ("config get-contexts", "no-headers output/o="),
    ("config get-users", ""),
    ("config rename-context", ""),
    ("config set", "set-raw-bytes"),
    (
        "config set-cluster",
        "certificate-authority= insecure-skip-tls-verify server/s= tls-server-name= embed-certs proxy-url=",
    ),
    ("config set-context", "cluster= current user="),
    (
        "config set-credentials",
        "client-certificate= client-key= password= token= username= auth-provider= auth-provider-arg= embed-certs exec-api-version= exec-arg= exec-command= exec-env= exec-interactive-mode= exec-provide-cluster-info",
    ),
    ("config unset", ""),
    ("config use-context", ""),
    ("config view", "PRINT flatten merge minify raw"),
    ("cordon", "dry-run? selector/l="),
    ("cp", "container/c= no-preserve retries="),
    (
        "create",
        "PRINT FILES dry-run? edit field-manager= raw= record save-config selector/l= validate? windows-line-endings",
    ),
    ("create clusterrole", "GENERATOR aggregation-rule= non-resource-url= resource= resource-name= verb="),
    ("create clusterrolebinding", "GENERATOR clusterrole= group= serviceaccount= user="),
    ("create configmap", "GENERATOR append-hash from-env-file= from-file= from-literal="),
    ("create cronjob", "GENERATOR image= restart= schedule="),
    ("create deployment", "GENERATOR image= port= replicas/r="),
    ("create ingress", "GENERATOR annotation= class= default-backend= rule="),
    ("create job", "GENERATOR from= image="),
    ("create namespace", "GENERATOR"),
    ("create poddisruptionbudget", "GENERATOR max-unavailable= min-available= selector="),
    ("create priorityclass", "GENERATOR description= global-default preemption-policy= value="),
    ("create quota", "GENERATOR hard= scopes="),
    ("create role", "GENERATOR resource= resource-name= verb="),
    ("create rolebinding", "GENERATOR clusterrole= group= role= serviceaccount= user="),
    ("create secret", ""),
    (
        "create secret docker-registry",
        "GENERATOR append-hash docker-email= docker-password= docker-server= docker-username= from-file=",
    ),
    ("create secret generic", "GENERATOR append-hash from-env-file= from-file= from-literal= type="),
    ("create secret tls", "GENERATOR append-hash cert= key="),
    ("create service", ""),
    ("create service clusterip", "GENERATOR clusterip= tcp="),
    ("create service externalname", "GENERATOR external-name= tcp="),
    ("create service loadbalancer", "GENERATOR tcp="),
    ("create service nodeport", "GENERATOR node-port= tcp="),
    ("create serviceaccount", "GENERATOR"),
    ("create token", "PRINT audience= bound-object-kind= bound-object-name= bound-object-uid= duration="),
    (
        "debug",
        "arguments-only attach container/c= copy-to= custom= env= filename/f= image= image-pull-policy= keep-annotations keep-init-containers keep-labels keep-liveness keep-readiness keep-startup profile= quiet/q replace same-node set-image= share-processes stdin/i target= tty/t",
    ),
    (
        "delete",
        "FILES all all-namespaces/A cascade? dry-run? field-selector= force grace-period= ignore-not-found interactive/i now output/o= raw= selector/l= timeout= wait",
    ),
    ("describe", "FILES all-namespaces/A chunk-size= selector/l= show-events"),
    (
        "diff",
        "FILES concurrency= field-manager= force-conflicts prune prune-allowlist= selector/l= server-side show-managed-fields",
    ),
    (
        "drain",
        "chunk-size= delete-emptydir-data disable-eviction dry-run? force grace-period= ignore-daemonsets pod-selector= selector/l= skip-wait-for-delete-timeout= timeout=",
    ),
    (
        "edit",
        "PRINT FILES field-manager= output-patch record save-config subresource= validate? windows-line-endings",
    ),
    ("events", "PRINT all-namespaces/A chunk-size= for= no-headers types= watch/w"),
    ("exec", "container/c= filename/f= pod-running-timeout= quiet/q stdin/i tty/t"),
    ("explain", "api-version= output/o= recursive"),
    (
        "expose",
        "PRINT FILES cluster-ip= dry-run? external-ip= external-name= field-manager= labels/l= load-balancer-ip= name= override-type= overrides= port= protocol= record save-config selector= session-affinity= target-port= type=",
    ),
    (
        "get",
        "PRINT FILES all-namespaces/A chunk-size= field-selector= ignore-not-found label-columns/L= no-headers output-watch-events raw= selector/l= server-print show-kind show-labels sort-by= subresource= watch/w watch-only",
    ),
    (
        "kustomize",
        "as-current-user enable-alpha-plugins enable-helm env/e= helm-api-versions= helm-command= helm-debug helm-kube-version= load-restrictor= mount= network network-name= output/o=",
    ),
    (
        "label",
        "PRINT FILES all all-namespaces/A dry-run? field-manager= field-selector= list local overwrite record resource-version= selector/l=",
    ),
    (
        "logs",
        "all-containers all-pods container/c= follow/f ignore-errors insecure-skip-tls-verify-backend limit-bytes= max-log-requests= pod-running-timeout= prefix previous/p selector/l= since= since-time= tail= timestamps",
    ),
    ("patch", "PRINT FILES dry-run? field-manager= local patch/p= patch-file= record subresource= type="),
    ("plugin", ""),
    ("plugin list", "name-only"),
    ("port-forward", "address= pod-running-timeout="),
    (
        "proxy",
        "accept-hosts= accept-paths= address= api-prefix= append-server-path disable-filter keepalive= port/p= reject-methods= reject-paths= unix-socket/u= www/w= www-prefix/P=",
    ),
    (
        "replace",
        "PRINT FILES cascade? dry-run? field-manager= force grace-period= raw= record save-config subresource= timeout= validate? wait",
    ),
    ("rollout", ""),
    ("rollout history", "PRINT FILES revision= selector/l="),
    ("rollout pause", "PRINT FILES field-manager= selector/l="),
    ("rollout restart", "PRINT FILES field-manager= selector/l="),
    ("rollout resume", "PRINT FILES field-manager= selector/l="),
    ("rollout status", "FILES revision= selector/l= timeout= watch/w"),
    ("rollout undo", "PRINT FILES dry-run? selector/l= to-revision="),
    (
        "run",
        "PRINT FILES annotations= attach cascade? command dry-run? env= expose field-manager= force grace-period= image= image-pull-policy= labels/l= leave-stdin-open override-type= overrides= pod-running-timeout= port= privileged quiet/q record restart= rm save-config stdin/i timeout= tty/t wait",
    ),
    (
        "scale",
        "PRINT FILES all current-replicas= dry-run? record replicas= resource-version= selector/l= timeout=",
    ),
    ("set", ""),
    (
        "set env",
        "PRINT FILES all containers/c= dry-run? env/e= field-manager= from= keys= list local overwrite prefix= resolve selector/l=",
    ),
    ("set image", "PRINT FILES all dry-run? field-manager= local record selector/l="),
    (
        "set resources",
        "PRINT FILES all containers/c= dry-run? field-manager= limits= local record requests= selector/l=",
    ),
    (
        "set selector",
        "PRINT all dry-run? field-manager= filename/f= local record recursive/R resource-version=",
    ),
    ("set serviceaccount", "PRINT FILES all dry-run? field-manager= local record"),
    ("set subject", "PRINT FILES all dry-run? field-manager= group= local selector/l= serviceaccount= user="),
    ("taint", "PRINT all dry-run? field-manager= overwrite selector/l= validate?"),
    ("top", ""),
    ("top node", "no-headers selector/l= show-capacity show-swap sort-by= use-protocol-buffers"),
    (
        "top pod",
        "all-namespaces/A containers field-selector= no-headers selector/l= show-swap sort-by= sum use-protocol-buffers",
    ),
    ("uncordon", "dry-run? selector/l="),
    ("version", "client output/o="),
    (
        "wait",
        "PRINT all all-namespaces/A field-selector= filename/f= for= local recursive/R selector/l= timeout=",
    ),
];

/// A list of flags with its groups opened.
fn opened(list: &str) -> Vec<String> {
    let mut flags = Vec::new();
    for word in list.split_whitespace() {
        match word {
            "PRINT" => flags.extend(opened(PRINT)),
            "FILES" => flags.extend(opened(FILES)),
            "GENERATOR" => flags.extend(opened(GENERATOR)),
            word => flags.push(word.to_owned()),
        }
    }
    flags
}

fn spelled(flag: &Flag) -> String {
    let value = match flag.value {
        Value::None => "",
        Value::Optional(_) => "?",
        _ => "=",
    };
    let short = flag.short.map_or_else(String::new, |letter| format!("/{letter}"));
    format!("{}{short}{value}", flag.long)
}

fn declared(path: &str, verb: &'static Verb, found: &mut Vec<(String, &'static Verb)>) {
    found.push((path.to_owned(), verb));
    for child in verb.children {
        declared(&format!("{path} {}", child.name), child, found);
    }
}

fn sorted(mut flags: Vec<String>) -> String {
    flags.sort_unstable();
    flags.join(" ")
}

#[test]
fn the_declared_verbs_and_flags_are_those_of_kubectl() {
    let mut found = Vec::new();
    VERBS.iter().for_each(|verb| declared(verb.name, verb, &mut found));
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut wrong = Vec::new();
    for (path, verb) in &found {
        let own: Vec<String> = verb.flags[..verb.flags.len() - GLOBAL.len()].iter().map(spelled).collect();
        match VERB_FLAGS.iter().find(|(name, _)| name == path) {
            None => wrong.push(format!("{path} is no verb of kubectl")),
            Some((_, flags)) => {
                let (real, own) = (opened(flags), own);
                let missing: Vec<&String> = real.iter().filter(|flag| !own.contains(flag)).collect();
                let extra: Vec<&String> = own.iter().filter(|flag| !real.contains(flag)).collect();
                if !missing.is_empty() || !extra.is_empty() {
                    wrong.push(format!("{path}: missing {missing:?}, not real {extra:?}"));
                }
            }
        }
    }
    for (path, _) in VERB_FLAGS {
        if !found.iter().any(|(name, _)| name == path) {
            wrong.push(format!("{path} is not declared"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(sorted(GLOBAL.iter().map(spelled).collect()), sorted(opened(EVERYWHERE)));
}

#[test]
fn no_flag_is_declared_twice_for_one_verb() {
    let mut found = Vec::new();
    VERBS.iter().for_each(|verb| declared(verb.name, verb, &mut found));
    for (path, verb) in found {
        for (at, flag) in verb.flags.iter().enumerate() {
            // A verb may have a flag of its own instead of one that all have.
            let own = verb.flags.len() - GLOBAL.len();
            let others = &verb.flags[at + 1..own.max(at + 1)];
            assert!(!others.iter().any(|other| other.long == flag.long), "{path} --{}", flag.long);
            let letter = |other: &Flag| flag.short.is_some() && other.short == flag.short;
            assert!(!others.iter().any(letter), "{path} -{:?}", flag.short);
        }
    }
}
