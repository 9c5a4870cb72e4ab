//! `kubectl run`: a Pod of one container, perhaps with a Service, perhaps attached to the terminal.

use std::sync::Arc;

use super::attach::attach;
use super::call::{Call, DryRun};
use super::create::go_port;
use super::exec::timeout;
use super::expose::pairs;
use super::failure::{Failure, Outcome};
use super::logs::print_all;
use super::output::{Format, Printer, done};
use super::overrides::{OVERRIDES, overridden};
use super::pods::status_of;
use super::record::{self, RECORD};
use super::verb::{Action, DRY_RUN, FIELD_MANAGER, OUTPUT, Operands, SAVE_CONFIG, Verb, flags};
use crate::api::kinds::names;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::cluster::{Actor, Request, Verb as Ask};
use crate::containers::Reference;
use crate::shell::command::{Flag, Value as Argument, not_simulated, option, switch};
use crate::shell::executor::{Either, first};
use crate::simulation::Simulation;
use crate::value;
use crate::words::Words;

const OWN: &[Flag] = &[
    option('\0', "image", Argument::Text, "the image of the container", "容器镜像"),
    option(
        '\0',
        "image-pull-policy",
        Argument::Text,
        "Always, IfNotPresent or Never",
        "Always、IfNotPresent 或 Never",
    ),
    option(
        '\0',
        "restart",
        Argument::OneOf(&["Always", "OnFailure", "Never"]),
        "whether the container is started again",
        "容器结束后是否重启",
    ),
    switch('\0', "command", "what follows -- is the command, not its arguments", "-- 之后为命令而不是参数"),
    option('\0', "env", Argument::Text, "NAME=VALUE; may be repeated", "NAME=VALUE；可重复"),
    option('l', "labels", Argument::Text, "labels of the Pod", "Pod 的标签"),
    option('\0', "annotations", Argument::Text, "an annotation; may be repeated", "注解；可重复"),
    option('\0', "port", Argument::Text, "the port that the container declares", "容器声明的端口"),
    switch('\0', "expose", "create a Service as well", "同时创建 Service"),
    switch('i', "stdin", "keep standard input open and attach", "保持标准输入并连接"),
    switch('t', "tty", "give the container a terminal", "为容器分配终端"),
    switch('\0', "attach", "attach to the container", "连接到容器"),
    switch('\0', "rm", "delete the Pod when it is left", "退出后删除 Pod"),
    switch('q', "quiet", "print only what the command prints", "只输出命令本身的输出"),
    switch(
        '\0',
        "leave-stdin-open",
        "keep standard input open after the first session",
        "首次会话后保持标准输入",
    ),
    switch('\0', "privileged", "run the container as privileged", "以特权模式运行容器"),
    option(
        '\0',
        "pod-running-timeout",
        Argument::Duration,
        "how long to wait for the Pod",
        "等待 Pod 的最长时间",
    ),
    option('\0', "grace-period", Argument::Number, "seconds that the Pod has to end", "Pod 终止前的宽限秒数"),
    switch('\0', "force", "do not wait for the kubelet when deleting", "删除时不等待 kubelet"),
    not_simulated('f', "filename", Argument::File, "kubectl apply -f"),
    not_simulated('k', "kustomize", Argument::File, "kubectl apply -f"),
    not_simulated('R', "recursive", Argument::None, "kubectl apply -f"),
    not_simulated('\0', "cascade", Argument::Optional("background"), "kubectl delete --cascade"),
    not_simulated('\0', "timeout", Argument::Duration, "--pod-running-timeout"),
    not_simulated('\0', "wait", Argument::None, "kubectl wait"),
];

/// `run`.
pub static VERB: Verb = Verb {
    name: "run",
    aliases: &[],
    usage: "NAME --image=IMAGE [-it --rm --restart=Never] [-- ARGUMENT...]",
    summary: Words { en: "start a Pod of one image", zh: "用一个镜像启动 Pod" },
    flags: flags![OWN, OVERRIDES, RECORD, OUTPUT, DRY_RUN, SAVE_CONFIG, FIELD_MANAGER],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let (pod, attached) = check(&call)?;
    let dry_run = call.dry_run()?;
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    let created = send(&call, Kind::Pod, pod.clone(), dry_run)?;
    let mut failures = Vec::new();
    if call.has("expose") {
        let exposed = service(&call, &pod).and_then(|service| {
            let service = send(&call, Kind::Service, service, dry_run)?;
            done(&call, &format, &printer, &service, "created")?;
            if matches!(format, Format::Yaml) {
                call.say("---");
            }
            Ok(())
        });
        failures.extend(exposed.err());
    }
    if attached {
        let session = session(&call, &call_key(&call)).await;
        if call.has("rm") {
            remove(&call);
        }
        failures.extend(session.err());
    } else {
        done(&call, &format, &printer, &created, "created")?;
    }
    Failure::of(failures)
}

