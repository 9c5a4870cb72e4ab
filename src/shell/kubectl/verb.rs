//! The declaration of a verb: one table that feeds parsing, help, Tab and "not simulated".
//!
//! Owns [`Verb`] and the groups of flags that several verbs share. Adding a verb is a file with a
//! `pub static VERB: Verb` and one line in [`super::VERBS`].

use super::call::Call;
use super::failure::Outcome;
use crate::shell::command::{Flag, Value, not_simulated, option, switch};
use crate::shell::executor::Boxed;
use crate::words::Words;

/// How a verb runs.
#[derive(Clone, Copy)]
pub enum Action {
    /// At once.
    Now(fn(&Call) -> Outcome),
    /// As a future: it reads standard input, or waits for the world.
    Waits(fn(Call) -> Boxed<'static, Outcome>),
}

/// What the operands of a verb stand for, which is what Tab offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// Nothing that could be offered.
    Nothing,
    /// A resource, then names.
    Resources,
    /// Names of Pods, or `TYPE/NAME`.
    Pods,
    /// Names of nodes.
    Nodes,
    /// Names of contexts.
    Contexts,
}

/// A verb of kubectl, or a verb below another (`create deployment`).
pub struct Verb {
    /// What is typed.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What follows the name in a usage line.
    pub usage: &'static str,
    /// What it does, in a line without a full stop.
    pub summary: Words,
    /// Its flags, those of every verb included.
    pub flags: &'static [Flag],
    /// Verbs below it.
    pub children: &'static [&'static Verb],
    /// What its operands stand for.
    pub operands: Operands,
    /// How it runs.
    pub action: Action,
}

