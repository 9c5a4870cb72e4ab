//! Files and directories: `cat`, `ls`, `mkdir`, `rmdir`, `rm`, `cp`, `mv`, `touch`, `pwd`, `basename`, `dirname`.

use crate::shell::command::{Command, Flag, Found, Run, Value, not_simulated, switch};
use crate::shell::filesystem::{Entry, FileError, absolute, file_name, parent};
use crate::shell::flags::{Parsed, Style};
use crate::shell::invocation::Invocation;
use crate::words::Words;

/// Declares a command about files.
const fn command(
    name: &'static str,
    usage: &'static str,
    (en, zh): (&'static str, &'static str),
    flags: &'static [Flag],
    run: Run,
) -> Command {
    Command {
        name,
        usage,
        summary: Words { en, zh },
        flags,
        operands: Value::File,
        complete: None,
        found: Found::OnHosts,
        run,
    }
}

/// `cat`.
pub static CAT: Command = command(
    "cat",
    "[-n] [FILE]...",
    ("print files", "打印文件内容"),
    &[switch('n', "number", "number the lines", "给行编号")],
    Run::Waits(|invocation| Box::pin(cat(invocation))),
);

async fn cat(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&CAT, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let standard = ["-".to_owned()];
    let operands = if parsed.operands.is_empty() { &standard[..] } else { &parsed.operands };
    let mut number = 0;
    let mut show = |text: &str| {
        if !parsed.has("number") {
            invocation.stdout().write(text);
            return;
        }
        for line in text.split_inclusive('\n') {
            number += 1;
            invocation.stdout().write(&format!("{number:6}\t{line}"));
        }
    };
    let mut status = 0;
    for operand in operands {
        if operand == "-" {
            while let Some(line) = invocation.streams.stdin.line().await {
                show(&line);
                invocation.stdout().ready().await;
            }
            continue;
        }
        match invocation.read_file(operand) {
            Ok(text) => show(&text),
            Err(error) if invocation.place.dialect == crate::shell::places::Dialect::Ash => {
                status = invocation.fail(&format!("can't open '{operand}': {}", error.words()));
            }
            Err(error) => status = invocation.fail(&format!("{operand}: {}", error.words())),
        }
    }
    status
}

/// `ls`.
pub static LS: Command = command(
    "ls",
    "[-1adl] [FILE]...",
    ("list files", "列出文件"),
    &[
        switch('1', "", "one name per line", "每行一个名称"),
        switch('a', "all", "names that begin with a dot too", "包括以点开头的名称"),
        switch('d', "directory", "directories themselves", "列出目录本身"),
        switch('l', "", "with kind and size", "显示类型和大小"),
        not_simulated('R', "recursive", Value::None, "ls DIRECTORY/*"),
        not_simulated('t', "", Value::None, "ls -l"),
        switch('h', "human-readable", "sizes as they are", "按原样显示大小"),
    ],
    Run::Now(ls),
);

fn ls(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&LS, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let here = [".".to_owned()];
    let operands = if parsed.operands.is_empty() { &here[..] } else { &parsed.operands };
    let files = invocation.files();
    let files = files.borrow();
    let (mut plain, mut directories, mut status) = (Vec::new(), Vec::new(), 0);
    for operand in operands {
        match files.entry(&invocation.path(operand)) {
            Some(Entry::Directory) if !parsed.has("directory") => directories.push(operand.clone()),
            Some(_) => plain.push(operand.clone()),
            None => {
                let words = FileError::NotFound.words();
                if invocation.place.dialect == crate::shell::places::Dialect::Ash {
                    status = invocation.fail(&format!("{operand}: {words}"));
                } else {
                    invocation.fail(&format!("cannot access '{operand}': {words}"));
                    status = 2;
                }
            }
        }
    }
    plain.sort_unstable();
    show_names(invocation, &parsed, &invocation.directory, &plain);
    let headed = operands.len() > 1;
    for (index, directory) in directories.iter().enumerate() {
        if headed {
            let blank = if index > 0 || !plain.is_empty() { "\n" } else { "" };
            invocation.say(&format!("{blank}{directory}:"));
        }
        let path = invocation.path(directory);
        let mut names = files.names(&path);
        if parsed.has("all") {
            names.splice(0..0, [".".to_owned(), "..".to_owned()]);
        } else {
            names.retain(|name| !name.starts_with('.'));
        }
        show_names(invocation, &parsed, &path, &names);
    }
    status
}