/// Reads the flags: the Pod to be made, and whether to attach to it.
fn check(call: &Call) -> Result<(Value, bool), Failure> {
    let Some(image) = call.flags.value("image") else {
        return Err(Failure::plain("required flag(s) \"image\" not set"));
    };
    if call.operands().is_empty() || call.flags.before_dashes == Some(0) {
        return Err(call.usage_error("NAME is required for run"));
    }
    if image.is_empty() {
        return Err(Failure::plain("--image is required"));
    }
    if Reference::parse(image).is_none() {
        return Err(Failure::plain(format!("Invalid image name \"{image}\": invalid reference format")));
    }
    if call.has("tty") && !call.has("stdin") {
        return Err(call.usage_error("-i/--stdin is required for containers with -t/--tty=true"));
    }
    if call.has("expose") && call.text("port").is_empty() {
        return Err(call.usage_error("--port must be set when exposing a service"));
    }
    let restart = match call.text("restart") {
        "" => "Always",
        policy @ ("Always" | "OnFailure" | "Never") => policy,
        other => return Err(call.usage_error(&format!("invalid restart policy: {other}"))),
    };
    let attached = match call.flags.value("attach") {
        Some(value) => value != "false",
        None => call.has("stdin"),
    };
    if call.has("rm") && !attached {
        return Err(call.usage_error("--rm should only be used for attached containers"));
    }
    if attached && call.dry_run()? != DryRun::No {
        return Err(call.usage_error(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
        ));
    }
    match call.text("image-pull-policy") {
        "" | "Always" | "IfNotPresent" | "Never" => {}
        other => return Err(call.usage_error(&format!("invalid image pull policy: {other}"))),
    }
    Ok((pod(call, image, restart)?, attached))
}

/// The Pod that the flags describe.
fn pod(call: &Call, image: &str, restart: &str) -> Result<Value, Failure> {
    let name = &call.operands()[0];
    let args: Vec<Value> = call.operands()[1..].iter().map(|word| Value::from(word.clone())).collect();
    let mut container = value!({ "image": (image.to_owned()), "name": (name.clone()), "resources": {} });
    if !args.is_empty() {
        container.set(if call.has("command") { "command" } else { "args" }, args);
    }
    if !call.text("image-pull-policy").is_empty() {
        container.set("imagePullPolicy", SmolStr::new(call.text("image-pull-policy")));
    }
    let env = environment(call)?;
    if !env.is_empty() {
        container.set("env", env);
    }
    if let Some(port) = port(call)? {
        container.set("ports", vec![value!({ "containerPort": port })]);
    }
    if call.has("stdin") {
        container.set("stdin", true);
        if !call.has("leave-stdin-open") {
            container.set("stdinOnce", true);
        }
    }
    if call.has("tty") {
        container.set("tty", true);
    }
    if call.has("privileged") {
        container.set("securityContext", value!({ "privileged": true }));
    }
    let labels = match call.text("labels") {
        "" => value!({ "run": (name.clone()) }),
        text => pairs(text)?,
    };
    let mut metadata = value!({ "labels": labels, "name": (name.clone()) });
    for annotation in call.flags.values("annotations") {
        let (key, text) = annotation
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Failure::plain(format!("invalid annotations format: {annotation}")))?;
        *metadata.at_mut(&["annotations", key]) = Value::from(text.to_owned());
    }
    if call.namespace_given() {
        metadata.set("namespace", SmolStr::new(&call.namespace));
    }
    let pod = value!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "containers": [container],
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": (restart.to_owned())
        },
        "status": {}
    });
    overridden(call, Kind::Pod, pod)
}