impl Verb {
    /// Whether it is called so.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// Groups of flags, one after another.
pub const fn joined<const N: usize>(groups: &[&[Flag]]) -> [Flag; N] {
    let mut all = [switch('\0', "", "", ""); N];
    let (mut group, mut at) = (0, 0);
    while group < groups.len() {
        let mut index = 0;
        while index < groups[group].len() {
            all[at] = groups[group][index];
            at += 1;
            index += 1;
        }
        group += 1;
    }
    all
}

/// The flags of a verb: groups of flags and, last, those of every verb.
macro_rules! flags {
    ($($group:expr),* $(,)?) => {{
        const FLAG_GROUPS: &[&[$crate::shell::command::Flag]] = &[$($group,)* $crate::shell::kubectl::verb::GLOBAL];
        const FLAG_COUNT: usize = {
            let (mut count, mut group) = (0, 0);
            while group < FLAG_GROUPS.len() {
                count += FLAG_GROUPS[group].len();
                group += 1;
            }
            count
        };
        const JOINED: [$crate::shell::command::Flag; FLAG_COUNT] = $crate::shell::kubectl::verb::joined::<FLAG_COUNT>(FLAG_GROUPS);
        &JOINED
    }};
}
pub(super) use flags;

/// Flags of every verb.
pub const GLOBAL: &[Flag] = &[
    option('n', "namespace", Value::Namespace, "the namespace to work in", "要操作的命名空间"),
    option(
        '\0',
        "context",
        Value::Text,
        "the context of the kubeconfig to use",
        "要使用的 kubeconfig 上下文",
    ),
    option('\0', "kubeconfig", Value::File, "the kubeconfig to use", "要使用的 kubeconfig 文件"),
    option('s', "server", Value::Text, "the address of another API server", "另一个 API server 的地址"),
    option('\0', "request-timeout", Value::Text, "how long one request may take", "单个请求的最长时间"),
    option(
        'v',
        "v",
        Value::Number,
        "how much is logged (Portside logs nothing)",
        "日志级别（Portside 不写日志）",
    ),
    switch('h', "help", "show how to use this", "显示用法"),
    not_simulated('\0', "as", Value::Text, ""),
    not_simulated('\0', "as-group", Value::Text, ""),
    not_simulated('\0', "as-uid", Value::Text, ""),
    not_simulated('\0', "as-user-extra", Value::Text, ""),
    not_simulated('\0', "cache-dir", Value::Text, ""),
    not_simulated('\0', "certificate-authority", Value::File, "--context"),
    not_simulated('\0', "client-certificate", Value::File, "--context"),
    not_simulated('\0', "client-key", Value::File, "--context"),
    not_simulated('\0', "cluster", Value::Text, "--context"),
    not_simulated('\0', "disable-compression", Value::None, ""),
    not_simulated('\0', "insecure-skip-tls-verify", Value::None, ""),
    not_simulated('\0', "kuberc", Value::File, ""),
    not_simulated('\0', "log-flush-frequency", Value::Duration, ""),
    not_simulated('\0', "match-server-version", Value::None, "kubectl version"),
    not_simulated('\0', "password", Value::Text, "--context"),
    not_simulated('\0', "profile", Value::Text, ""),
    not_simulated('\0', "profile-output", Value::Text, ""),
    not_simulated('\0', "tls-server-name", Value::Text, ""),
    not_simulated('\0', "token", Value::Text, "--context"),
    not_simulated('\0', "user", Value::Text, "--context"),
    not_simulated('\0', "username", Value::Text, "--context"),
    not_simulated('\0', "vmodule", Value::Text, ""),
    not_simulated('\0', "warnings-as-errors", Value::None, ""),
];

const FILENAME: Flag = option(
    'f',
    "filename",
    Value::File,
    "a manifest, a folder of them, or - for standard input",
    "清单文件、目录，或 - 表示标准输入",
);
const RECURSIVE: Flag = switch('R', "recursive", "look into folders below as well", "同时处理子目录");

/// Flags that name files.
pub const FILES: &[Flag] = &[FILENAME, RECURSIVE, not_simulated('k', "kustomize", Value::File, "-f")];

/// Flags that name files, of verbs that know no kustomization.
pub const PLAIN_FILES: &[Flag] = &[FILENAME, RECURSIVE];

/// Flags that choose objects by labels.
pub const SELECTOR: &[Flag] =
    &[option('l', "selector", Value::Text, "only objects with these labels", "只选择带有这些标签的对象")];

/// The flag that chooses all objects.
pub const ALL: &[Flag] = &[switch('\0', "all", "all objects of the namespace", "命名空间中的所有对象")];

/// The flag that looks at all namespaces.
pub const ALL_NAMESPACES: &[Flag] = &[switch('A', "all-namespaces", "in every namespace", "所有命名空间")];

/// The flag that chooses objects by fields.
pub const FIELD_SELECTOR: &[Flag] = &[option(
    '\0',
    "field-selector",
    Value::Text,
    "only objects with these field values",
    "只选择字段值匹配的对象",
)];

/// Flags of output.
pub const OUTPUT: &[Flag] = &[
    option('o', "output", Value::OneOf(super::output::FORMATS), "the form of the output", "输出格式"),
    option('\0', "template", Value::Text, "the template of -o jsonpath", "-o jsonpath 的模板"),
    switch(
        '\0',
        "show-managed-fields",
        "keep managedFields in yaml and json",
        "在 yaml 和 json 中保留 managedFields",
    ),
    switch(
        '\0',
        "allow-missing-template-keys",
        "let templates name fields that are not there",
        "允许模板引用不存在的字段",
    ),
];

/// The flag that only tries.
pub const DRY_RUN: &[Flag] = &[option(
    '\0',
    "dry-run",
    Value::Optional("unchanged"),
    "only try: none, client or server",
    "只做演练：none、client 或 server",
)];

/// The flag that names who changes fields.
pub const FIELD_MANAGER: &[Flag] =
    &[option('\0', "field-manager", Value::Text, "who is said to own the fields", "字段的管理者名称")];

/// The flag that checks manifests.
pub const VALIDATE: &[Flag] = &[option(
    '\0',
    "validate",
    Value::Optional("strict"),
    "what to do about unknown fields: strict, warn or ignore",
    "如何处理未知字段：strict、warn 或 ignore",
)];

/// The flag that keeps what was applied in an annotation.
pub const SAVE_CONFIG: &[Flag] = &[switch(
    '\0',
    "save-config",
    "keep the manifest in an annotation, for apply",
    "把清单保存到注解中，供 apply 使用",
)];