fn show_names(invocation: &Invocation, parsed: &Parsed, directory: &str, names: &[String]) {
    let files = invocation.files();
    let files = files.borrow();
    if parsed.has("l") {
        for name in names {
            let (kind, size) = match files.entry(&absolute(directory, name)) {
                Some(Entry::File(text)) => ("-rw-r--r--", text.len()),
                _ => ("drwxr-xr-x", 4_096),
            };
            invocation.say(&format!("{kind} 1 root root {size:>7} {name}"));
        }
        return;
    }
    if parsed.has("1") || !invocation.stdout().is_terminal() {
        names.iter().for_each(|name| invocation.say(name));
        return;
    }
    let columns = invocation.tty.as_ref().map_or(80, |tty| tty.columns());
    invocation.stdout().write(&in_columns(names, columns));
}

/// Names side by side, down and then across, in as many columns as fit.
pub fn in_columns(names: &[String], width: usize) -> String {
    let mut text = String::new();
    let length = |name: &String| name.chars().count();
    for rows in 1..=names.len() {
        let widths: Vec<usize> =
            names.chunks(rows).map(|column| column.iter().map(length).max().unwrap_or(0) + 2).collect();
        if rows < names.len() && widths.iter().sum::<usize>() > width + 2 {
            continue;
        }
        for row in 0..rows {
            let cells: Vec<(usize, &String)> =
                (row..names.len()).step_by(rows).map(|index| (index / rows, &names[index])).collect();
            for (position, (column, name)) in cells.iter().enumerate() {
                text.push_str(name);
                if position + 1 < cells.len() {
                    text.push_str(&" ".repeat(widths[*column] - length(name)));
                }
            }
            text.push('\n');
        }
        break;
    }
    text
}

/// Reads flags and operands; without an operand the GNU message.
fn operands(invocation: &Invocation, command: &Command, least: usize) -> Result<Parsed, i32> {
    let parsed = invocation.parse(command, Style::Gnu)?;
    let missing = match (parsed.operands.len(), least) {
        (0, 2) => "missing file operand".to_owned(),
        (0, _) => "missing operand".to_owned(),
        (1, 2) => format!("missing destination file operand after '{}'", parsed.operands[0]),
        _ => return Ok(parsed),
    };
    Err(invocation.fail(&format!("{missing}\nTry '{} --help' for more information.", command.name)))
}

/// Does `act` with every operand; the status is 1 if one failed, with the message `verb 'NAME': why`.
fn each(
    invocation: &Invocation,
    parsed: &Parsed,
    verb: &str,
    act: impl Fn(&str) -> Result<(), FileError>,
) -> i32 {
    let mut status = 0;
    for operand in &parsed.operands {
        if let Err(error) = act(&invocation.path(operand)) {
            status = invocation.fail(&format!("{verb} '{operand}': {}", error.words()));
        }
    }
    status
}

/// `mkdir`.
pub static MKDIR: Command = command(
    "mkdir",
    "[-p] DIRECTORY...",
    ("make directories", "创建目录"),
    &[switch('p', "parents", "make those above too", "同时创建上级目录")],
    Run::Now(|invocation| match operands(invocation, &MKDIR, 1) {
        Ok(parsed) => each(invocation, &parsed, "cannot create directory", |path| {
            invocation.files().borrow_mut().make_directory(path, parsed.has("parents"))
        }),
        Err(status) => status,
    }),
);

/// `rmdir`.
pub static RMDIR: Command = command(
    "rmdir",
    "DIRECTORY...",
    ("remove empty directories", "删除空目录"),
    &[],
    Run::Now(|invocation| match operands(invocation, &RMDIR, 1) {
        Ok(parsed) => each(invocation, &parsed, "failed to remove", |path| {
            invocation.files().borrow_mut().remove_directory(path)
        }),
        Err(status) => status,
    }),
);