fn environment(call: &Call) -> Result<Vec<Value>, Failure> {
    let read = |pair: &&str| match pair.split_once('=') {
        Some((name, value)) if names::strict_variable_name(name).is_empty() => {
            Ok(value!({ "name": (name.to_owned()), "value": (value.to_owned()) }))
        }
        _ => Err(Failure::plain(format!("invalid env: {pair}"))),
    };
    call.flags.values("env").iter().map(read).collect()
}

fn port(call: &Call) -> Result<Option<i64>, Failure> {
    let text = call.text("port");
    if text.is_empty() {
        return Ok(None);
    }
    go_port(text).map(|port| Some(port.into())).map_err(Failure::plain)
}

/// The Service that `--expose` asks for.
fn service(call: &Call, pod: &Value) -> Result<Value, Failure> {
    let port = port(call)?.unwrap_or_default();
    let mut metadata = value!({ "name": (call.operands()[0].clone()) });
    if call.namespace_given() {
        metadata.set("namespace", SmolStr::new(&call.namespace));
    }
    Ok(value!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "ports": [{ "port": port, "protocol": "TCP", "targetPort": port }],
            "selector": (pod.at(&["metadata", "labels"]).clone())
        },
        "status": { "loadBalancer": {} }
    }))
}

fn send(call: &Call, kind: Kind, value: Value, dry_run: DryRun) -> Result<Value, Failure> {
    let mut value = value;
    record::annotate(call, &mut value);
    if call.has("save-config") {
        value = crate::api::patch::last_applied::with_last_applied(&value);
    }
    if dry_run == DryRun::Client {
        return Ok(value);
    }
    Ok(call.create(kind, &call.namespace, value, dry_run)?.value.clone())
}

fn call_key(call: &Call) -> Key {
    Key::new(Kind::Pod, call.namespace.as_str(), call.operands()[0].as_str())
}

/// Waits for the Pod, attaches to it, and ends as its process ended.
async fn session(call: &Call, key: &Key) -> Outcome {
    let pod =
        wait(call, key, |object| object.as_pod().is_some_and(|pod| pod.ready || is_over(&pod.phase))).await?;
    if pod.as_pod().is_some_and(|pod| is_over(&pod.phase)) {
        print_all(call, &pod, call.operands()[0].as_str());
    } else {
        attach(call, &pod).await?;
    }
    let restart = call.text("restart");
    if call.has("leave-stdin-open") || !matches!(restart, "Never" | "OnFailure") {
        return Ok(());
    }
    let pod = wait(call, key, |object| {
        object
            .as_pod()
            .is_some_and(|pod| pod.phase == "Succeeded" || (restart == "Never" && is_over(&pod.phase)))
    })
    .await?;
    if pod.as_pod().is_none_or(|pod| pod.phase != "Failed") {
        return Ok(());
    }
    let ended = status_of(&pod, pod.spec().get("containers").items()[0].get("name").str())
        .map(|status| status.at(&["state", "terminated"]).clone())
        .unwrap_or_default();
    let name = format!("pod {}/{}", pod.namespace(), pod.name());
    match ended.get("exitCode").as_int().and_then(|code| i32::try_from(code).ok()) {
        None | Some(0) => Err(Failure::plain(format!("{name} failed with unknown exit code"))),
        Some(code) => {
            let reason = ended.get("reason").str();
            let text = format!("{name} terminated ({reason})\n{}", ended.get("message").str());
            Err(Failure::With(code, Box::new(Failure::Exact(text))))
        }
    }
}

fn is_over(phase: &str) -> bool {
    matches!(phase, "Succeeded" | "Failed")
}

/// Waits until a Pod is as wanted.
async fn wait(call: &Call, key: &Key, wanted: impl Fn(&Object) -> bool) -> Result<Arc<Object>, Failure> {
    let look = |simulation: &mut Simulation| match simulation.cluster.get(key) {
        None => Some(None),
        Some(object) => wanted(object).then(|| Some(Arc::clone(object))),
    };
    match first(call.host().until(look), call.invocation.sleep(timeout(call))).await {
        Either::Left(Some(pod)) => Ok(pod),
        Either::Left(None) => Err(crate::api::status::Status::not_found(Kind::Pod, &key.name).into()),
        Either::Right(()) => Err(Failure::plain("timed out waiting for the condition")),
    }
}

