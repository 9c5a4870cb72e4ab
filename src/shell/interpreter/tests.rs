//! Scripts and what they print.

use crate::shell::host::Host;
use crate::shell::places::{Dialect, Place};
use crate::shell::terminal::Terminal;
use crate::shell::testing::{check, container, host, run_on, typed};
use crate::shell::tty::Stream;

#[test]
fn words_are_quoted_and_expanded() {
    check("x='a  b'; echo $x \"$x\" '$x' \\$x", "a b a  b $x $x", 0);
    check("echo ${NOSUCH:-d} ${NOSUCH-e} ${HOME:+set} ${#HOME} \"${NOSUCH:-a b}\"", "d e set 5 a b", 0);
    check(
        "x=svc.prod.yaml; echo ${x%.yaml} ${x%%.*} ${x#*.} ${x##*.} ${x/prod/test} ${x:0:3} ${x^^}",
        "svc.prod svc prod.yaml yaml svc.test.yaml svc SVC.PROD.YAML",
        0,
    );
    check("echo ${x:=1} $x; echo ${y?no y}; echo never", "1 1\nbash: line 1: y: no y", 1);
    check("echo $(echo a; echo b) `echo c` \"$(printf 'd\\n\\n')\"", "a b c d", 0);
    check("echo $((1 + 2 * 3)) $((x = 4)) $x $(( x > 3 ? 1 : 0 ))", "7 4 4 1", 0);
    check("echo {1..3} a{b,c}d '{1..3}'", "1 2 3 abd acd {1..3}", 0);
    check(
        "touch a.yaml b.yaml c.txt; echo *.yaml \"*.yaml\" *.json /et[b]c /e*/hostname",
        "a.yaml b.yaml *.yaml *.json /et[b]c /etc/hostname",
        0,
    );
    check("echo ~ ~/x '~' a~", "/root /root/x ~ a~", 0);
    check(
        "set -- a 'b c'; echo $# $1 \"$2\"; for i in \"$@\"; do echo \"<$i>\"; done; echo \"$*\"",
        "2 a b c\n<a>\n<b c>\na b c",
        0,
    );
    check("set --; for i in \"$@\"; do echo never; done; echo \"[$@]\"", "[]", 0);
    check("echo a# #b", "a#", 0);
    check("echo $'a\\tb' \"a\\\"b\" a\\ b", "a\tb a\"b a b", 0);
    check("x=a; x+=b; echo $x; echo \"${x}c$\" \"$\"", "ab\nabc$ $", 0);
    check("a=1 b=$a; echo $b; IFS=,; x=1,2; echo $x", "1\n1 2", 0);
}

#[test]
fn commands_are_joined_and_repeated() {
    check("true && echo yes || echo no; false && echo yes || echo no", "yes\nno", 0);
    check("! true; echo $?; ! false", "1", 0);
    check("for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done", "1\n3", 0);
    check("i=0; while true; do i=$((i+1)); [ $i -ge 3 ] && break; done; echo $i", "3", 0);
    check("until [ \"$i\" = xx ]; do i=x$i; done; echo $i", "xx", 0);
    check("for ((i=0; i<3; i++)); do echo -n $i; done; ((i == 3)) && echo done", "012done", 0);
    check("for i in 1 2; do for j in 1 2; do break 2; done; done; echo $i$j", "11", 0);
    check("if false; then echo a; elif true; then echo b; else echo c; fi", "b", 0);
    check("case svc/web in pod/*) echo pod;; svc/*|service/*) echo svc;; *) echo other;; esac", "svc", 0);
    check("f() { local x=2; echo $1 $x; return 3; }; x=1; f a; echo $? $x", "a 2\n3 1", 0);
    check("{ echo a; echo b; } | sort -r; (cd /tmp; x=1; pwd); pwd; echo [$x]", "b\na\n/tmp\n/root\n[]", 0);
    check(
        "echo a | { read x; echo \"<$x>\"; }; printf '1 2 3\\n' | while read a b; do echo $b; done",
        "<a>\n2 3",
        0,
    );
    check("seq 3 | while read -r n; do echo n$n; done | tail -1", "n3", 0);
    check("exit 7; echo never", "", 7);
    check("set -e; false || true; if false; then :; fi; false; echo never", "", 1);
    check("set -u; echo $nosuch", "bash: line 1: nosuch: unbound variable", 1);
    check("set -o pipefail; false | true", "", 1);
    check("set -x; echo a", "+ echo a\na", 0);
    check(
        "eval 'x=1; echo $x'; echo 'echo $1' > f; . ./f q; sh f r; bash -c 'echo $0 $1' a b",
        "1\nq\nr\na b",
        0,
    );
}