/// `rm`.
pub static RM: Command = command(
    "rm",
    "[-rf] FILE...",
    ("remove files", "删除文件"),
    &[
        switch('f', "force", "no complaint about what is not there", "忽略不存在的文件"),
        switch('r', "recursive", "directories with all in them", "连同目录内容一起删除"),
        switch('R', "", "as -r", "同 -r"),
    ],
    Run::Now(rm),
);

fn rm(invocation: &Invocation) -> i32 {
    let parsed = match operands(
        invocation,
        &RM,
        usize::from(!invocation.arguments.iter().any(|flag| flag.starts_with("-f"))),
    ) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let whole = parsed.has("recursive") || parsed.has("R");
    each(invocation, &parsed, "cannot remove", |path| {
        match invocation.files().borrow_mut().remove(path, whole) {
            Err(FileError::NotFound) if parsed.has("force") => Ok(()),
            result => result,
        }
    })
}

/// `touch`.
pub static TOUCH: Command = command(
    "touch",
    "FILE...",
    ("make empty files", "创建空文件"),
    &[],
    Run::Now(|invocation| match operands(invocation, &TOUCH, 1) {
        Ok(parsed) => each(invocation, &parsed, "cannot touch", |path| {
            let files = invocation.files();
            let mut files = files.borrow_mut();
            if files.entry(path).is_some() { Ok(()) } else { files.write(path, "") }
        }),
        Err(status) => status,
    }),
);

/// `cp`.
pub static CP: Command = command(
    "cp",
    "[-r] SOURCE... DESTINATION",
    ("copy files", "复制文件"),
    &[
        switch('r', "recursive", "directories with all in them", "连同目录内容一起复制"),
        switch('a', "archive", "as -r", "同 -r"),
        switch('f', "force", "replace what is there", "覆盖已有文件"),
    ],
    Run::Now(|invocation| transfer(invocation, &CP, false)),
);

/// `mv`.
pub static MV: Command = command(
    "mv",
    "SOURCE... DESTINATION",
    ("move or rename files", "移动或重命名文件"),
    &[switch('f', "force", "replace what is there", "覆盖已有文件")],
    Run::Now(|invocation| transfer(invocation, &MV, true)),
);

fn transfer(invocation: &Invocation, command: &Command, moves: bool) -> i32 {
    let parsed = match operands(invocation, command, 2) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let Some((destination, sources)) = parsed.operands.split_last() else { return 1 };
    let target = invocation.path(destination);
    let into = invocation.files().borrow().is_directory(&target);
    if sources.len() > 1 && !into {
        return invocation.fail(&format!("target '{destination}' is not a directory"));
    }
    let whole = moves || parsed.has("recursive") || parsed.has("archive");
    let mut status = 0;
    for source in sources {
        let from = invocation.path(source);
        let to = if into { absolute(&target, file_name(&from)) } else { target.clone() };
        if let Err(message) = transfer_one(invocation, source, &from, &to, (whole, moves)) {
            status = invocation.fail(&message);
        }
    }
    status
}

fn transfer_one(
    invocation: &Invocation,
    source: &str,
    from: &str,
    to: &str,
    (whole, moves): (bool, bool),
) -> Result<(), String> {
    let files = invocation.files();
    let mut files = files.borrow_mut();
    match files.entry(from) {
        None => return Err(format!("cannot stat '{source}': {}", FileError::NotFound.words())),
        Some(Entry::Directory) if !whole => {
            return Err(format!("-r not specified; omitting directory '{source}'"));
        }
        Some(_) if from == to => return Err(format!("'{source}' and '{to}' are the same file")),
        Some(_)
            if parent(to).starts_with(from)
                && (parent(to) == from || parent(to)[from.len()..].starts_with('/')) =>
        {
            return Err(format!("cannot copy a directory, '{source}', into itself, '{to}'"));
        }
        Some(_) => {}
    }
    for (path, entry) in files.below(from) {
        let new = format!("{to}{}", &path[from.len()..]);
        let made = match entry {
            Entry::Directory => files.make_directory(&new, true),
            Entry::File(text) => files.write(&new, &text),
        };
        made.map_err(|error| format!("cannot create regular file '{new}': {}", error.words()))?;
    }
    if moves {
        files.remove(from, true).map_err(|error| format!("cannot remove '{source}': {}", error.words()))?;
    }
    Ok(())
}