/// Deletes what was made, without waiting.
fn remove(call: &Call) {
    let mut keys = vec![call_key(call)];
    if call.has("expose") {
        keys.push(Key::new(Kind::Service, call.namespace.as_str(), call.operands()[0].as_str()));
    }
    for key in keys {
        let mut request = Request::new(Actor::User, Ask::Delete, &key);
        request.options.grace_seconds =
            call.number("grace-period").filter(|grace| *grace >= 0).or(call.has("force").then_some(0));
        if call.send(request).is_ok() && !call.has("quiet") {
            let resource = key.kind.info().group_singular();
            call.say(&format!("{resource} \"{}\" deleted from {} namespace", key.name, key.namespace));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::places::Place;
    use crate::shell::terminal::Terminal;
    use crate::shell::testing::{check, run_on, typed, world};

    #[test]
    fn a_pod_is_generated_from_the_flags() {
        check(
            "kubectl run dry --image=nginx --port=80 --restart=Never --labels=a=b --dry-run=client -o yaml",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    a: b\n  name: dry\nspec:\n  containers:\n  - image: nginx\n    name: dry\n    ports:\n    - containerPort: 80\n    resources: {}\n  dnsPolicy: ClusterFirst\n  restartPolicy: Never\nstatus: {}",
            0,
        );
    }

    #[test]
    fn flags_that_do_not_fit_are_refused_in_kubectls_words() {
        check("kubectl run foo", "error: required flag(s) \"image\" not set", 1);
        check("kubectl run foo --image=", "error: --image is required", 1);
        check(
            "kubectl run foo --image='UPPER case'",
            "error: Invalid image name \"UPPER case\": invalid reference format",
            1,
        );
        check(
            "kubectl run foo --image=nginx --restart=Sometimes",
            "error: invalid restart policy: Sometimes\nSee 'kubectl run -h' for help and examples",
            1,
        );
        check(
            "kubectl run foo --image=nginx --rm",
            "error: --rm should only be used for attached containers\nSee 'kubectl run -h' for help and examples",
            1,
        );
    }

    #[test]
    fn a_terminal_is_led_into_the_pod_and_back() {
        let terminal = Terminal::new(&world(), Place::workstation());
        let shown = typed(
            &terminal,
            &[
                "kubectl run -it --image=busybox:1.28.4 --rm --restart=Never sh",
                "hostname",
                "exit",
                "kubectl get pods",
            ],
        );
        assert!(shown.contains("If you don't see a command prompt, try pressing enter.\n"), "{shown}");
        assert!(shown.contains("/ # hostname\nsh\n"), "{shown}");
        assert!(shown.contains("/ # exit\npod \"sh\" deleted from default namespace\n"), "{shown}");
    }

    #[test]
    fn what_an_attached_process_printed_is_in_its_log() {
        let terminal = Terminal::new(&world(), Place::workstation());
        let shown = typed(
            &terminal,
            &[
                "kubectl run -it --image=busybox --restart=Never b -- sh",
                "hostname",
                "exit",
                "kubectl logs b",
            ],
        );
        assert!(shown.ends_with("kubectl logs b\n/ # hostname\nb\n/ # exit\n"), "{shown}");
        let (output, _) = run_on(
            &world(),
            Place::workstation(),
            "kubectl run t --image=busybox -i -q --restart=Never -- sh -c 'echo hi' >/dev/null; kubectl logs t",
        );
        assert_eq!(output, "hi\n");
    }

    #[test]
    fn the_status_of_the_process_is_that_of_the_command() {
        let (output, status) = run_on(
            &world(),
            Place::workstation(),
            "kubectl run t --image=busybox --rm -i -q --restart=Never -- sh -c 'echo hi; exit 3'",
        );
        assert_eq!((output.as_str(), status), ("hi\npod default/t terminated (Error)\n", 3));
    }

    #[test]
    fn a_pod_that_never_runs_is_given_up_after_a_minute() {
        let (output, status) = run_on(&world(), Place::workstation(), "kubectl run -i --rm --image=ngnix x");
        assert_eq!(
            (output.as_str(), status),
            ("pod \"x\" deleted from default namespace\nerror: timed out waiting for the condition\n", 1)
        );
    }
}
