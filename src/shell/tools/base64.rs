//! `base64`: bytes as text and back.

use super::lines::command;
use crate::api::base64::{decode, encode};
use crate::shell::command::{Command, Value, option, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;

/// Letters on a line unless `-w` says otherwise (coreutils).
const WIDTH: usize = 76;

/// `base64`.
pub static COMMAND: Command = command(
    "base64",
    "[-d] [-w COLUMNS] [FILE]",
    ("code bytes as text, or decode them", "对数据进行 Base64 编码或解码"),
    &[
        switch('d', "decode", "decode", "解码"),
        switch('i', "ignore-garbage", "skip what is no base64 when decoding", "解码时忽略非 Base64 字符"),
        option('w', "wrap", Value::Number, "break lines here; 0 for one line", "换行宽度；0 表示不换行"),
    ],
    |invocation| Box::pin(run(invocation)),
);

async fn run(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let file = parsed.operands.first().map_or("-", String::as_str);
    let Some(text) = invocation.read_operand(file).await else { return 1 };
    if parsed.has("decode") {
        let kept: String = if parsed.has("ignore-garbage") {
            text.chars().filter(|letter| letter.is_ascii_alphanumeric() || "+/=".contains(*letter)).collect()
        } else {
            text.to_string()
        };
        return match decode(&kept) {
            Ok(bytes) => {
                invocation.stdout().write(&String::from_utf8_lossy(&bytes));
                0
            }
            Err(_) => invocation.fail("invalid input"),
        };
    }
    let width = match parsed.value("wrap").map(str::parse::<usize>) {
        None => WIDTH,
        Some(Ok(width)) => width,
        Some(Err(_)) => {
            return invocation
                .fail(&format!("invalid wrap size: '{}'", parsed.value("wrap").unwrap_or_default()));
        }
    };
    let coded = encode(text.as_bytes());
    if width == 0 {
        invocation.stdout().write(&coded);
        return 0;
    }
    for line in coded.as_bytes().chunks(width) {
        invocation.say(&String::from_utf8_lossy(line));
    }
    0
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn text_is_coded_and_decoded() {
        check("echo -n admin | base64; echo YWRtaW4= | base64 --decode", "YWRtaW4=\nadmin", 0);
        check("echo 'x y' | base64 -d", "base64: invalid input", 1);
        check("printf 'abcdef' | base64 -w 4", "YWJj\nZGVm", 0);
    }
}