/// `pwd`.
pub static PWD: Command = Command {
    found: Found::Everywhere,
    ..command(
        "pwd",
        "",
        ("print the working directory", "打印当前目录"),
        &[],
        Run::Now(|invocation| {
            invocation.say(&invocation.directory);
            0
        }),
    )
};

/// `basename`.
pub static BASENAME: Command = command(
    "basename",
    "PATH [SUFFIX]",
    ("print the last part of a path", "打印路径的最后一部分"),
    &[],
    Run::Now(|invocation| match operands(invocation, &BASENAME, 1) {
        Ok(parsed) => {
            let name = file_name(parsed.operands[0].trim_end_matches('/'));
            let suffix = parsed.operands.get(1).map(String::as_str).unwrap_or_default();
            let stripped = name.strip_suffix(suffix).filter(|stem| !stem.is_empty());
            invocation.say(stripped.unwrap_or(name));
            0
        }
        Err(status) => status,
    }),
);

/// `dirname`.
pub static DIRNAME: Command = command(
    "dirname",
    "PATH...",
    ("print a path without its last part", "打印路径中的目录部分"),
    &[],
    Run::Now(|invocation| match operands(invocation, &DIRNAME, 1) {
        Ok(parsed) => {
            for path in &parsed.operands {
                let path = path.trim_end_matches('/');
                invocation.say(if path.contains('/') { parent(path) } else { "." });
            }
            0
        }
        Err(status) => status,
    }),
);

#[cfg(test)]
mod tests {
    use super::in_columns;
    use crate::shell::testing::check;

    #[test]
    fn files_are_made_read_moved_and_removed() {
        check("echo hi > a; cat a; cat < a; cat -n a", "hi\nhi\n     1\thi", 0);
        check("cat nosuch", "cat: nosuch: No such file or directory", 1);
        check("cat /etc", "cat: /etc: Is a directory", 1);
        check("mkdir -p d/e; touch d/e/f; ls d; ls d/e", "e\nf", 0);
        check("mkdir d; mkdir d", "mkdir: cannot create directory 'd': File exists", 1);
        check("ls nosuch", "ls: cannot access 'nosuch': No such file or directory", 2);
        check("echo 1 > a; cp a b; mv a c; ls", "b\nc", 0);
        check("mkdir d; touch d/x; cp -r d e; ls e; rm -r d e; ls", "x", 0);
        check("rm nosuch", "rm: cannot remove 'nosuch': No such file or directory", 1);
        check("rm -f nosuch", "", 0);
        check("mkdir d; rm d", "rm: cannot remove 'd': Is a directory", 1);
        check("touch a d; cp -r a a", "cp: 'a' and '/root/a' are the same file", 1);
        check(
            "cd /tmp && pwd && cd - && cd nosuch",
            "/tmp\n/root\nbash: line 1: cd: nosuch: No such file or directory",
            1,
        );
        check("basename /a/b.txt .txt; dirname /a/b.txt c", "b\n/a\n.", 0);
        check("echo x > /nosuch/y", "bash: line 1: /nosuch/y: No such file or directory", 1);
        check("echo x > a; echo y >> a; cat a | tee b >/dev/null; cat b", "x\ny", 0);
    }

    #[test]
    fn names_stand_in_columns_on_a_terminal() {
        let names: Vec<String> = ["a", "bb", "c", "dd", "e"].map(str::to_owned).to_vec();
        assert_eq!(in_columns(&names, 80), "a  bb  c  dd  e\n");
        assert_eq!(in_columns(&names, 8), "a   dd\nbb  e\nc\n");
    }
}