#[test]
fn streams_are_led_elsewhere() {
    check("echo a > f; echo b >> f; cat < f; wc -l < f", "a\nb\n2", 0);
    check(
        "ls nosuch 2>/dev/null; echo $?; ls nosuch > f 2>&1; cat f",
        "2\nls: cannot access 'nosuch': No such file or directory",
        0,
    );
    check("ls nosuch &> f; cat f | wc -l; { echo a; echo b >&2; } 2>/dev/null", "1\na", 0);
    check(
        "cat <<E\n$HOME $((1+1))\n\\$x\nE\ncat <<'E'\n$HOME\nE\ncat <<-E\n\t\tx\n\tE",
        "/root 2\n$x\n$HOME\nx",
        0,
    );
    check("cat <<< \"a b\"; grep -c x <<< xx", "a b\n1", 0);
    check("x=$(<nosuch)", "bash: line 1: nosuch: No such file or directory", 1);
    check(
        "echo 1 > f; x=$(<f); echo $x; > g; cat g; cat < nosuch",
        "1\nbash: line 1: nosuch: No such file or directory",
        1,
    );
    check(
        "echo a 3> f",
        "bash: line 1: redirection of 3 is not simulated in Portside; nearest: descriptors 0, 1 and 2",
        1,
    );
    check("cat <<A; cat <<B\na\nA\nb\nB", "a\nb", 0);
}

#[test]
fn what_is_not_there_is_said_in_the_words_of_the_shell() {
    check("foo bar", "bash: line 1: foo: command not found", 127);
    check("\n\nfoo", "bash: line 3: foo: command not found", 127);
    check("./nosuch", "bash: line 1: ./nosuch: No such file or directory", 127);
    check("touch f; ./f", "bash: line 1: ./f: Permission denied", 126);
    check("/etc", "bash: line 1: /etc: Is a directory", 126);
    check("/bin/echo a; /usr/bin/nosuch", "a\nbash: line 1: /usr/bin/nosuch: No such file or directory", 127);
    check("awk '{print $1}'", "awk is not simulated in Portside; nearest: cut", 127);
    check("echo )", "bash: line 1: syntax error near unexpected token `)'\nbash: line 1: `echo )'", 2);
    check("if true; then", "bash: line 1: syntax error: unexpected end of file", 2);
    check("echo 'a", "bash: line 1: unexpected EOF while looking for matching `''", 2);
    check("| cat", "bash: line 1: syntax error near unexpected token `|'\nbash: line 1: `| cat'", 2);
    check("echo ${a b}", "bash: line 1: ${a b}: bad substitution", 2);
    check("echo $((1/0))", "bash: line 1: 1/0: division by 0 (error token is \"0\")", 1);
    let busybox = |script: &str| run_on(&host(), container(Dialect::Ash, &["sh", "ls", "awk"]), script);
    assert_eq!(busybox("foo"), ("sh: foo: not found\n".to_owned(), 127));
    assert_eq!(busybox("echo )"), ("sh: syntax error: unexpected \")\"\n".to_owned(), 2));
    assert_eq!(busybox("grep x"), ("sh: grep: not found\n".to_owned(), 127), "the image has no grep");
    assert_eq!(busybox("awk").0, "awk is not simulated in Portside; nearest: cut\n");
    assert_eq!(busybox("cat < nosuch; echo {1..2}").0, "sh: can't open nosuch: no such file\n{1..2}\n");
    let dash = run_on(&host(), container(Dialect::Dash, &[]), "foo");
    assert_eq!(dash, ("sh: 1: foo: not found\n".to_owned(), 127));
}

#[test]
fn jobs_run_beside_the_shell_in_virtual_time() {
    check("sleep 2 & sleep 1; echo a; wait; echo b", "a\nb", 0);
    check("(sleep 3; echo late) & (sleep 1; echo early) & wait", "early\nlate", 0);
    check("sleep 100 & kill %1; wait $!; echo $?", "143", 0);
    check("time sleep 1.5", "\nreal\t0m1.500s\nuser\t0m0.000s\nsys\t0m0.000s", 0);
}

#[test]
fn endless_loops_neither_stop_the_clock_nor_the_page() {
    check("timeout 5 bash -c 'while true; do :; done'; echo $?", "124", 0);
    check("while true; do echo y; done | head -3", "y\ny\ny", 0);
    check("while true; do echo x; sleep 1; done | head -n 2 | wc -l", "2", 0);
    check("f() { f; }; f", "bash: line 1: f: maximum function nesting level exceeded (50)", 1);
    check(
        &format!("{}true{}", "( ".repeat(3_000), " )".repeat(3_000)),
        "bash: line 1: the script is nested too deeply or too long for Portside",
        2,
    );
    let twice = crate::shell::language::parser::parse(&"echo $((a) ".repeat(3_000), &Default::default());
    assert!(twice.is_err(), "reading parts twice ends");
    check(&"$(".repeat(3_000), "bash: line 1: the script is nested too deeply or too long for Portside", 2);
}

#[test]
fn no_text_makes_the_shell_panic() {
    let pieces = [
        "$", "${", "$((", "))", "`", "'", "\"", "\\", "<<", "<<E\n", ">", "&", "|", ";", ";;", "(", ")", "{",
        "}", "if", "for", "case", "in", "do", "done", "[[", "]]", "!", "=", "a=", "中", "\n", " ", "*", "[",
        "~", "#", "{1..", "${x:", "${#", "${!", "$'", "2>&", "&>", "0", "-", "echo", "((",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let mut sessions = 0;
    for _ in 0..3_000 {
        let count = random.usize(1..8);
        let text: String =
            (0..count).map(|_| pieces[random.usize(..pieces.len())]).collect::<Vec<_>>().concat();
        let parsed = crate::shell::language::parser::parse(&text, &Default::default());
        sessions += usize::from(parsed.is_ok());
    }
    assert!(sessions > 100, "some of the texts are scripts: {sessions}");
}

fn terminal(host: &Host) -> Terminal {
    Terminal::new(host, Place::workstation())
}

#[test]
fn a_terminal_shows_prompts_lines_and_output() {
    let host = host();
    let terminal = terminal(&host);
    assert_eq!(terminal.prompt(), "[root@ci-base ~]# ");
    let shown = typed(&terminal, &["echo hi", "cd /tmp", "foo", "cat <<E", "a", "E", "x=1", "echo $x"]);
    assert_eq!(
        shown,
        "[root@ci-base ~]# echo hi\nhi\n[root@ci-base ~]# cd /tmp\n[root@ci-base tmp]# foo\n\
         -bash: foo: command not found\n[root@ci-base tmp]# cat <<E\n> a\n> E\na\n[root@ci-base tmp]# x=1\n\
         [root@ci-base tmp]# echo $x\n1\n"
    );
    assert_eq!(
        typed(&terminal, &["echo )"]),
        "[root@ci-base tmp]# echo )\n-bash: syntax error near unexpected token `)'\n"
    );
    assert_eq!(
        typed(&terminal, &["echo a", "!!"]),
        "[root@ci-base tmp]# echo a\na\n[root@ci-base tmp]# !!\necho a\na\n"
    );
    assert_eq!(
        typed(&terminal, &["alias k=echo", "k x | cat"]),
        "[root@ci-base tmp]# alias k=echo\n[root@ci-base tmp]# k x | cat\nx\n"
    );
}

#[test]
fn ctrl_c_ends_the_command_and_ctrl_d_the_input() {
    let host = host();
    let terminal = terminal(&host);
    terminal.submit("while true; do echo tick; sleep 1; done");
    host.run_until(2_500_000, 100_000);
    assert!(terminal.is_busy());
    terminal.interrupt("");
    host.run_until(2_600_000, 100_000);
    assert!(!terminal.is_busy());
    let text: String = terminal.take_output().into_iter().map(|chunk| chunk.text).collect();
    assert!(text.ends_with("tick\ntick\ntick\n^C\n"), "{text}");
    assert_eq!(typed(&terminal, &["echo $?"]), "[root@ci-base ~]# echo $?\n130\n");

    terminal.run("cat > f", std::time::Duration::from_secs(1));
    assert!(terminal.is_reading());
    terminal.run("one", std::time::Duration::from_secs(1));
    terminal.end_input();
    terminal.run_on(std::time::Duration::from_secs(1));
    assert!(!terminal.is_busy());
    assert_eq!(typed(&terminal, &["cat f"]), "[root@ci-base ~]# cat f\none\n");
}

#[test]
fn shells_nest_and_exit() {
    let host = host();
    let terminal = terminal(&host);
    terminal.run("bash", std::time::Duration::from_secs(1));
    let shown = typed(&terminal, &["foo", "exit 3", "echo $?"]);
    assert_eq!(
        shown,
        "[root@ci-base ~]# foo\nbash: foo: command not found\n[root@ci-base ~]# exit 3\nexit\n[root@ci-base ~]# echo $?\n3\n"
    );
    terminal.run("sleep 5 &", std::time::Duration::from_secs(1));
    host.run_until(host.now() + 6_000_000, 100_000);
    let (chunks, _) = terminal.run("", std::time::Duration::from_secs(1));
    assert!(
        chunks.iter().any(|chunk| chunk.stream == Stream::Error && chunk.text.contains("[1]+  Done")),
        "{chunks:?}"
    );
}

#[test]
fn tab_offers_commands_files_variables_and_flags() {
    let host = host();
    let terminal = terminal(&host);
    typed(&terminal, &["touch service.yaml; mkdir sub; alias kk=cat"]);
    let offered = |line: &str| {
        let found = terminal.complete(line, line.len());
        let words: Vec<String> = found.candidates.0.into_iter().map(|candidate| candidate.text).collect();
        format!("{} {}", found.start, words.join(" "))
    };
    assert_eq!(offered("bas"), "0 base64 basename bash");
    assert_eq!(offered("why endpointsl"), "4 endpointslices");
    assert_eq!(offered("cat s"), "4 service.yaml sub/");
    assert_eq!(offered("echo a | kk se"), "12 service.yaml");
    assert_eq!(offered("grep --inv"), "5 --invert-match");
    assert_eq!(offered("echo $HOM"), "5 $HOME");
    assert_eq!(offered("timeout 5 > se"), "12 service.yaml");
}
